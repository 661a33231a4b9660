"""Accelerators take whole photos, or large tiles that they cut themselves; CPU devices stand in for them here."""

import numpy as np
import pytest
from jax.errors import JaxRuntimeError

from jaxsr.restoration.tiles import limits, tiled_photos, tiled_run
from jaxsr.restoration.tiles.limits import CPU_LIMITS, tile_limits
from jaxsr.restoration.tiles.placement import TileCache
from jaxsr.restoration.tiles.tiled_photos import apply_tiled, photos_per_batch
from tests.helpers.devices import only
from tests.helpers.networks import REDUCED, network
from tests.helpers.photos import photo
from tests.helpers.tiles import enlarge, enlarge_with_extras

PLENTY = 1e12  # bytes


@pytest.fixture
def accelerator(monkeypatch):
    """Return a function that makes an accelerator of CPU devices, which takes so many pixels at once."""

    def make(pixels: int, memory: float = PLENTY):
        for module in (limits, tiled_photos):
            monkeypatch.setattr(module, "on_accelerator", lambda: True)
        monkeypatch.setattr(limits, "free_memory", lambda device: memory)
        monkeypatch.setattr(limits, "MAX_PIXELS", pixels)

    return make


def test_a_cpu_has_its_own_limits():
    spec = network("espcn", 2).forward_spec()
    assert tile_limits(spec, ensemble=False, share=0.5) is CPU_LIMITS
    assert CPU_LIMITS.largest_side is None and not CPU_LIMITS.holds(1, 1) and CPU_LIMITS.tiles_at_once(9, 9) == 1


def test_a_photo_that_fits_is_one_tile(accelerator):
    accelerator(1 << 20)
    model, pixels, cache = network("vdsr", 3, **REDUCED["vdsr"]), photo(90, 97), TileCache()
    calls = []
    result, _ = enlarge_with_extras(model, pixels, cache=cache, progress=lambda done, total: calls.append(total))
    assert calls == [1] and [list(each) for each in cache.tiles.values()] == [[(90, 97)]]
    np.testing.assert_array_equal(result, enlarge(model, pixels, tile=None))


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
@pytest.mark.parametrize("count", [1, 4])
def test_a_photo_of_several_tiles_is_as_on_a_cpu(count, dtype, accelerator):
    """One device cuts them itself and puts them together; several share them."""
    model, pixels = network("espcn", 2), photo(150, 83, 3, dtype)
    expected = enlarge(model, pixels, tile=None)
    accelerator(64 * 64)
    with only(count):
        result = enlarge(model, pixels)
    assert result.dtype == dtype and result.flags.writeable
    np.testing.assert_allclose(np.float64(result), expected, atol=1 if dtype == np.uint8 else 2e-5)


def test_tiles_are_taken_several_at_once(accelerator):
    accelerator(3 * 48 * 48)
    model, cache, photos = network("espcn", 2), TileCache(), [photo(100, 83), photo(100, 83)]
    expected = [enlarge(model, each, tile=48, quantize=False) for each in photos]
    with only(1):
        options = tiled_run.RestoreOptions(tile=48, quantize=False)
        results = apply_tiled(model, photos, options, cache=cache)
    (tiles,) = cache.tiles.values()
    ((tile, together),) = tiles.items()
    assert tile == (48, 48) and together == 3
    for (result, _), exact in zip(results, expected, strict=True):
        np.testing.assert_allclose(result, exact, atol=2e-5)


def test_photos_of_a_folder_share_a_program_where_compiling_is_dear(accelerator):
    accelerator(1 << 20)
    sizes = [(80, 100), (90, 85), (101, 88), (120, 80)]
    model, cache = network("espcn", 2), TileCache(sizes)
    for size in sizes:
        pixels = photo(*size)
        np.testing.assert_allclose(np.int32(enlarge(model, pixels, cache=cache)), enlarge(model, pixels), atol=1)
    assert cache.programs == 1


def test_memory_bounds_what_is_taken_at_once(accelerator):
    accelerator(1 << 22)
    spec = network("espcn", 2).forward_spec()
    plenty = tile_limits(spec, ensemble=False, share=0.5)
    assert plenty.at_once == 1 << 22
    accelerator(1 << 22, memory=1e9)
    less, ensemble = (tile_limits(spec, ensemble=each, share=0.5).at_once for each in (False, True))
    assert less == pytest.approx(0.5e9 / (6 * 4 * 64), rel=0.02)  # ESPCN's first map has 64 channels
    assert ensemble == pytest.approx(less / 4, abs=1)
    with only(1):
        assert photos_per_batch(network("espcn", 2), (40, 40), "auto", TileCache()) == limits.MAX_PHOTOS


def test_smaller_tiles_are_tried_when_memory_does_not_suffice(accelerator, monkeypatch):
    accelerator(1 << 20, memory=6 * 4 * 64 * 2 * 150 * 150)
    model, pixels, shapes = network("espcn", 2), photo(140, 130), []
    expected, original = enlarge(model, pixels, tile=64), tiled_run.run_tiles

    def exhausted(spec, mesh, variables, tiles, inputs=()):
        shapes.append(tiles.shape[1:3])
        if shapes[-1] == (140, 130):
            raise JaxRuntimeError("RESOURCE_EXHAUSTED: Out of memory while trying to allocate")
        return original(spec, mesh, variables, tiles, inputs)

    monkeypatch.setattr(tiled_run, "run_tiles", exhausted)
    np.testing.assert_allclose(np.int32(enlarge(model, pixels)), expected, atol=1)
    assert shapes[0] == (140, 130) and all(max(shape) < 100 for shape in shapes[1:])


@pytest.mark.slow
def test_whole_photos_keep_what_the_network_returns_beside_them(accelerator):
    """Several at once, with one left over."""
    accelerator(2 * 12 * 14)
    model, photos = network("danv2", 2, **REDUCED["danv2"]), [photo(12, 14) for _ in range(3)]
    with only(1):
        results = apply_tiled(model, photos)
    for pixels, (image, extras) in zip(photos, results, strict=True):
        expected, beside = enlarge_with_extras(model, pixels)
        np.testing.assert_allclose(np.int32(image), expected, atol=1)
        np.testing.assert_allclose(extras["kernels"], beside["kernels"], atol=1e-4)
