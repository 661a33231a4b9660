"""What is compiled in a run: the programs of its stages, before the first step of each, and nothing after it."""

import pytest

from jaxsr.training.loop import train
from jaxsr.training.run.run_log import RunLog
from tests.helpers.devices import compilations


@pytest.fixture
def compiled(monkeypatch):
    """Return the list, which grows, of (step last logged, program) for everything that is compiled."""
    found, step = [], [0]
    log = RunLog.train

    def train_log(self, at, metrics):
        step[0] = at
        log(self, at, metrics)

    monkeypatch.setattr(RunLog, "train", train_log)
    with compilations(lambda program: found.append((step[0], program))):
        yield found


@pytest.mark.parametrize("kept", ["resident", pytest.param("streamed", marks=pytest.mark.slow)])
def test_one_program_serves_all_steps(kept, compiled, data_set, tiny, tmp_path):
    """Neither a short dispatch, nor a checkpoint, nor the second scoring, compiles anything."""
    fields = {"steps": 8, "log_every": 2, "validate_every": 4, "checkpoint_every": 3, "steps_per_dispatch": 3}
    train(tiny(**fields, **({"data.train": str(data_set)} if kept == "streamed" else {})), tmp_path)
    assert compiled and not [each for each in compiled if each[0] not in (0, 4)], compiled


@pytest.mark.slow
def test_each_stage_has_one_program(compiled, tiny, tmp_path):
    fields = {"steps": 6, "pretraining.steps": 2, "log_every": 1, "validate_every": 6, "checkpoint_every": 2}
    train(tiny("srgan", "vgg22", **fields), tmp_path)
    assert not [each for each in compiled if each[0] not in (0, 2, 6)], compiled
