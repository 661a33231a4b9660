"""Tiled equals untiled, chroma is bicubic, few programs are compiled, nothing broken passes."""

import dataclasses

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxsr.imaging.color import luma, rgb_to_ycbcr
from jaxsr.imaging.resize import resize
from jaxsr.models import MODELS, Model, ModelSpec, initial_shapes
from jaxsr.restoration.tiles.placement import TileCache, context
from jaxsr.restoration.tiles.program import run_tiles
from jaxsr.support.errors import UserError
from tests.helpers.networks import lively, network
from tests.helpers.photos import photo
from tests.helpers.tiles import enlarge

NETWORKS = [
    ("bicubic", 3, {}),
    ("srcnn", 2, {"kernel_sizes": (9, 1, 5)}),
    ("srcnn", 3, {"padding": "zero"}),
    ("fsrcnn", 2, {}),
    ("fsrcnn", 4, {"mapping_layers": 1}),
    ("espcn", 3, {}),
    ("espcn", 2, {"channels": 3}),
]


@pytest.mark.parametrize(("name", "scale", "options"), NETWORKS)
@pytest.mark.parametrize("size", [(61, 90), pytest.param((48, 49), marks=pytest.mark.slow), (20, 75)])
def test_tiled_equals_untiled(name, scale, options, size):
    model, pixels = network(name, scale, **options), photo(*size)
    whole = enlarge(model, pixels, tile=None, quantize=False)
    tiled = enlarge(model, pixels, tile=48, quantize=False)
    assert whole.shape == (scale * size[0], scale * size[1], 3)
    np.testing.assert_allclose(tiled, whole, atol=2e-5)
    levels = [enlarge(model, pixels, tile=tile).astype(int) for tile in (None, 48)]
    assert np.abs(levels[0] - levels[1]).max() <= 1


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("channels", [1, 3])
def test_kinds_of_pixels(dtype, channels):
    model, pixels = network("espcn", 2), photo(30, 34, channels, dtype)
    exact = enlarge(model, pixels, quantize=False)
    result = enlarge(model, pixels)
    assert result.dtype == dtype and result.shape == (60, 68, channels)
    levels = np.iinfo(dtype).max if np.issubdtype(dtype, np.integer) else 1
    expected = np.clip(exact.astype(float), 0, 1) * levels
    np.testing.assert_allclose(
        result, np.floor(expected + 0.5) if levels > 1 else expected, atol=1.0 if levels > 1 else 0
    )


def test_luma_networks_leave_chroma_to_bicubic():
    model, pixels = network("fsrcnn", 3), photo(40, 33)
    result = enlarge(model, pixels, quantize=False)
    chroma = resize(rgb_to_ycbcr(pixels / 255)[..., 1:], 3)
    np.testing.assert_allclose(rgb_to_ycbcr(result)[..., 1:], chroma, atol=2e-5)
    x = jnp.asarray(luma(pixels / 255)[None], jnp.float32)
    np.testing.assert_allclose(luma(result), model.apply(x)[0], atol=2e-5)


def test_a_grey_photo_is_its_own_luma():
    model, pixels = network("fsrcnn", 2), photo(20, 31, 1)
    expected = model.apply(jnp.asarray(pixels[None] / 255, jnp.float32))[0]
    np.testing.assert_allclose(enlarge(model, pixels, quantize=False), expected, atol=1e-5)


def test_a_colour_network_takes_grey_photos():
    model, pixels = network("espcn", 2, channels=3), photo(20, 31, 1)
    expected = model.apply(jnp.asarray(np.repeat(pixels, 3, -1)[None] / 255, jnp.float32))[0].mean(-1, keepdims=True)
    np.testing.assert_allclose(enlarge(model, pixels, quantize=False), expected, atol=1e-5)


def test_the_ensemble_is_the_mean_over_eight_turns():
    model, pixels = network("espcn", 2), photo(21, 30, 1)
    total = np.zeros((42, 60))
    for turns in range(4):
        for flip in (False, True):
            turned = np.rot90(pixels, turns)[:, ::-1] if flip else np.rot90(pixels, turns)
            y = enlarge(model, np.ascontiguousarray(turned), quantize=False)[..., 0]
            total += np.rot90(y[:, ::-1] if flip else y, -turns)
    np.testing.assert_allclose(enlarge(model, pixels, quantize=False, ensemble=True)[..., 0], total / 8, atol=2e-5)


