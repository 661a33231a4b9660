"""The real loop through the real config files, on generated photos."""

import json
import os
import shutil
import signal
import threading
import time

import jax
import numpy as np
import pytest

from jaxsr.devices import parallel
from jaxsr.models import model_spec
from jaxsr.training.config import network_of
from jaxsr.training.loop import train
from jaxsr.training.run.checkpoints import Checkpoints
from jaxsr.training.run.run_log import NonFiniteLoss
from jaxsr.training.state import initial_variables, taken_from
from jaxsr.weights import load
from tests.helpers.configs import other_scales, variants
from tests.helpers.training import records, stop_after, weights

# Variants of costly networks whose training another variant, or another test, goes through
ALIKE = {("deblurgan", "wild"), ("deblurgan", "synth"), ("srgan", "vgg22"), ("srgan", "vgg54"), ("srntt", "l2")}


def distinct():
    """Return the variants with a part or a recipe that none before of the same network has.

    The step at other scales is traced in tests/benchmarks/test_training_costs.py.
    """
    seen, chosen = set(), []
    for name, variant in variants():
        parts = {(name, part) for part in variant.split("-")}
        if (name, variant) not in {*ALIKE, *other_scales()} and not parts <= seen:
            chosen.append((name, variant))
        seen |= parts
    return chosen


@pytest.mark.slow
@pytest.mark.parametrize(("name", "variant"), distinct())
def test_every_config_trains(name, variant, tiny, tmp_path):
    config = tiny(name, variant, steps=2, log_every=1)
    before = initial_variables(network_of(config, model_spec(name)), seed=0)["params"]
    assert train(config, tmp_path).step == 2
    after = load(tmp_path)
    losses = [line["loss"] for line in records(tmp_path, "train")]
    assert len(losses) == 2 and np.isfinite(losses).all()
    moved = jax.tree.map(lambda a, b: float(np.abs(a - b).max()), before, dict(after.params))
    frozen = config.optimizer.layer_rates.to_dict()
    for path, distance in jax.tree_util.tree_leaves_with_path(moved):
        layer = path[0].key
        assert (distance == 0) == (frozen.get(layer) == 0.0), f"{layer} moved by {distance}"


def test_a_run_learns_and_leaves_everything(tiny, tmp_path):
    train(tiny(steps=150, log_every=10, validate_every=75, checkpoint_every=75), tmp_path)
    losses = [line["loss"] for line in records(tmp_path, "train")]
    assert losses[-1] < 0.25 * losses[0]
    scores = [line["psnr"] for line in records(tmp_path, "validation")]
    assert len(scores) == 2 and scores[1] > scores[0] + 1
    assert {path.name for path in (tmp_path / "samples").iterdir()} == {"step_00000075.png", "step_00000150.png"}
    assert (tmp_path / "curves.png").stat().st_size > 10_000
    assert json.loads((tmp_path / "config.json").read_text())["model"]["name"] == "espcn"
    assert any(path.name.startswith("events.out.tfevents") for path in tmp_path.iterdir())
    card = load(tmp_path).card
    assert card["training"]["steps"] == 150
    assert card["scores"][0]["protocol"]["name"] == "y8"
    assert card["scores"][0]["mean"]["psnr"] == pytest.approx(scores[1], abs=1e-9)


@pytest.mark.parametrize("per_dispatch", [1, pytest.param(3, marks=pytest.mark.slow)])
def test_stopping_half_way_changes_nothing(per_dispatch, tiny, tmp_path):
    """20 steps equal 10 + 10, bit for bit, whether dispatched one by one or in threes."""
    fields = {"steps": 20, "steps_per_dispatch": per_dispatch, "checkpoint_every": 10, "validate_every": 20}
    train(tiny(**fields), tmp_path / "whole")
    stop_after(10, tiny(**fields), tmp_path / "halves")
    assert Checkpoints(tmp_path / "halves").latest == 10
    assert train(tiny(**fields), tmp_path / "halves").step == 20
    whole, halves = weights(tmp_path / "whole"), weights(tmp_path / "halves")
    assert whole.keys() == halves.keys() and len(whole) == 6
    for name in whole:
        np.testing.assert_array_equal(whole[name], halves[name])
    assert [r["step"] for r in records(tmp_path / "halves", "train")] == list(range(2, 21, 2))


