"""Folders of small photos: as many at once as there are devices, each as if it were alone."""

import numpy as np
import pytest

from jaxsr.data.images import Photo, photo_size, read_photo, write_photo
from jaxsr.restoration.photo_files import groups_at_once, restore_files
from jaxsr.restoration.tiles.placement import Folder
from jaxsr.restoration.tiles.tiled_run import at_once, enlarge, enlarge_and_find, enlarge_each
from jaxsr.support.errors import UserError
from jaxsr.weights import load
from tests.helpers.devices import compilations, only
from tests.restoration.tiles.test_tiled_run import network, photo
from tests.training.conftest import REDUCED

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


def names(groups):
    return [[path.stem for path in group] for group in groups]


def test_groups_occupy_the_devices(files):
    """In the order of their first photos; a photo of several windows has all devices for itself."""
    sizes = {path: photo_size(path) for path in files}
    groups = groups_at_once(MODEL, sizes, "auto", Folder())
    assert names(groups) == [["0", "1", "2", "3"], ["4", "broken", "grey", "see through"], ["large"]]
    with only(1):
        assert [len(group) for group in groups_at_once(MODEL, sizes, "auto", Folder())] == [1] * 9


def test_how_many_photos_leave_no_device_idle():
    folder = Folder()
    assert at_once(MODEL, (20, 22), "auto", folder) == 4
    assert at_once(MODEL, (200, 22), 120, folder) == 2  # two windows each
    assert at_once(MODEL, (500, 600), "auto", folder) == 1
    whole = network("danv2", 2, **REDUCED["danv2"])
    assert [at_once(whole, size, "auto", folder) for size in ((20, 22), (48, 90), (96, 90))] == [4, 2, 1]  # rows shared
    assert not folder.windows


def test_a_group_is_restored_as_each_alone(files, tmp_path):
    """One program for those of a kind; what is broken fails alone."""
    outputs = {path: tmp_path / "out" / path.name for path in files if path.stem != "large"}
    compiled, folder = [], Folder()
    with compilations(compiled.append):
        failures = restore_files(MODEL, outputs, folder=folder)
    assert [path.stem for path in failures] == ["broken"] and "broken.png: unreadable" in "".join(failures.values())
    assert compiled.count("jit(enlarge_windows)") == 3  # colours, grey, alpha
    assert {(20, 22): 4} in folder.windows.values()  # the window of the colours, and how many devices share them
    assert {path.name for path in (tmp_path / "out").iterdir()} == {path.name for path in outputs} - {"broken.png"}
    for path in outputs.keys() - failures.keys():
        original, result = read_photo(path), read_photo(outputs[path])
        np.testing.assert_allclose(np.int32(result.pixels), enlarge(MODEL, original.pixels), atol=1)
        assert (result.alpha is None) == (original.alpha is None)


def test_what_is_found_belongs_to_its_photo():
    model = network("danv2", 2, **REDUCED["danv2"])
    photos = [photo(20, 22, seed=i) for i in range(3)]
    for pixels, result in zip(photos, enlarge_each(model, photos, quantize=False), strict=True):
        assert isinstance(result, tuple)
        alone, found = enlarge_and_find(model, pixels, quantize=False)
        np.testing.assert_allclose(result[0], alone, rtol=1e-4, atol=1e-4)
        np.testing.assert_allclose(result[1]["kernels"], found["kernels"], rtol=1e-4, atol=1e-5)


def test_a_photo_that_is_not_finite_fails_alone():
    photos = [np.full((20, 22, 3), 0.5, np.float32) for _ in range(3)]
    photos[1][3, 4] = np.nan
    first, second, third = enlarge_each(MODEL, photos)
    assert isinstance(first, tuple) and isinstance(third, tuple)
    assert isinstance(second, UserError) and "gave non-finite values in rows 0 to 19" in str(second)
    np.testing.assert_array_equal(first[0], third[0])
