"""How runs end: signals to real processes, two runs in one folder, a full disk, a network that gets worse."""

import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from unittest.mock import Mock

import pytest

from jaxsr.support.errors import UserError
from jaxsr.training.loop import Run, go_back, train
from jaxsr.training.run.checkpoints import Checkpoints
from jaxsr.training.run.run_folder import locked
from jaxsr.training.run.run_log import Collapse, NonFiniteLoss, Runaway
from jaxsr.training.run.score_watch import ScoreWatch
from jaxsr.training.run.validation import Validation
from jaxsr.weights import load
from tests.helpers.training import records

ROOT = Path(__file__).parents[2]
RARELY = ("--config.steps=100000", "--config.checkpoint_every=100000", "--config.validate_every=100000")


def started(workdir, photos, *flags):
    """Return the started run of ESPCN, which prints a line every 20 steps."""
    fields = {"batch_size": 2, "data.patch": 8, "log_every": 20, "data.train": photos, "data.validation": photos}
    options = [f"--config.{name}={value}" for name, value in fields.items()]
    config = f"--config={ROOT / 'configs' / 'espcn.py'}:x2"
    command = [sys.executable, "-m", "jaxsr.train", config, f"--workdir={workdir}", *options, *flags]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def output_of(process):
    """Return what the process printed until it ended, which it does within minutes."""
    try:
        return process.communicate(timeout=120)[0]
    finally:
        process.kill()


def lines_until(process, start):
    for line in process.stdout:
        if line.startswith(start):
            return
    raise AssertionError(f"the run ended without a line that starts with {start!r}")


@pytest.mark.slow
@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_a_run_after_a_checkpoint(number, status, photos, tmp_path):
    """One line, weights, and no step lost."""
    run = tmp_path / "run"
    with started(run, photos, *RARELY) as process:
        lines_until(process, "step 40/")
        process.send_signal(number)
        *before, last = output_of(process).splitlines()
    assert process.returncode == status
    assert "Traceback" not in "".join(before) and last.startswith("stopped at step ")
    step = int(last.split()[3])
    assert Checkpoints(run).latest == step >= 40
    assert load(run).card["training"]["steps"] == step
    with started(run, photos, *RARELY) as process:
        lines_until(process, f"resuming from step {step} of 100000")
        process.kill()


@pytest.mark.slow
def test_a_second_ctrl_c_ends_at_once(photos, tmp_path):
    with started(tmp_path / "run", photos, *RARELY) as process:
        lines_until(process, "step 20/")
        process.send_signal(signal.SIGINT)
        lines_until(process, "stopping after this step")
        process.send_signal(signal.SIGINT)
        output_of(process)
    assert process.returncode == 130


@pytest.mark.slow
@pytest.mark.parametrize("seconds", [0.3, 1.0, 2.0, 3.0])
def test_ctrl_c_before_the_first_step_is_one_line(seconds, photos, tmp_path):
    """While modules are imported, photos are read, or the first program is compiled."""
    with started(tmp_path / "run", photos, *RARELY) as process:
        time.sleep(seconds)
        process.send_signal(signal.SIGINT)
        said = output_of(process).strip().splitlines()
    assert process.returncode == 130
    assert "Traceback" not in "".join(said)
    assert said[-1].endswith("ended by SIGINT") or said[-1].startswith("stopped at step ")


@pytest.mark.slow
def test_a_second_run_in_the_folder_is_refused(photos, tmp_path):
    """It names the process, leaves everything alone, and may begin once the first is killed."""
    run = tmp_path / "run"
    with started(run, photos, *RARELY) as first:
        lines_until(first, "step 20/")
        with started(run, photos, "--config.seed=1", "--config.steps=20") as second:
            said = output_of(second)
        assert second.returncode == 2
        assert f"{run} is used by process {first.pid} on " in said and len(said.splitlines()) == 1
        assert json.loads((run / "config.json").read_text())["seed"] == 0
        first.kill()
    with started(run, photos, "--config.steps=20") as third:
        assert "trained to step 20" in output_of(third)


def test_the_lock_names_its_process_and_goes_with_it(tmp_path):
    message = f"is used by process {os.getpid()} on .*another --workdir"
    with locked(tmp_path), pytest.raises(UserError, match=message), locked(tmp_path):
        pass
    with locked(tmp_path):
        assert (tmp_path / "run.lock").read_text().startswith(f"process {os.getpid()} on ")