@pytest.mark.slow
def test_results_do_not_depend_on_the_dispatch(tiny, tmp_path):
    for n in (1, 4):
        train(tiny(steps_per_dispatch=n), tmp_path / str(n))
    one, four = weights(tmp_path / "1"), weights(tmp_path / "4")
    for name in one:
        np.testing.assert_allclose(one[name], four[name], atol=1e-6)


def test_four_devices_equal_one(tiny, tmp_path, monkeypatch):
    fields = {"steps": 20, "validate_every": 20, "checkpoint_every": 20}
    train(tiny(**fields), tmp_path / "four")
    first = jax.local_devices()[:1]
    monkeypatch.setattr(parallel, "devices", lambda batch_size: first)
    train(tiny(**fields), tmp_path / "one")
    four, one = weights(tmp_path / "four"), weights(tmp_path / "one")
    for name in four:
        np.testing.assert_allclose(four[name], one[name], atol=1e-5)


@pytest.mark.slow
def test_a_run_goes_on_with_other_devices(tiny, tmp_path):
    """10 steps on four and 10 on one, and the other way round, are 20 on four."""
    fields = {"steps": 20, "validate_every": 20, "checkpoint_every": 20}
    train(tiny(**fields), tmp_path / "four")
    four, first = weights(tmp_path / "four"), jax.local_devices()[:1]
    for before, after in (((), first), (first, ())):
        for devices, run in ((before, stop_after_ten), (after, train)):
            with pytest.MonkeyPatch.context() as patch:
                if devices:
                    patch.setattr(parallel, "devices", lambda batch_size, devices=devices: devices)
                run(tiny(**fields), tmp_path / f"{len(before)} before")
        mixed = weights(tmp_path / f"{len(before)} before")
        for name in four:
            np.testing.assert_allclose(mixed[name], four[name], atol=1e-5)


def stop_after_ten(config, workdir):
    stop_after(10, config, workdir)


@pytest.mark.slow
def test_statistics_are_trained_saved_resumed_and_shared_by_devices(tiny, tmp_path, monkeypatch):
    """Batch normalization: on one device as on four, stopped half way or not, and not as they began.

    By SGD: Adam divides tiny gradients by their size, which turns rounding into whole steps.
    """
    fields = {"steps": 6, "checkpoint_every": 3, "validate_every": 6}
    fields |= {"optimizer.name": "sgd", "optimizer.learning_rate": 0.01}
    train(tiny("srresnet", "x2-paper", **fields), tmp_path / "four")
    stop_after(3, tiny("srresnet", "x2-paper", **fields), tmp_path / "halves")
    train(tiny("srresnet", "x2-paper", **fields), tmp_path / "halves")
    first = jax.local_devices()[:1]
    monkeypatch.setattr(parallel, "devices", lambda batch_size: first)
    train(tiny("srresnet", "x2-paper", **fields), tmp_path / "one")
    four, halves, one = (load(tmp_path / name).variables for name in ("four", "halves", "one"))
    assert jax.tree.all(jax.tree.map(np.array_equal, four, halves))
    assert jax.tree.all(jax.tree.map(lambda a, b: np.allclose(a, b, atol=1e-5), four, one))
    assert np.abs(four["batch_stats"]["norm2"]["mean"]).max() > 0


@pytest.mark.slow
def test_the_rate_of_fsrcnns_paper_does_not_diverge(tiny, tmp_path):
    """With the seed that diverged at step 9 without warm-up."""
    fields = {"data.train": "samples", "data.patch": 10, "batch_size": 128, "seed": 1, "log_every": 10}
    train(tiny("fsrcnn", "x2-paper", steps=100, validate_every=100, checkpoint_every=100, **fields), tmp_path)
    losses = [line["loss"] for line in records(tmp_path, "train")]
    assert max(losses[5:]) < 0.5 * losses[0]


