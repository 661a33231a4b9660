"""Paired sets: what is written, what is read again, and scores that equal those of pairs made on the fly."""

import json

import jax
import numpy as np
import pytest

from jaxsr.data.images import Photo, read_pixels, write_photo
from jaxsr.data.kernel_files import read_kernel
from jaxsr.imaging.kernels import draw_div2krk, gaussian8
from jaxsr.imaging.metrics import psnr
from jaxsr.imaging.resize import resize
from jaxsr.restoration.evaluation import score_files
from jaxsr.restoration.paired_set import LIST, Source, is_set, make_set, read_set
from jaxsr.restoration.photo_pairs import make_pairs, strided_pair
from jaxsr.support.errors import UserError
from jaxsr.weights import load
from tests.restoration.test_scoring import smooth


@pytest.fixture
def photos(tmp_path):
    """Return the files of two sharp photos, one grey, and of a broken one."""
    write_photo(tmp_path / "a.png", Photo(smooth(61, 66)))
    write_photo(tmp_path / "grey.png", Photo(smooth(48, 48, 1)))
    (tmp_path / "broken.png").write_bytes(b"no image")
    return [tmp_path / name for name in ("a.png", "broken.png", "grey.png")]


def test_gaussian8_makes_eight_of_each(photos, tmp_path):
    count, failures = make_set(photos, tmp_path / "set", kind="gaussian8", scale=2, seed=3)
    assert count == 16 and len(failures) == 1 and "broken.png" in failures[0]
    given = read_set(tmp_path / "set")
    assert (given.kind, given.scale, given.seed, len(given.sources)) == ("gaussian8", 2, 3, 16)
    pairs = make_pairs("a", read_pixels(photos[0]), 2, degradation="isotropic")
    for source, pair, kernel in zip(given.sources[:8], pairs, gaussian8(2), strict=True):
        (read,) = source.pairs(2)
        assert read.name == pair.name and read.resizer == pair.resizer
        np.testing.assert_array_equal(read.pixels, pair.pixels)
        np.testing.assert_allclose(read.lr, pair.lr, atol=1e-6)
        np.testing.assert_allclose(read.kernel, kernel, atol=1e-7)
        assert source.kernel is not None
        np.testing.assert_allclose(read_kernel(source.kernel), kernel, atol=1e-7)


def test_a_set_scores_like_its_photos(photos, tmp_path):
    make_set(photos[:1], tmp_path / "set", kind="bicubic", scale=3)
    model = load("bicubic-x3")
    of_set, _ = score_files(model, read_set(tmp_path / "set").sources, protocols=["y8"], save_to=tmp_path / "out")
    of_photos, _ = score_files(model, [Source(photos[0])], protocols=["y8"], quantize_lr=True)
    assert of_set["y8"].mean == pytest.approx(of_photos["y8"].mean, abs=1e-6)
    assert of_set["y8"].protocol.resizer == "MATLAB bicubic, 8 bits, clamped border"
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["a.png"]


def test_refusals(photos, tmp_path):
    with pytest.raises(UserError, match="unknown kind 'gaussian'; did you mean 'gaussian8'"):
        make_set(photos, tmp_path / "set", kind="gaussian", scale=2)
    with pytest.raises(UserError, match="gaussian8 has no scale 8; choose one of: 2, 3, 4"):
        make_set(photos, tmp_path / "set", kind="gaussian8", scale=8)
    assert not (tmp_path / "set").exists()
    make_set(photos, tmp_path / "set", kind="bicubic", scale=2)
    with pytest.raises(UserError, match="holds a paired set already"):
        make_set(photos, tmp_path / "set", kind="bicubic", scale=2)


def test_nothing_but_failures_leaves_no_list(photos, tmp_path):
    count, failures = make_set(photos[1:2], tmp_path / "set", kind="bicubic", scale=2)
    assert count == 0 and len(failures) == 1 and not is_set(tmp_path / "set")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "no list of pairs"),
        ("{}", "no list of pairs"),
        (json.dumps({"format": 9}), "format 9, this version reads"),
    ],
)
def test_broken_lists(text, message, tmp_path):
    (tmp_path / LIST).write_text(text)
    with pytest.raises(UserError, match=message):
        read_set(tmp_path)


def test_a_photo_smaller_than_half_a_kernel_is_refused(tmp_path):
    write_photo(tmp_path / "a.png", Photo(smooth(24, 24)))
    with pytest.raises(UserError, match="a-1: 24x24x3 is too small for a kernel of 51x51; use more than 25"):
        Source(tmp_path / "a.png").pairs(2, degradation="isotropic", kernel_size=51)


@pytest.mark.parametrize(("scale", "size"), [(2, 11), (4, 31)])
def test_div2krk_draws_a_kernel_for_each_photo_by_name_and_seed(scale, size, photos, tmp_path):
    for folder, seed in (("a", 0), ("b", 0), ("c", 1)):
        make_set([photos[0], photos[2]], tmp_path / folder, kind="div2krk", scale=scale, seed=seed)
    kernels = {
        folder: [source.pairs(scale)[0].kernel for source in read_set(tmp_path / folder).sources] for folder in "abc"
    }
    assert kernels["a"][0].shape == (size, size) and kernels["a"][0].sum() == pytest.approx(1)
    np.testing.assert_array_equal(kernels["a"][0], kernels["b"][0])
    assert np.abs(kernels["a"][0] - kernels["a"][1]).max() > 0.001 < np.abs(kernels["a"][0] - kernels["c"][0]).max()


@pytest.mark.parametrize("scale", [2, 4])
def test_a_strided_small_photo_stays_aligned(scale):
    """Off the border its bicubic enlargement is the blurred photo, neither left nor right of it."""
    ramp = np.tile(np.arange(40, 200, 2, dtype=np.uint8)[None, :, None], (64, 1, 1))
    pair = strided_pair("p", ramp, draw_div2krk(jax.random.key(0), scale), scale)
    enlarged = resize(pair.lr, scale)
    inner = (slice(20, -20), slice(24, -24))
    assert np.abs(enlarged[inner] * 255 - ramp[inner]).max() < 0.6


@pytest.mark.slow
@pytest.mark.shared
@pytest.mark.parametrize(("scale", "least"), [(2, 42), (4, 50)])
def test_the_published_small_photos_of_div2krk(shared, scale, least):
    folder = shared / "data" / "blind" / "DIV2KRK"
    files = sorted((folder / "gt").glob("*.png"))
    assert len(files) == 6
    for path in files:
        kernel = read_kernel(folder / f"gt_k_x{scale}" / f"kernel_{path.stem.removeprefix('im_')}.mat")
        pair = strided_pair(path.stem, read_pixels(path), kernel, scale)
        given = read_pixels(folder / f"lr_x{scale}" / path.name) / 255
        assert psnr(pair.lr.astype(np.float64), given) > least
