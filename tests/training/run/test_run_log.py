"""What a run leaves on disk, and what it says."""

import json
import time
from types import SimpleNamespace

import pytest

from jaxsr.training.run import run_log
from jaxsr.training.run.run_log import Meter, NonFiniteLoss, RunLog


def test_records_after_the_resumed_step_are_dropped(tmp_path):
    file = tmp_path / "metrics.jsonl"
    file.write_text('{"step": 10, "kind": "train"}\n{"step": 20, "kind": "train"}\n{"step": 30, "ki')
    log = RunLog(tmp_path, step=10, steps=40, batch_size=4)
    log.train(20, {"loss": 0.5})
    log.close()
    records = [json.loads(line) for line in file.read_text().splitlines()]
    assert [record["step"] for record in records] == [10, 20]
    assert records[1]["loss"] == 0.5


def test_speed_waiting_and_time_left(tmp_path, monkeypatch, capsys):
    clock = iter([0.0, 10.0, 10.0])
    monkeypatch.setattr(run_log, "time", SimpleNamespace(**vars(time) | {"monotonic": lambda: next(clock)}))
    log = RunLog(tmp_path, step=0, steps=300, batch_size=16)
    log.waited(1.5)
    log.pause(5.0)
    log.train(100, {"loss": 0.25})
    log.close()
    record = json.loads((tmp_path / "metrics.jsonl").read_text())
    assert record["images_per_second"] == pytest.approx(16 * 100 / 5)
    assert record["data_wait"] == pytest.approx(0.3)
    line = capsys.readouterr().out
    assert "step 100/300  loss 0.25  320 images/s  waiting for data 30.0%  left 0:00:10" in line


def test_infinite_scores_leave_json(tmp_path):
    """Flat photos have them, and JSON has no infinity."""
    log = RunLog(tmp_path, step=0, steps=4, batch_size=4)
    log.validation(4, {"psnr": float("inf"), "ssim": 1.0})
    log.close()
    line = (tmp_path / "metrics.jsonl").read_text()
    assert line == '{"step": 4, "kind": "validation", "psnr": null, "ssim": 1.0}\n'


def test_the_mean_weighs_dispatches_by_their_steps():
    meter = Meter()
    meter.add(3, {"loss": 1.0, "bad_step": -1})
    meter.add(1, {"loss": 5.0, "bad_step": -1})
    assert meter.mean() == {"loss": 2.0}


def test_the_first_bad_step_is_named():
    meter = Meter()
    meter.add(5, {"loss": 1.0, "bad_step": -1})
    meter.add(5, {"loss": float("nan"), "bad_step": 8})
    with pytest.raises(NonFiniteLoss, match="diverged: .* at step 8; lower"):
        meter.check()
