"""What changed fields of a config do to a run."""

import pytest

from jaxsr.support.errors import UserError
from jaxsr.training.config import default_config
from jaxsr.training.feeds.feed import goes_on
from jaxsr.training.run.changes import (
    EFFECTS,
    WITHOUT_EFFECT,
    changed_fields,
    check_changes,
    data_field,
    describe,
    scored_anew,
)
from jaxsr.training.run.run_folder import config_fields, names_only


def change(**fields):
    config = default_config()
    before = config_fields(config)
    config.update_from_flattened_dict(fields)
    return changed_fields(before, config_fields(config))


def test_only_what_differs_is_changed():
    assert change() == {}
    fields = {"steps": 7, "data.scales": (2, 3), "model.options.blocks": 4}
    assert change(**fields) == {
        "data.scales": ([], [2, 3]),
        "model.options.blocks": (None, 4),
        "steps": (12_000, 7),
    }


@pytest.mark.parametrize("fields", [{"model.name": "rdn"}, {"model.options.blocks": 4}, {"optimizer.name": "sgd"}])
def test_what_checkpoints_hold_is_fixed(fields):
    (name,) = fields
    with pytest.raises(UserError, match=f"holds a run with {name}=.*choose another --workdir"):
        check_changes("runs/x", change(**fields))


def test_files_and_rates_may_change():
    changed = change(**{"model.basis": "b.npz", "optimizer.learning_rate": 0.5, "initial_weights": "x", "steps": 9})
    check_changes("runs/x", changed)
    lines = {name: describe(name, each) for name, each in changed.items()}
    assert (
        lines["model.basis"] == "model.basis changes from '' to 'b.npz': not read again: the run goes on with its own"
    )
    assert lines["steps"].endswith("the learning rate follows the schedule of the new length")


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"pretraining.learning_rate": 0.5}, "holds from here"),
        ({"pretraining.steps": 5}, "the stages of the run move"),
        ({"accumulate": 2}, "unless they are trained with batch normalization"),
    ],
)
def test_an_effect_is_that_of_the_very_field(fields, said):
    ((name, each),) = change(**fields).items()
    assert describe(name, each).endswith(said)


def test_every_effect_is_that_of_a_field():
    fields = {name for name in _flat(config_fields(default_config()))}
    assert all(any(name.startswith(start) for name in fields) for start in EFFECTS)
    assert set(WITHOUT_EFFECT) <= fields


def _flat(fields, prefix=""):
    for name, value in fields.items():
        yield f"{prefix}{name}"
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{name}.")


def test_the_field_that_decides_the_kind_of_data():
    assert data_field({"steps": (1, 2), "data.pairs": ("a", "b")}) == ("data.pairs", ("a", "b"))


@pytest.mark.parametrize(
    ("position", "saved", "expected"),
    [
        (None, [{"next_index": 3}], True),
        ([{"next_index": 0}], [{"next_index": 3}, {"next_index": 4}], True),
        ([{"next_index": 0}], None, False),
        (0, [{"next_index": 0}], False),
        ({"pairs": 0, "photos": None}, {"pairs": 2, "photos": None}, True),
        ({"pairs": 0, "photos": None}, {"photos": None}, False),
        ({"pairs": [1]}, {"pairs": None}, False),
    ],
)
def test_which_positions_go_on(position, saved, expected):
    assert goes_on(position, saved) is expected


def test_names_are_those_of_the_folders_themselves():
    assert names_only("/data/T91, BSDS400/ ,samples") == "T91,BSDS400,samples"
    assert names_only("") == ""


def test_the_folder_that_one_is_in_has_a_name(tmp_path, monkeypatch):
    (tmp_path / "T91" / "inside").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "T91")
    assert names_only(".") == "T91" and names_only("..,inside") == f"{tmp_path.name},inside"


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"data.validation": "Set5"}, True),
        ({"data.degradation": "bd"}, True),
        ({"data.train": "T91", "optimizer.learning_rate": 0.5}, False),
    ],
)
def test_scores_of_other_photos_are_no_measure(fields, expected):
    changed = change(**fields)
    assert scored_anew(changed) is expected
    lines = [describe(name, each) for name, each in changed.items()]
    assert any("the best one is sought anew" in line for line in lines) is expected
