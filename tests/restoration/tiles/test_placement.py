"""Few tiles for all photos of a folder: as few programs, and the same photos as on one device."""

import dataclasses
import pickle

import jax
import numpy as np
import pytest

from jaxsr.data.images import Photo, read_pixels, write_photo
from jaxsr.evaluation.folder_scores import ScoreOptions, score_files
from jaxsr.evaluation.sources import pair_files
from jaxsr.restoration.photo_files import restore_files
from jaxsr.restoration.tiles import placement
from jaxsr.restoration.tiles.placement import TileCache
from jaxsr.restoration.tiles.tile_sharing import shared_tiles
from jaxsr.weights import load
from tests.helpers.devices import compilations, only
from tests.helpers.photos import photo
from tests.helpers.tiles import enlarge

SIZES = ((120, 100), (86, 120), (93, 79), (250, 160), (74, 64), (64, 82))  # the last fit small tiles alone


@pytest.fixture
def compiled():
    """Return the list, which grows, of the programs that are compiled."""
    found = []
    with compilations(found.append):
        yield found


@pytest.fixture
def photos(tmp_path):
    """Return the files of photos of SIZES, one of them with alpha."""
    paths = [tmp_path / "photos" / f"{i}.png" for i in range(len(SIZES))]
    for path, size in zip(paths, SIZES, strict=True):
        write_photo(path, Photo(photo(*size), photo(*size, 1)))
    return paths


def test_one_tile_serves_photos_of_a_kind():
    (tile,) = shared_tiles(SIZES, 9, None, 1)
    assert all(tile[0] <= height and tile[1] <= width for height, width in SIZES)
    assert tile == (64, 64)
    assert shared_tiles(((100, 120),), 9, None, 1) == [] == shared_tiles((), 9, None, 1)


def test_a_small_photo_slows_no_large_ones_down():
    large = ((4000, 6000), (3000, 4000))
    assert shared_tiles(large, 9, None, 1) == [(256, 256)]
    tiles = shared_tiles((*large, (40, 50), (50, 40)), 9, None, 1)
    assert sorted(tiles) == [(32, 32), (256, 256)]


def test_tiny_photos_are_tiles_of_themselves():
    """Whatever other photos have; a tile of a tiny one has no inside to cover larger ones with."""
    model, cache = load("fsrcnn-x2"), TileCache()
    for size in ((14, 20), (60, 50), (14, 60)):
        pixels = photo(*size)
        expected = enlarge(model, pixels, tile=None)
        np.testing.assert_allclose(np.int32(enlarge(model, pixels, cache=cache)), expected, atol=1)
    assert [list(each) for each in cache.tiles.values()] == [[(14, 20), (48, 48), (14, 48)]]


@pytest.mark.parametrize("name", ["fsrcnn-x2", "espcn-x3"])
def test_nothing_is_compiled_behind_the_first_photo(name, photos, compiled, tmp_path):
    """Restored, with alpha, and scored; neither sizes nor photos under a tile change anything."""
    model, cache = load(name), TileCache(SIZES)
    for i, path in enumerate(photos):
        assert not restore_files(model, {path: tmp_path / "out" / path.name}, cache=cache)
        if i == 0:
            first = len(compiled)
    assert len(compiled) == first, compiled[first:]
    assert cache.programs == 2  # the network's and alpha's


def test_evaluation_compiles_one_tile(photos, compiled, tmp_path):
    files = pair_files(tmp_path / "photos", None, 2)
    scores, failures = score_files(load("fsrcnn-x2"), files, ScoreOptions(["y8"]))
    assert not failures and len(scores["y8"].rows) == len(SIZES)
    assert compiled.count("jit(run_tiles)") == 1, compiled


def test_one_device_restores_as_four(photos, tmp_path):
    for count in (4, 1):
        cache = TileCache(SIZES)
        with only(count):
            for path in photos:
                restore_files(load("fsrcnn-x2"), {path: tmp_path / str(count) / path.name}, cache=cache)
        assert {shared for each in cache.tiles.values() for shared in each.values()} == {count}
    for path in photos:
        one, four = (np.int32(read_pixels(tmp_path / str(count) / path.name)) for count in (1, 4))
        np.testing.assert_allclose(one, four, atol=1)


def test_weights_are_folded_and_brought_to_devices_once(monkeypatch):
    """For all photos of a model; other weights of the same network replace them."""
    model, other, cache, placed = load("fsrcnn-x2"), load("fsrcnn-x2"), TileCache(), []
    original = placement.place_replicated
    monkeypatch.setattr(placement, "place_replicated", lambda *each: placed.append(each) or original(*each))
    pixels = photo(48, 60)
    expected = enlarge(model, pixels, cache=cache)
    np.testing.assert_array_equal(enlarge(model, pixels, cache=cache), expected)
    assert len(placed) == 1
    changed = dataclasses.replace(other, variables=jax.tree.map(lambda x: 0 * x, other.variables))
    assert not np.array_equal(enlarge(changed, pixels, cache=cache), expected) and len(placed) == 2
    np.testing.assert_array_equal(enlarge(model, pixels, cache=cache), expected)


def test_a_cache_goes_to_another_process_without_what_belongs_to_this_one():
    cache = TileCache([(5, 6)], share=0.25)
    cache.tiles["program"] = {(64, 64): 1}
    copy = pickle.loads(pickle.dumps(cache))
    assert (copy.sizes, copy.share, copy.programs) == ([(5, 6)], 0.25, 0)
    with copy.lock:
        assert not cache.lock.locked()
