"""The script that trains the weights that ship: what it installs, and how it starts `train`."""

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from jaxsr.training.catalog.config_files import load_config
from jaxsr.training.catalog.config_flag import add_model_options, check_fields, named_fields

LAUNCH = Path(__file__).parents[1] / "launch"
PYTHON = """#!/bin/sh
for argument; do printf '%s\t' "$argument"; done >>asked  # one write a run
printf 'PREALLOCATE=%s\n' "$XLA_PYTHON_CLIENT_PREALLOCATE" >>asked
case $* in *"$FAILING"*) exit 1 ;; esac
[ -z "$ENDLESS" ] || {
    trap 'sleep 0.2; echo saved >>saved; exit 143' TERM
    echo begun >>begun
    for _ in $(seq 1000); do sleep 0.05; done # not for ever, should the script leave it running
}
"""


@pytest.fixture
def checkout(tmp_path):
    """Return a checkout that installs and trains nothing, with what would have been run in its file `asked`."""
    (tmp_path / "launch").mkdir()
    shutil.copy(LAUNCH / "weights.sh", tmp_path / "launch")
    (tmp_path / "launch" / "install.sh").write_text('install() { echo "install $1" >>asked; }\n')
    python = tmp_path / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(PYTHON)
    python.chmod(0o755)
    return tmp_path


@pytest.fixture
def run(checkout, monkeypatch):
    """Return a function that runs the script, one training at a time."""
    monkeypatch.setenv("JOBS", "1")
    monkeypatch.setenv("FAILING", "no such flag")

    def start(*names):
        command = ["bash", checkout / "launch" / "weights.sh", *names]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)

    return start


@pytest.fixture
def started(checkout, run):
    """Return a function that gives the flags of the runs `names`."""

    def start(*names):
        done = run(*names)
        assert done.returncode == 0, done.stderr
        return [line.split("\t") for line in (checkout / "asked").read_text().splitlines()]

    return start


def test_it_installs_what_a_gpu_needs_and_scores_srntt_on_photos_with_references(started):
    installed, srntt = started("srntt")
    assert installed == ["install cuda"]
    assert "--config=srntt:l2" in srntt and "--config.data.references=data/views" in srntt
    assert "--config.data.validation=data/views-test" in srntt
    assert "PREALLOCATE=false" in srntt  # runs share the GPU


def test_deblurgan_is_scored_on_pairs_of_its_own_where_there_are_any(started, monkeypatch):
    monkeypatch.setenv("PAIRS_TEST", "data/gopro-test")
    _, deblurgan = started("deblurgan")
    assert {"--config.data.pairs=data/gopro", "--config.data.validation=data/gopro-test"} < set(deblurgan)


def test_recipes_name_configs_and_fields_that_there_are(started):
    _, *runs = started()
    assert len(runs) > 20
    for _, module, config, workdir, *flags, _ in runs:
        assert module == "jaxsr.train" and workdir.startswith("--workdir=runs/weights/")
        assert not [flag for flag in flags if "{" in flag]
        fields, own = named_fields(flags, "config"), load_config(config.removeprefix("--config="))
        assert len(fields) == len(flags)
        add_model_options(own, fields)
        check_fields(own, fields, "config")  # raises UserError


def test_paths_may_have_spaces(started, monkeypatch):
    paths = {"TRAIN": "my photos/a,b c", "PAIRS": "my pairs", "RUNS": "my runs & more", "VGG19": "my vgg.pth"}
    for name, path in paths.items():
        monkeypatch.setenv(name, path)
    _, content, deblurgan, srntt = started("content", "deblurgan", "srntt")
    assert "--config.data.train=my photos/a,b c" in content
    assert {"--config.data.pairs=my pairs", "--config.perceptual.weights=my vgg.pth"} < set(deblurgan)
    assert {"--workdir=my runs & more/srntt", "--config.initial_weights=my runs & more/content"} < set(srntt)


@pytest.mark.parametrize("jobs", ["1", "4"])
def test_a_run_that_fails_is_named_and_the_status_says_so(run, monkeypatch, jobs):
    monkeypatch.setenv("JOBS", jobs)
    monkeypatch.setenv("FAILING", "srcnn:")
    done = run("srcnn-x2", "srcnn-x3", "srcnn-x4", "real-x2")
    assert done.returncode == 1 and done.stdout == "real-x2 is trained\n"
    assert [line.split(":")[0] for line in sorted(done.stderr.splitlines())] == [
        f"srcnn-x{x} failed" for x in (2, 3, 4)
    ]


@pytest.mark.parametrize(
    ("jobs", "name", "message"),
    [("soon", "srcnn-x2", "weights: JOBS=soon is no"), ("4", "srcnn-x.", "no recipe srcnn-x.;")],
)
def test_mistakes_take_one_line(run, monkeypatch, jobs, name, message):
    monkeypatch.setenv("JOBS", jobs)
    done = run(name)
    assert done.returncode == 2 and done.stderr.startswith(message) and done.stderr.count("\n") == 1


def lines_of(file):
    return file.read_text().splitlines() if file.exists() else []


def test_sigterm_lets_the_runs_save_and_begins_no_other(checkout):
    command = ["bash", checkout / "launch" / "weights.sh", "srcnn-x2", "srcnn-x3", "srcnn-x4", "real-gan-x4"]
    environment = os.environ | {"JOBS": "2", "FAILING": "no such flag", "ENDLESS": "1"}
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as script:
        deadline = time.monotonic() + 60
        while len(lines_of(checkout / "begun")) < 2 and time.monotonic() < deadline:
            time.sleep(0.05)
        script.send_signal(signal.SIGTERM)
        _, said = script.communicate(timeout=60)
    assert script.returncode == 143
    assert lines_of(checkout / "saved") == ["saved"] * 2  # before the script ended
    assert len(lines_of(checkout / "begun")) == 2
    assert sorted(said.splitlines()) == [f"srcnn-x{x} is stopped: run again, it goes on" for x in (2, 3)]
