"""Folders of small photos: as many at once as there are devices, each as if it were alone."""

import numpy as np
import pytest
from PIL.ImageCms import ImageCmsProfile, createProfile

from jaxsr.data.images import Photo, photo_size, read_photo, write_photo
from jaxsr.restoration.options import RestoreOptions
from jaxsr.restoration.photo import without_hidden_colours
from jaxsr.restoration.photo_files import batches_of_photos, restore_files, write_rounds
from jaxsr.restoration.saving import SaveOptions
from jaxsr.restoration.tiles.placement import TileCache
from jaxsr.restoration.tiles.tiled_photos import apply_tiled, photos_per_batch
from jaxsr.support.errors import UserError
from jaxsr.weights import load
from tests.helpers.devices import compilations, only
from tests.helpers.networks import network
from tests.helpers.photos import photo
from tests.helpers.tiles import enlarge, enlarge_with_extras
from tests.helpers.training import REDUCED

MODEL = load("fsrcnn-x2")


@pytest.fixture
def files(tmp_path):
    """Return files of five colour photos of a size, a grey and a transparent one of it, a larger and a broken one."""
    photos = {f"{i}": Photo(photo(20, 22, seed=i)) for i in range(5)}
    photos |= {"grey": Photo(photo(20, 22, 1)), "large": Photo(photo(200, 180))}
    photos |= {"see through": Photo(photo(20, 22, seed=7), photo(20, 22, 1))}
    for name, each in photos.items():
        write_photo(tmp_path / f"{name}.png", each)
    (tmp_path / "broken.png").write_bytes((tmp_path / "0.png").read_bytes()[:300])
    return sorted(tmp_path.iterdir())


def names(batches):
    return [[path.stem for path in batch] for batch in batches]


def test_groups_occupy_the_devices(files):
    """In the order of their first photos; a photo of several tiles has all devices for itself."""
    sizes = {path: photo_size(path) for path in files}
    groups = batches_of_photos(MODEL, sizes, "auto", TileCache())
    assert names(groups) == [["0", "1", "2", "3"], ["4", "broken", "grey", "see through"], ["large"]]
    with only(1):
        assert [len(group) for group in batches_of_photos(MODEL, sizes, "auto", TileCache())] == [1] * 9


@pytest.mark.slow
def test_how_many_photos_leave_no_device_idle():
    cache = TileCache()
    assert photos_per_batch(MODEL, (20, 22), "auto", cache) == 4
    assert photos_per_batch(MODEL, (200, 22), 120, cache) == 2  # two tiles each
    assert photos_per_batch(MODEL, (500, 600), "auto", cache) == 1
    whole = network("danv2", 2, **REDUCED["danv2"])
    assert [photos_per_batch(whole, size, "auto", cache) for size in ((20, 22), (48, 90), (96, 90))] == [
        4,
        2,
        1,
    ]  # rows shared
    assert not cache.tiles


def test_a_group_is_restored_as_each_alone(files, tmp_path):
    """One program for those of a kind; what is broken fails alone."""
    outputs = {path: tmp_path / "out" / path.name for path in files if path.stem != "large"}
    compiled, cache = [], TileCache()
    with compilations(compiled.append):
        failures = restore_files(MODEL, outputs, cache=cache)
    assert [path.stem for path in failures] == ["broken"] and "broken.png: unreadable" in "".join(failures.values())
    assert compiled.count("jit(run_tiles)") == 3  # colours, grey, alpha
    assert {(20, 22): 4} in cache.tiles.values()  # the tile of the colours, and how many devices share them
    assert {path.name for path in (tmp_path / "out").iterdir()} == {path.name for path in outputs} - {"broken.png"}
    for path in outputs.keys() - failures.keys():
        original, result = without_hidden_colours(read_photo(path)), read_photo(outputs[path])
        np.testing.assert_allclose(np.int32(result.pixels), enlarge(MODEL, original.pixels), atol=1)
        assert (result.alpha is None) == (original.alpha is None)


@pytest.mark.slow
def test_what_is_found_belongs_to_its_photo():
    model = network("danv2", 2, **REDUCED["danv2"])
    photos = [photo(20, 22, seed=i) for i in range(3)]
    for pixels, result in zip(photos, apply_tiled(model, photos, RestoreOptions(quantize=False)), strict=True):
        assert isinstance(result, tuple)
        alone, extras = enlarge_with_extras(model, pixels, quantize=False)
        np.testing.assert_allclose(result[0], alone, rtol=1e-4, atol=1e-4)
        np.testing.assert_allclose(result[1]["kernels"], extras["kernels"], rtol=1e-4, atol=1e-5)


def test_the_images_of_rounds_are_saved_as_the_result_is(tmp_path):
    images = np.linspace(0, 1, 2 * 40 * 44 * 3, dtype=np.float32).reshape(2, 40, 44, 3)
    saving, profile = SaveOptions(width=22, depth=16), ImageCmsProfile(createProfile("sRGB")).tobytes()
    restored = Photo(np.zeros((40, 44, 3), np.uint16), np.full((40, 44, 1), 700, np.uint16), profile)
    write_rounds(tmp_path / "a.tif", {"images": images}, restored, saving, 2)
    for i in (1, 2):
        written = read_photo(tmp_path / "rounds" / f"a-{i}.tif")
        assert written.pixels.shape == (20, 22, 3) and written.pixels.dtype == np.uint16
        assert written.alpha is not None and written.alpha.min() == 700 and written.icc_profile == profile
    write_rounds(tmp_path / "b.png", {}, restored, saving, 2)
    assert not list((tmp_path / "rounds").glob("b*"))


def test_a_photo_that_is_not_finite_fails_alone():
    photos = [np.full((20, 22, 3), 0.5, np.float32) for _ in range(3)]
    photos[1][3, 4] = np.nan
    first, second, third = apply_tiled(MODEL, photos)
    assert isinstance(first, tuple) and isinstance(third, tuple)
    assert isinstance(second, UserError) and "gave non-finite values in rows 0 to 19" in str(second)
    np.testing.assert_array_equal(first[0], third[0])