@pytest.mark.slow
def test_photos_of_many_sizes_share_one_program_and_so_do_new_weights():
    model = network("espcn", 4)
    enlarge(model, photo(752, 752))
    before = run_tiles._cache_size()
    for size in ((1000, 740), (990, 1248)):
        enlarge(model, photo(*size))
    other = dataclasses.replace(model, variables=lively(model.module, seed=3))
    enlarge(other, photo(752, 1000))
    assert run_tiles._cache_size() == before


@pytest.mark.slow
def test_photos_of_a_folder_share_the_first_ones_program():
    """Of all sizes down to the first tile, and on as many devices; what comes out does not change."""
    model, cache = network("espcn", 2), TileCache()
    pixels = [photo(*size) for size in ((200, 300), (256, 256), (512, 380), (201, 1000), (199, 193), (700, 260))]
    alone = [enlarge(model, each) for each in pixels]
    enlarge(model, pixels[0], cache=cache)
    before = run_tiles._cache_size()
    for each, expected in zip(pixels, alone, strict=True):
        np.testing.assert_allclose(np.int32(enlarge(model, each, cache=cache)), expected, atol=1)
    assert run_tiles._cache_size() == before and cache.programs == 1
    enlarge(model, photo(64, 64), cache=cache)  # too small for it
    assert cache.programs == 2


class Strided(nn.Module):
    """A stand-in on [-1, 1] that needs sides in fours and sees the whole photo."""

    channels: int = 3

    @nn.compact
    def __call__(self, x):
        """Return `x` plus its mean over the photo, through a 4x4 shuffle and back."""
        n, h, w, c = x.shape
        blocks = x.reshape(n, h // 4, 4, w // 4, 4, c)
        return blocks.reshape(n, h, w, c) + 0.0 * x.mean()


def test_multiples_ranges_and_whole_photos():
    spec = ModelSpec(
        "strided", "", Strided, (1,), lambda net: None, {}, value_range=(-1.0, 1.0), multiple_of=4, minimum=8
    )
    model, pixels = Model(spec, Strided(), 1, {}), photo(21, 34)
    assert context(model) is None
    np.testing.assert_array_equal(enlarge(model, pixels), pixels)
    with pytest.raises(UserError, match="34x7 pixels is too small for strided, which takes at least 8x8"):
        enlarge(model, pixels[:7])


@pytest.mark.parametrize("tile", ["auto", 48])
def test_non_finite_results_are_never_written(tile):
    model, pixels = network("espcn", 2), photo(60, 60)
    broken = jax.tree.map(lambda x: x.at[0].set(jnp.nan), model.variables)
    with pytest.raises(UserError, match="espcn-x2 gave non-finite values in rows 0 to .*use another weight file"):
        enlarge(dataclasses.replace(model, variables=broken), pixels, tile=tile)


def test_progress_counts_the_tiles():
    calls = []
    enlarge(network("espcn", 2), photo(60, 60), tile=32, progress=lambda done, total: calls.append((done, total)))
    assert calls == [(i + 1, len(calls)) for i in range(len(calls))] and len(calls) == 9


@pytest.mark.slow
def test_tiles_of_a_network_that_normalizes_by_the_whole_photo_warn(caplog):
    model, pixels = network("deblurgan", 1, features=4, blocks=1), photo(90, 83)
    whole = enlarge(model, pixels, quantize=False)
    assert whole.shape == (90, 83, 3) and not caplog.records
    np.testing.assert_array_equal(enlarge(model, pixels, tile=96, quantize=False), whole)  # one tile
    assert not caplog.records
    tiled = enlarge(model, pixels, tile=72, quantize=False)
    assert len(caplog.records) == 1 and "tile=72: deblurgan normalizes by the whole photo" in caplog.text
    assert 1e-4 < np.abs(tiled - whole).mean() < 0.1
    with pytest.raises(UserError, match="tile=48 is too small for a network that sees 24 pixels far; use at least 72"):
        enlarge(model, pixels, tile=48)


def test_a_network_that_sees_the_whole_photo_takes_no_tiles():
    module = MODELS["danv1"].module(2, features=4, blocks=1, estimator_features=4, estimator_blocks=1)
    variables = jax.tree.map(lambda x: np.zeros(x.shape, np.float32), initial_shapes(module))
    model = Model(MODELS["danv1"], module, 2, variables)
    assert enlarge(model, np.zeros((9, 8, 3), np.uint8)).shape == (18, 16, 3)
    with pytest.raises(UserError, match="tile=64: danv1-x2 sees the whole photo at every pixel; leave the tile out"):
        enlarge(model, np.zeros((9, 8, 3), np.uint8), tile=64)
