"""A run that goes on with another config, another number of arrays, other data: what goes on, and what is said."""

import contextlib
import json
import shutil

import numpy as np
import pytest

from jaxsr.data.images import Photo, write_photo
from jaxsr.support.errors import UserError
from jaxsr.training.loop import train
from jaxsr.training.run.checkpoints import Checkpoints
from jaxsr.training.run.resumption import check_stages
from jaxsr.weights import load
from jaxsr.weights.shipped_weights import shipped_files
from tests.helpers.training import records, weights

_RUN = []  # made once: `tiny` is a fixture of each test


@pytest.fixture
def run(tiny, tmp_path_factory, tmp_path):
    """Return the copy of a run that has made its 4 steps on four photos of a folder."""
    if not _RUN:
        folder = tmp_path_factory.mktemp("runs") / "run"
        train(tiny(), folder)
        _RUN.append(folder)
    shutil.copytree(_RUN[0], copy := tmp_path / "run")
    return copy


def config_of(folder):
    return json.loads((folder / "config.json").read_text())


def test_fewer_steps_are_refused_and_nothing_is_written(run, tiny):
    before = config_of(run)
    with pytest.raises(UserError, match=r"steps=3 is below the 4 that the run in .* has done; set --config\.steps"):
        train(tiny(steps=3), run)
    assert config_of(run) == before


def test_a_stage_that_is_past_stays_as_it_was(run, tiny):
    before = config_of(run)
    with pytest.raises(UserError, match=r"pretraining.steps changes from 0 to 5, .* done 4 steps, .*steps to 0, or"):
        train(tiny(steps=6, **{"pretraining.steps": 5}), run)
    assert config_of(run) == before


@pytest.mark.parametrize(("new", "remedy"), [(3, "to 4 or more"), (4, None), (9, None)])
def test_a_stage_may_end_elsewhere_from_here_on(new, remedy, tmp_path):
    with pytest.raises(UserError, match=remedy) if remedy else contextlib.nullcontext():
        check_stages({"pretraining.steps": (6, new)}, 4, tmp_path)


def test_the_weights_are_those_of_the_last_step(run, tiny):
    """Where the run was killed after a checkpoint, and before these weights were written; and where they are gone."""
    weights_file = run / "model.safetensors"
    for change in (lambda: shutil.copy(shipped_files()["espcn", 2], weights_file), weights_file.unlink):
        change()
        assert train(tiny(), run).step == 4
        assert load(run).card["training"]["steps"] == 4


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        pytest.param(
            {"batch_size": 8},
            "batch_size changes from 4 to 8: steps count updates, so the run sees another number",
            marks=pytest.mark.slow,
        ),
        pytest.param(
            {"schedule.name": "constant"},
            "schedule.name changes from 'cosine' to 'constant': the learning rate follows",
            marks=pytest.mark.slow,
        ),
        pytest.param(
            {"optimizer.learning_rate": 0.001},
            "optimizer.learning_rate changes from 0.02 to 0.001: holds from here",
            marks=pytest.mark.slow,
        ),
        pytest.param(
            {"initial_weights": "espcn-x2"},
            "initial_weights changes from '' to 'espcn-x2': not read again",
            marks=pytest.mark.slow,
        ),
        ({"log_every": 1}, "log_every changes from 2 to 1: the weights do not depend on it"),
    ],
)
def test_changed_fields_are_said_with_their_effect(fields, said, run, tiny, capsys):
    assert train(tiny(steps=5, **fields), run).step == 5
    assert said in capsys.readouterr().out
    assert config_of(run)["steps"] == 5


@pytest.mark.slow
def test_an_average_can_end_and_begin(run, tiny, capsys):
    """Without it the network itself is saved; a new one starts at the weights, not at the initial ones."""
    train(tiny(steps=5, ema_decay=0.0), run)
    assert "ema_decay changes from 0.999 to 0.0" in capsys.readouterr().out
    checkpoints = Checkpoints(run)
    arrays, _ = checkpoints.restore()
    checkpoints.close()
    assert not [path for path in arrays if path.startswith("average/")]
    np.testing.assert_array_equal(load(run).params["conv1"]["kernel"], arrays["params/conv1/kernel"])
    train(tiny(steps=6, ema_decay=0.9, **{"optimizer.learning_rate": 0.0}), run)
    np.testing.assert_allclose(load(run).params["conv1"]["kernel"], arrays["params/conv1/kernel"], atol=1e-6)


