"""What SRNTT learns from: crops and their references' crops, where they match, and the maps made of that."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image

from jaxsr.devices import processes
from jaxsr.models import model_spec
from jaxsr.models.srntt import FACTORS
from jaxsr.models.vgg import VGG19
from jaxsr.support.errors import UserError
from jaxsr.training.feeds import reference_feed
from jaxsr.training.feeds.reference_feed import ReferenceCrops, load_examples, reference_corner
from jaxsr.training.loop import train
from jaxsr.training.objectives.objective import make_losses
from jaxsr.training.objectives.vgg_features import make_swap, swap_batch
from jaxsr.training.tasks.reference_task import crop_size, make_batch, open_feed
from tests.helpers.dan_cases import assert_close

SPEC = model_spec("srntt")


@pytest.fixture
def config(tiny):
    return tiny("srntt", "full")


@pytest.mark.slow
def test_crops_lie_side_by_side_with_every_reference(config):
    examples = load_examples(config, 32)
    assert len(examples.hr) == 3 * 2 * (64 // 32) * (70 // 32)
    assert examples.hr.shape == examples.reference.shape == (len(examples.hr), 32, 32, 3)
    assert examples.positions.shape[1:] == (6, 6, 3) and examples.similarity.shape[1:] == (6, 6)
    config.data.reference_level = "1"
    assert len(load_examples(config, 32).hr) == len(examples.hr) // 2


def test_the_reference_is_cut_where_the_crop_matches():
    """A photo matched with itself 8 pixels of relu3_1 further down and 4 to the right."""
    row, column = np.mgrid[:30, :40]
    positions = np.stack([np.zeros_like(row), row + 8, column + 4], axis=-1)
    assert reference_corner(positions, (16, 32), 32, (400, 400)) == (16 + 32 - 2, 32 + 16 - 2)
    assert reference_corner(positions, (16, 32), 32, (60, 70)) == (28, 38)  # inside the reference


@pytest.mark.slow
def test_batches_follow_the_seed_and_resume(config):
    devices = jax.local_devices()
    feed, again = (open_feed(config, crop_size(config, SPEC), devices) for _ in range(2))
    first, second = feed.data(1), feed.data(1)
    assert feed.position() == 2 and first.hr.shape[:3] == (4, 1, 1)
    assert not all(np.array_equal(*pair) for pair in zip(first, second, strict=True))
    again.seek(1)
    jax.tree.map(np.testing.assert_array_equal, again.data(1), second)


def test_processes_share_a_batch(config, monkeypatch):
    """Their parts put together are the batch of one, whose devices come in the same order."""
    devices, examples = jax.local_devices(), load_examples(config, 32)
    monkeypatch.setattr(reference_feed, "load_examples", lambda *_: examples)
    whole, parts = open_feed(config, crop_size(config, SPEC), devices).data(1), []
    for index in range(2):
        monkeypatch.setattr(processes, "count", lambda: 2)
        monkeypatch.setattr(processes, "index", lambda index=index: index)
        parts.append(open_feed(config, crop_size(config, SPEC), devices[:2]).data(1))
    jax.tree.map(lambda all_, *each: np.testing.assert_array_equal(all_, np.concatenate(each)), whole, *parts)


def test_places_are_kept_unless_weights_are_random(config, tmp_path, monkeypatch):
    monkeypatch.setattr(reference_feed, "cache_folder", lambda: tmp_path)
    load_examples(config, 32)
    assert not (tmp_path / "matches").exists()
    weights = load_vgg_random(config)
    monkeypatch.setattr(reference_feed, "load_vgg", lambda *_, **__: weights)
    config.perceptual.weights = "vgg19.pth"
    first = load_examples(config, 32)
    monkeypatch.setattr(reference_feed, "match_shared", None)  # not called again
    jax.tree.map(np.testing.assert_array_equal, load_examples(config, 32), first)


def load_vgg_random(config):
    return reference_feed.load_vgg([reference_feed.MATCHED], "random", key=jax.random.key(config.seed))


def test_photos_are_made_small_by_pillow_as_those_of_the_test_set_are(config):
    hr = np.random.default_rng(0).integers(0, 256, (1, 32, 32, 3), dtype=np.uint8)
    batch = make_batch(config, SPEC, ReferenceCrops(hr, hr, *np.zeros((2, 1))), jax.random.split(jax.random.key(0), 1))
    expected = Image.fromarray(hr[0]).resize((8, 8), Image.Resampling.BICUBIC)
    np.testing.assert_array_equal(np.rint(batch[4].lr[0] * 255), np.asarray(expected))


@pytest.mark.slow
@pytest.mark.parametrize("share", [0.0, 1.0])
def test_maps_are_the_references_or_the_truth(share, config):
    config.data.hr_reference_share = share
    auxiliary = make_losses(config).auxiliary
    assert auxiliary.features is not None
    vgg_params, swap_features = auxiliary.features.params, make_swap(auxiliary.features, share)
    chosen = jax.tree.map(lambda leaf: leaf[:2], load_examples(config, 32))
    keys = jax.random.split(jax.random.key(0), 2)
    batch = make_batch(config, SPEC, ReferenceCrops(*map(jnp.asarray, chosen)), keys)[4]
    assert batch.lr.shape == (2, 8, 8, 3)
    assert batch.positions is not None and batch.reference is not None
    maps = jax.jit(swap_features)(vgg_params, batch, keys)
    photos = batch.hr if share else batch.reference
    network = VGG19(tuple(FACTORS), (0.0, 1.0))
    given = jax.jit(network.apply)({"params": vgg_params}, photos)
    for (layer, factor), found in zip(FACTORS.items(), maps, strict=True):
        expected = given[layer] if share else swap_batch(batch.positions, given[layer], factor)
        assert_close(found, expected, 1e-4)
    if share:
        loss, metrics = jax.jit(lambda *arguments: auxiliary(*arguments))(vgg_params, batch.hr, batch, maps)
        assert float(loss) < 1e-8 and {"perceptual", "texture"} <= metrics.keys()
        assert (
            float(
                jax.jit(lambda *arguments: auxiliary(*arguments))(vgg_params, batch.hr[::-1], batch, maps)[1]["texture"]
            )
            > 0
        )


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"data.references": ""}, r"srntt with data.references='': folders of photos with references are for srntt"),
        ({"model.options.alone": True}, "set --config.data.references or --config.model.options.alone"),
        (
            {"data.augment": True},
            "data.augment=True does not apply to task='reference'.*; set --config.data.augment=False",
        ),
        ({"data.stretch": 0.5}, r"data.stretch=0.5 does not apply to .*; set --config.data.stretch=0.0"),
        ({"data.crops": 2}, "data.crops=2 does not apply"),
        ({"data.quantize_lr": True}, "data.quantize_lr=True does not apply"),
        ({"data.hr_reference_share": 1.5}, r"data.hr_reference_share=1.5 must lie in \[0, 1\]"),
        pytest.param(
            {"data.reference_level": "7"},
            "has no reference of level '7'; choose one of: 1, 2, all",
            marks=pytest.mark.slow,
        ),
        pytest.param(
            {"data.patch": 100},
            "and its reference have 400 pixels a side; use larger photos or a smaller",
            marks=pytest.mark.slow,
        ),
    ],
)
def test_what_cannot_be_trained_is_refused_before_the_work(fields, message, config, tmp_path):
    config.update_from_flattened_dict(fields)
    with pytest.raises(UserError, match=message):
        train(config, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_reference_that_is_the_photo_itself_is_refused(config, references, tmp_path):
    folder = tmp_path / "photos"
    for kind in ("hr", "ref1"):
        (folder / kind).mkdir(parents=True)
        (folder / kind / "a.png").write_bytes((references / "hr" / "photo0.png").read_bytes())
    config.data.references = str(folder)
    with pytest.raises(UserError, match=r"ref1/a.png is the sharp photo itself; give another photo"):
        load_examples(config, 32)
