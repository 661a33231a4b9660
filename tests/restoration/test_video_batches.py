"""Batches of a video's frames: one program, several tiles at once, smaller tiles where memory is short, bounds."""

import av
import jax
import numpy as np
import pytest
from jax.errors import JaxRuntimeError

from jaxsr.data.videos.video_reader import Frame
from jaxsr.restoration.options import RestoreOptions
from jaxsr.restoration.photo import restore_pixels
from jaxsr.restoration.tiles import tiled_photos
from jaxsr.restoration.tiles.placement import TileCache
from jaxsr.restoration.tiles.tiled_run import TiledRun
from jaxsr.restoration.video import batch_size, restore_items
from tests.helpers.devices import compilations
from tests.helpers.networks import REDUCED, network
from tests.helpers.photos import photo

MODEL = network("espcn", 2, **REDUCED["espcn"])


def noise(count):
    return [photo(24, 32, seed=seed) for seed in range(count)]


def test_one_program_serves_all_batches():
    """17 frames in batches of 4: the last is shorter. Packets between frames keep their places."""
    frames = [Frame(pixels, i, 1) for i, pixels in enumerate(noise(17))]
    packet = av.Packet(3)
    items = [packet, *frames[:6], packet, *frames[6:], packet]
    cache, compiled = TileCache(), []
    restored = list(restore_items(MODEL, items[:9], RestoreOptions(), 4, cache))
    with compilations(compiled.append):
        restored = list(restore_items(MODEL, items, RestoreOptions(), 4, cache))
    assert cache.programs == 1 and compiled == []
    assert [i for i, item in enumerate(restored) if item is packet] == [0, 7, 19]
    assert [item.time for item in restored if isinstance(item, Frame)] == list(range(17))
    expected = restore_pixels(MODEL, frames[16].pixels)[0]
    np.testing.assert_array_equal(restored[18].pixels, expected)


def test_accelerators_take_several_tiles_at_once(monkeypatch):
    """Also where the last group lacks some: frames are the same."""
    frames = [Frame(pixels, i, 1) for i, pixels in enumerate(noise(11))]
    alone = list(restore_items(MODEL, frames, RestoreOptions(), 5, TileCache()))
    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    cache = TileCache()
    together = list(restore_items(MODEL, frames, RestoreOptions(), 5, cache))
    assert cache.programs == 1
    for one, other in zip(alone, together, strict=True):
        assert one.time == other.time
        np.testing.assert_allclose(other.pixels.astype(int), one.pixels, atol=1)


def test_smaller_tiles_are_tried_when_memory_does_not_suffice(monkeypatch):
    """The batch that failed and the one begun after it are restored again; no frame is lost or comes twice."""
    packet = av.Packet(3)
    items = [*(Frame(pixels, i, 1) for i, pixels in enumerate(noise(9))), packet]
    expected = list(restore_items(MODEL, items, RestoreOptions(), 2, TileCache()))
    cache, collect, calls = TileCache(), TiledRun.collect, []

    def exhausted(run, group, results):
        calls.append(group)
        if len(calls) == 3:
            raise JaxRuntimeError("RESOURCE_EXHAUSTED: Out of memory while trying to allocate")
        collect(run, group, results)

    monkeypatch.setattr(TiledRun, "collect", exhausted)
    with pytest.raises(JaxRuntimeError):
        list(restore_items(MODEL, items, RestoreOptions(), 2, cache))
    calls.clear()
    monkeypatch.setattr(tiled_photos, "on_accelerator", lambda: True)
    restored = list(restore_items(MODEL, items, RestoreOptions(), 2, cache))
    assert cache.share < TileCache().share and len(restored) == len(items) and restored[-1] is packet
    for one, other in zip(restored[:-1], expected[:-1], strict=True):
        assert one.time == other.time
        np.testing.assert_array_equal(one.pixels, other.pixels)


def test_batches_are_bounded():
    assert batch_size(100) == 16
    assert batch_size(1440 * 810) == 3
    assert batch_size(10**9) == 1