@pytest.mark.slow
def test_adjustable_clipping_can_begin_and_end(run, tiny, capsys):
    """It counts the updates for the learning rate, as the schedule does."""
    assert train(tiny(steps=5, **{"optimizer.clip_elements": 0.1}), run).step == 5
    assert "optimizer.clip_elements changes from 0.0 to 0.1: holds from here" in capsys.readouterr().out
    assert train(tiny(steps=6), run).step == 6


@pytest.mark.slow
def test_the_best_score_is_sought_anew_on_other_photos(run, tiny, tmp_path):
    """A higher one on easier photos would keep best.safetensors as it is for ever."""
    (easy := tmp_path / "easy").mkdir()
    y, x = np.mgrid[:48, :48]
    write_photo(easy / "smooth.png", Photo(np.stack([x, y, x + y], axis=-1).astype(np.uint8)))
    train(tiny(steps=5, **{"data.validation": str(easy)}), run)
    assert load(run / "best.safetensors").card["training"]["steps"] == 5
    train(tiny(steps=6), run)
    best, (*_, last) = load(run / "best.safetensors").card, records(run, "validation")
    assert best["training"]["steps"] == 6 and last["step"] == 6


@pytest.mark.slow
def test_another_kind_of_data_is_refused_or_begins_anew(run, tiny, data_set, capsys):
    streamed = {"data.train": str(data_set)}
    with pytest.raises(UserError, match=r"data\.train changes from .*another kind of data.*add --restart_data"):
        train(tiny(steps=6, **streamed), run)
    assert config_of(run)["steps"] == 4
    assert train(tiny(steps=6, **streamed), run, restart_data=True).step == 6
    assert "the data begins anew" in capsys.readouterr().out
    assert train(tiny(steps=7), run).step == 7, "photos in memory have no position, so they may follow"
    assert [line["step"] for line in records(run, "validation")] == [4, 6, 7]


@pytest.mark.slow
@pytest.mark.parametrize("batch_size", [2, 8])
def test_streamed_data_goes_on_with_another_batch_size(batch_size, tiny, data_set, tmp_path):
    fields = {"data.train": str(data_set)}
    train(tiny(**fields), tmp_path)
    assert train(tiny(steps=8, batch_size=batch_size, **fields), tmp_path).step == 8


@pytest.mark.slow
def test_initial_weights_are_read_once(tiny, tmp_path, capsys):
    """Not on resume, where their file may be gone; shipped names count as files."""
    config = tiny(initial_weights="espcn-x2", steps=2, **{"optimizer.learning_rate": 0.0})
    train(config, tmp_path / "run")
    assert "6 of 6 parameter arrays start from espcn-x2" in capsys.readouterr().out
    for name, array in weights(tmp_path / "run").items():
        np.testing.assert_allclose(array, shipped()[name], atol=1e-6)
    config.steps, config.initial_weights = 3, str(tmp_path / "gone.safetensors")
    assert train(config, tmp_path / "run").step == 3
    said = capsys.readouterr().out
    assert "start from" not in said and "not read again" in said


def shipped():
    import jax

    return {str(path): np.asarray(x) for path, x in jax.tree_util.tree_leaves_with_path(load("espcn-x2").params)}


def test_cards_name_data_by_their_own_names(run, photos, tiny):
    """Not by the paths of the machine."""
    for name in ("model", "best"):
        card = load(run / f"{name}.safetensors").card
        assert card["training"]["data"] == photos.name
        assert str(photos.parent) not in str(dict(card))
        assert card["training"]["config"]["data"]["validation"] == photos.name
        assert card["scores"][0]["data"] == photos.name