def test_a_non_finite_loss_stops_and_keeps_the_last_checkpoint(tiny, tmp_path):
    config = tiny(steps=10, checkpoint_every=1, log_every=5, **{"optimizer.learning_rate": 1e30})
    with pytest.raises(NonFiniteLoss, match=r"not finite at step (\d+); .*learning_rate"):
        train(config, tmp_path)
    checkpoints = Checkpoints(tmp_path)
    kept = checkpoints.latest
    assert kept is not None and kept < 10


def test_a_finished_run_is_left_alone(tiny, tmp_path):
    train(tiny(), tmp_path)
    before = weights(tmp_path)
    assert train(tiny(), tmp_path).step == 4
    after = weights(tmp_path)
    assert all((before[name] == after[name]).all() for name in before)


@pytest.mark.slow
def test_more_steps_go_on(tiny, tmp_path, capsys):
    train(tiny(), tmp_path)
    assert train(tiny(steps=6), tmp_path).step == 6
    assert "steps changes from 4 to 6" in capsys.readouterr().out


@pytest.mark.slow
def test_initial_weights_come_from_a_relative(tiny, tmp_path):
    train(tiny("fsrcnn", "x3"), tmp_path / "x3")
    file = str(tmp_path / "x3" / "model.safetensors")
    params = taken_from(file, initial_variables(model_spec("fsrcnn").module(2), seed=5), scale=2)
    given = load(tmp_path / "x3").params
    assert jax.tree.all(jax.tree.map(lambda a, b: bool((np.asarray(a) == b).all()), params["params"], dict(given)))


def test_the_name_of_a_network_stands_for_its_weights_at_the_scale_of_the_run(capsys):
    taken = taken_from("espcn", initial_variables(model_spec("espcn").module(3), seed=5), scale=3)
    assert "6 of 6 parameter arrays start from espcn" in capsys.readouterr().out
    np.testing.assert_array_equal(taken["params"]["conv3"]["kernel"], load("espcn-x3").params["conv3"]["kernel"])


@pytest.mark.slow
@pytest.mark.parametrize(("warmup", "warned"), [(4, []), (8, ["schedule.warmup=8 is longer than the 4 updates"])])
def test_a_warm_up_that_does_not_end_is_named(warmup, warned, tiny, tmp_path, caplog):
    train(tiny(steps=4, **{"schedule.warmup": warmup, "optimizer.learning_rate": 0.02}), tmp_path)
    lines = [record.getMessage() for record in caplog.records if "warmup" in record.getMessage()]
    assert [line.partition(" of the run")[0] for line in lines] == warned
    assert all("ends at 0.01, not 0.02; set --config.schedule.warmup" in line for line in lines)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["photos", "others"])
def test_photos_that_are_both_trained_on_and_scored_are_named(name, tiny, photos, tmp_path, caplog):
    shutil.copytree(photos, tmp_path / "others")
    (tmp_path / "photos").symlink_to(photos)
    data = {"data.train": f"samples, {photos}", "data.validation": str(tmp_path / name)}
    train(tiny(steps=1, **data), tmp_path / "run")
    assert (f"data.validation={tmp_path / name} is trained on too" in caplog.text) == (name == "photos")


def test_sigterm_saves_and_leaves(tiny, tmp_path):
    def later():
        while not (tmp_path / "metrics.jsonl").exists() or not (tmp_path / "metrics.jsonl").read_text():
            time.sleep(0.02)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=later, daemon=True).start()
    step = train(tiny(steps=100_000, validate_every=100_000, checkpoint_every=100_000), tmp_path).step
    assert 2 <= step < 100_000
    assert Checkpoints(tmp_path).latest == step
