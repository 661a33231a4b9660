"""Choices that a run can be made with, but that are hardly meant."""

from contextlib import nullcontext

import pytest

from jaxsr.models import MODELS
from jaxsr.support.errors import UserError
from jaxsr.training.checks import check_config, check_workdir, warn_of_odd_values
from jaxsr.training.config import default_config


def test_a_system_that_learns_from_each_photo_is_restored_with():
    with pytest.raises(UserError, match="zssr learns .*: python -m jaxsr.restore PHOTO --output=DIR --model=zssr$"):
        check_config(default_config(), MODELS["zssr"])


@pytest.mark.parametrize(
    ("fields", "warned"),
    [
        ({"references": "b, a", "validation": "a"}, ["data.validation=a is trained on too"]),
        ({"pairs": "b", "synthetic_share": 0.5, "train": "a", "validation": "a"}, ["data.validation=a is trained on"]),
        ({"pairs": "b", "train": "a", "validation": "c"}, ["data.train=a is not trained on, data.pairs takes its"]),
        ({"references": "b", "train": "a"}, ["data.train=a is not trained on, data.references takes its place"]),
        ({"references": "b", "validation": "c"}, []),
        ({"pairs": "b", "train": "", "validation": "c"}, []),
    ],
)
def test_what_pairs_and_references_make_of_other_photos_is_said(fields, warned, caplog):
    config = default_config()
    config.data.update(fields)
    warn_of_odd_values(config)
    assert len(caplog.messages) == len(warned) and all(map(str.startswith, caplog.messages, warned))


@pytest.mark.parametrize(
    ("fields", "held"),
    [
        ({"train": "a,photos/"}, "data.train"),
        ({"train": "a", "validation": "b/../photos"}, "data.validation"),
        ({"train": "photos", "pairs": "a"}, ""),  # not trained on
        ({"train": "photos/a", "validation": "samples"}, ""),
    ],
)
def test_a_run_does_not_go_where_its_curves_would_be_a_photo(fields, held, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    config = default_config()
    config.data.update(fields)
    with (
        pytest.raises(UserError, match=f"photos holds the photos of {held}, .* --workdir=runs/")
        if held
        else nullcontext()
    ):
        check_workdir(config, tmp_path / "photos")
    check_workdir(config, tmp_path / "samples")


@pytest.mark.parametrize(("loss", "warmup", "warned"), [("bce", 500, 0), ("bce", 501, 1), ("", 501, 0)])
def test_the_warm_up_of_an_adversary_counts_its_own_updates(loss, warmup, warned, caplog):
    config = default_config()
    config.update(steps=100)
    config.adversarial.update(loss=loss, updates=5)
    config.adversarial.schedule.warmup = warmup
    warn_of_odd_values(config)
    assert len(caplog.messages) == warned
    assert all("adversarial.schedule.warmup=501 is longer than the 500 updates" in line for line in caplog.messages)