def test_a_file_system_without_locks_has_none(tmp_path, monkeypatch):
    def flock(*_):
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(fcntl, "flock", flock)
    with locked(tmp_path):
        assert (tmp_path / "run.lock").exists()


def scores_of(monkeypatch, scores):
    """Let validation give `scores` in their order, beside 30 dB of bicubic."""
    values = iter(scores)
    monkeypatch.setattr(
        Validation, "score", lambda *_: {"psnr": next(values), "ssim": 0.5, "bicubic_psnr": 30.0}, raising=True
    )


@pytest.mark.slow
def test_a_collapsed_run_stops_and_resumes_from_the_best(tiny, tmp_path, monkeypatch, capsys):
    scores_of(monkeypatch, [29.0, 31.0, 20.0, 20.0])
    fields = {"steps": 12, "validate_every": 2, "checkpoint_every": 2}
    with pytest.raises(Collapse, match="at step 8 .*stop_on_collapse=False.*; the same command resumes from step 4"):
        train(tiny(**fields), tmp_path)
    assert Checkpoints(tmp_path).latest == 4
    assert load(tmp_path / "best.safetensors").card["training"]["steps"] == 4
    scores_of(monkeypatch, [31.5] * 4)
    assert train(tiny(**fields), tmp_path).step == 12
    assert "resuming from step 4 of 12" in capsys.readouterr().out


def test_low_scores_that_did_not_end_the_run_leave_its_checkpoints():
    run = Mock(Run, watch=ScoreWatch(best_step=2, best=20.0, lost=4), checkpoints=Mock(Checkpoints, latest=8))
    assert go_back(run, NonFiniteLoss("not finite at step 9")) == "the same command resumes from step 8"
    run.checkpoints.set_aside_after.assert_not_called()


@pytest.mark.slow
def test_it_goes_on_where_that_is_turned_off(tiny, tmp_path, monkeypatch):
    """The best checkpoint stays beside the newest ones."""
    scores_of(monkeypatch, [31.0, 20.0, 20.0, 20.0, 20.0])
    done = train(tiny(steps=10, validate_every=2, checkpoint_every=2, stop_on_collapse=False), tmp_path)
    assert done.step == 10 and done.below == 10.0
    assert {path.name for path in (tmp_path / "checkpoints").iterdir()} == {"2", "8", "10"}


@pytest.mark.slow
def test_a_runaway_output_ends_the_run(tiny, tmp_path):
    """Finite so far, with a rate of a million."""
    config = tiny(steps=20, **{"optimizer.learning_rate": 1e6})
    with pytest.raises(Runaway, match="times the range of photos; lower .*; the same command resumes from step 2"):
        train(config, tmp_path)


@pytest.mark.slow
def test_checkpoints_come_by_time_too(tiny, tmp_path):
    fields = {"steps": 6, "checkpoint_every": 100, "validate_every": 100}
    train(tiny(**fields, checkpoint_minutes=1e-9), tmp_path / "often")
    assert {path.name for path in (tmp_path / "often" / "checkpoints").iterdir()} == {"5", "6"}
    train(tiny(**fields, checkpoint_minutes=0.0), tmp_path / "never")
    assert {path.name for path in (tmp_path / "never" / "checkpoints").iterdir()} == {"6"}


@pytest.mark.slow
def test_the_speed_leaves_compiling_out(tiny, tmp_path):
    """The first step compiles, so that a line about it alone has no speed."""
    train(tiny(steps=3, log_every=1), tmp_path)
    speeds = [line.get("images_per_second") for line in records(tmp_path, "train")]
    assert speeds[0] is None and all(speed > 0 for speed in speeds[1:])


@pytest.mark.slow
def test_a_full_disk_is_one_line_and_the_run_goes_on_with_room(photos, tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1500k", "none", disk], stderr=subprocess.DEVNULL).returncode:
        pytest.skip("only root may mount the small disk that this test fills")
    flags = ("--config.steps=200", "--config.checkpoint_every=20", "--config.validate_every=100")
    try:
        with started(disk / "run", photos, *flags) as process:
            said = output_of(process)
        assert process.returncode == 1 and "Traceback" not in said
        assert said.splitlines()[-1].endswith("make room, then run the same command again")
        assert Checkpoints(disk / "run").latest is not None
        subprocess.run(["mount", "-o", "remount,size=100m", disk], check=True)
        with started(disk / "run", photos, *flags) as process:
            said = output_of(process)
        assert process.returncode == 0 and "resuming from step " in said
    finally:
        subprocess.run(["umount", disk], check=True)
