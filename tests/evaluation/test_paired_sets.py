"""Paired sets: what is written, what is read again, and scores that equal those of pairs made on the fly."""

import json

import jax
import numpy as np
import pytest
from PIL import Image
from scipy import ndimage
from skimage import metrics

from jaxsr.data.images import Photo, read_pixels, write_photo
from jaxsr.data.kernel_files import read_kernel
from jaxsr.degradations.kernels import draw_div2krk, gaussian8_kernels
from jaxsr.evaluation.folder_scores import ScoreOptions, score_files, score_restored
from jaxsr.evaluation.pair_options import PairOptions
from jaxsr.evaluation.paired_sets import LIST, is_set, make_set, read_set
from jaxsr.evaluation.pairs import kernel_pair, make_pairs
from jaxsr.evaluation.score_tables import table
from jaxsr.evaluation.sources import Source, pair_files
from jaxsr.imaging.resize import resize
from jaxsr.metrics import PROTOCOLS, psnr, ssim
from jaxsr.support.errors import UserError
from jaxsr.weights import load
from tests.helpers.networks import network
from tests.helpers.photos import smooth

BICUBIC = PairOptions("bicubic")
SHAKE = {"kernel_size": 16, "exposures": (1.0,)}


@pytest.fixture
def photos(tmp_path):
    """Return the files of two sharp photos, one grey, and of a broken one."""
    write_photo(tmp_path / "a.png", Photo(smooth(61, 66)))
    write_photo(tmp_path / "grey.png", Photo(smooth(48, 48, 1)))
    (tmp_path / "broken.png").write_bytes(b"no image")
    return [tmp_path / name for name in ("a.png", "broken.png", "grey.png")]


def test_gaussian8_makes_eight_of_each(photos, tmp_path):
    count, failures = make_set(photos, tmp_path / "set", scale=2, options=PairOptions("gaussian8", seed=3))
    assert count == 16 and len(failures) == 1 and "broken.png" in failures[0]
    given = read_set(tmp_path / "set")
    assert (given.kind, given.scale, given.seed, len(given.sources)) == ("gaussian8", 2, 3, 16)
    pairs = make_pairs("a", read_pixels(photos[0]), 2, PairOptions("gaussian8"))
    for source, pair, kernel in zip(given.sources[:8], pairs, gaussian8_kernels(2), strict=True):
        (read,) = source.pairs(2)
        assert read.name == pair.name and read.resizer == pair.resizer
        np.testing.assert_array_equal(read.hr_levels, pair.hr_levels)
        np.testing.assert_allclose(read.lr, pair.lr, atol=1e-6)
        np.testing.assert_allclose(read.kernel, kernel, atol=1e-7)
        assert source.kernel is not None
        np.testing.assert_allclose(read_kernel(source.kernel), kernel, atol=1e-7)


def test_a_set_scores_like_its_photos(photos, tmp_path):
    make_set(photos[:1], tmp_path / "set", scale=3, options=BICUBIC)
    model = load("bicubic-x3")
    options = ScoreOptions(["y8"], PairOptions(quantize_lr=True), save_to=tmp_path / "out")
    of_set, _ = score_files(model, read_set(tmp_path / "set").sources, options)
    of_photos, _ = score_files(model, [Source(photos[0])], ScoreOptions(["y8"], PairOptions(quantize_lr=True)))
    assert of_set["y8"].mean == pytest.approx(of_photos["y8"].mean, abs=1e-6)
    assert of_set["y8"].protocol.resizer == "MATLAB bicubic, 8 bits, clamped border"
    assert [path.name for path in (tmp_path / "out").glob("*.png")] == ["a.png"]


def test_refusals(photos, tmp_path):
    with pytest.raises(UserError, match="unknown degradation 'gaussian'; did you mean 'gaussian8'"):
        make_set(photos, tmp_path / "set", scale=2, options=PairOptions("gaussian"))
    with pytest.raises(UserError, match="gaussian8 has no scale 8; choose one of: 2, 3, 4"):
        make_set(photos, tmp_path / "set", scale=8, options=PairOptions("gaussian8"))
    assert not (tmp_path / "set").exists()
    with pytest.raises(UserError, match="the output folder .* is that of the input .*; choose another output folder"):
        make_set(photos, photos[0].parent, scale=2, options=BICUBIC)
    assert all(path.is_file() for path in photos[0].parent.iterdir())
    make_set(photos, tmp_path / "set", scale=2, options=BICUBIC)
    with pytest.raises(UserError, match="holds a paired set already"):
        make_set(photos, tmp_path / "set", scale=2, options=BICUBIC)


@pytest.mark.parametrize("file", ["hr/a.png", "lr_x2/a-8.png", "kernels/a-1.npz"])
def test_files_of_others_stay(file, photos, tmp_path):
    other = tmp_path / "set" / file
    other.parent.mkdir(parents=True)
    other.write_bytes(b"precious")
    with pytest.raises(UserError, match=rf"{file} is there already and was not made from .*a\.png; choose another"):
        make_set(photos[:1], tmp_path / "set", scale=2, options=PairOptions("gaussian8"))
    assert other.read_bytes() == b"precious" and not (tmp_path / "set" / LIST).exists()


def test_an_interrupted_set_is_made_anew(photos, tmp_path):
    def interrupt(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make_set(photos[:1], tmp_path / "set", scale=2, options=BICUBIC, progress=interrupt)
    assert make_set(photos[:1], tmp_path / "set", scale=2, options=BICUBIC) == (1, [])
    assert sorted(path.name for path in (tmp_path / "set").iterdir()) == ["hr", "lr_x2", LIST]


def test_nothing_but_failures_leaves_no_list(photos, tmp_path):
    count, failures = make_set(photos[1:2], tmp_path / "set", scale=2, options=BICUBIC)
    assert count == 0 and len(failures) == 1 and not is_set(tmp_path / "set")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "not a list of pairs"),
        ("{}", "not a list of pairs"),
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
        Source(tmp_path / "a.png").pairs(2, PairOptions("gaussian8", 51))


@pytest.mark.slow
@pytest.mark.parametrize(("scale", "size"), [(2, 11), (4, 31)])
def test_div2krk_draws_a_kernel_for_each_photo_by_name_and_seed(scale, size, photos, tmp_path):
    for folder, seed in (("a", 0), ("b", 0), ("c", 1)):
        make_set([photos[0], photos[2]], tmp_path / folder, scale=scale, options=PairOptions("div2krk", seed=seed))
    kernels = {
        folder: [source.pairs(scale)[0].kernel for source in read_set(tmp_path / folder).sources] for folder in "abc"
    }
    assert kernels["a"][0].shape == (size, size) and kernels["a"][0].sum() == pytest.approx(1)
    np.testing.assert_array_equal(kernels["a"][0], kernels["b"][0])
    assert np.abs(kernels["a"][0] - kernels["a"][1]).max() > 0.001 < np.abs(kernels["a"][0] - kernels["c"][0]).max()


@pytest.mark.parametrize("channels", [1, 3])
def test_pillow_reduces_the_photo_itself(channels):
    pixels = smooth(43, 58)[..., :channels]
    (pair,) = make_pairs("a", pixels, 4, PairOptions("pillow"))
    image = Image.fromarray(pixels[:40, :56].squeeze()).resize((14, 10), Image.Resampling.BICUBIC)
    np.testing.assert_array_equal(pair.hr * 255, pixels[:40, :56])
    np.testing.assert_allclose(pair.lr * 255, np.asarray(image).reshape(10, 14, channels), atol=1e-4)


@pytest.mark.parametrize("scale", [2, 4])
def test_a_strided_small_photo_stays_aligned(scale):
    """Off the border its bicubic enlargement is the blurred photo, neither left nor right of it."""
    ramp = np.tile(np.arange(40, 200, 2, dtype=np.uint8)[None, :, None], (64, 1, 1))
    pair = kernel_pair("p", ramp, draw_div2krk(jax.random.key(0), scale), scale, "div2krk")
    enlarged = resize(pair.lr, scale)
    inner = (slice(20, -20), slice(24, -24))
    assert np.abs(enlarged[inner] * 255 - ramp[inner]).max() < 0.6


@pytest.mark.slow
def test_motion_blurs_each_photo_by_its_name_and_seed(photos, tmp_path):
    """The saved photo is what the saved kernel makes of the sharp one, correlated, in 8 bits."""
    for folder, seed in (("a", 0), ("b", 0), ("c", 1)):
        count, failures = make_set(
            photos, tmp_path / folder, scale=1, options=PairOptions("motion", seed=seed, **SHAKE)
        )
        assert count == 2 and len(failures) == 1
    facts = json.loads((tmp_path / "a" / LIST).read_text())
    assert (facts["kind"], facts["scale"], facts["kernel_size"], facts["exposures"]) == ("motion", 1, 16, [1.0])
    assert facts["pairs"][0]["small"] == "blur/a.png" and facts["pairs"][1]["sharp"] == "sharp/grey.png"
    kernels = {name: read_kernel(tmp_path / name / "kernels" / "a.npz") for name in "abc"}
    np.testing.assert_array_equal(kernels["a"], kernels["b"])
    other = read_kernel(tmp_path / "a" / "kernels" / "grey.npz")
    assert min(np.abs(kernels["a"] - x).max() for x in (kernels["c"], other)) > 0.001
    (pair,) = read_set(tmp_path / "a").sources[0].pairs(1)
    np.testing.assert_array_equal(pair.hr_levels, read_pixels(photos[0]))
    for channel in range(3):
        blurred = ndimage.correlate(pair.hr[..., channel], np.float64(kernels["a"]), mode="mirror")
        np.testing.assert_allclose(pair.lr[..., channel], blurred, atol=0.51 / 255)
    assert pair.resizer == "blurred by random camera shake, 8 bits" and pair.scale == 1


@pytest.mark.slow
def test_deblurring_is_scored_on_whole_rgb_photos_beside_the_blurred_ones(photos, tmp_path):
    make_set(photos[:1], tmp_path / "set", scale=1, options=PairOptions("motion", **SHAKE))
    (tmp_path / "set" / LIST).unlink()  # any photos in blur and sharp will do
    given, model = read_set(tmp_path / "set"), network("deblurgan", 1, features=4, blocks=1)
    assert (given.kind, given.scale) == ("given", 1)
    scores, failures = score_files(model, given.sources, ScoreOptions(["rgb"], save_to=tmp_path / "out"))
    assert not failures
    hr, blurred, made = (
        read_pixels(path) / 255 for path in (photos[0], tmp_path / "set" / "blur" / "a.png", tmp_path / "out" / "a.png")
    )
    record = scores["rgb"].record()
    assert record["input"]["psnr"] == pytest.approx(psnr(blurred, hr), abs=1e-4) and "bicubic" not in record
    assert record["mean"]["ssim"] == pytest.approx(ssim(made, hr), abs=1e-5)
    assert record["protocol"]["border"] == "nothing cut from the sides"
    lines = table(scores["rgb"], asked=1).splitlines()
    assert lines[3].startswith("input ") and lines[4].endswith("blurred photos: as given")
    again, _ = score_restored(tmp_path / "out", given.sources, 1, ScoreOptions(["rgb"]))
    assert again["rgb"].mean == pytest.approx(scores["rgb"].mean, abs=1e-6)


@pytest.mark.slow
def test_scenes_of_equal_file_names_are_told_apart(tmp_path):
    for scene in ("s1", "s2"):
        for folder in ("blur", "sharp"):
            write_photo(tmp_path / scene / folder / "1.png", Photo(smooth(24, 24)))
    model = network("deblurgan", 1, features=4, blocks=1)
    scores, _ = score_files(model, read_set(tmp_path).sources, ScoreOptions(["rgb"], save_to=tmp_path / "out"))
    assert [row.name for row in scores["rgb"].rows] == ["s1_1", "s2_1"]
    assert {path.name for path in (tmp_path / "out").glob("*.png")} == {"s1_1.png", "s2_1.png"}


@pytest.mark.slow
def test_mistakes_with_motion_are_named(photos, tmp_path):
    def make(degradation, scale, **options):
        return make_set(photos, tmp_path / "set", scale=scale, options=PairOptions(degradation, **options))

    with pytest.raises(UserError, match="motion has no scale 2; choose one of: 1"):
        make("motion", 2)
    with pytest.raises(UserError, match="bicubic takes no exposures; leave it out, or choose motion"):
        make("bicubic", 2, exposures=(1.0,))
    with pytest.raises(UserError, match=r"exposures=\(2.0,\): shares of the time"):
        make("motion", 1, exposures=(2.0,))
    assert not (tmp_path / "set").exists()
    _, failures = make("motion", 1, kernel_size=128)
    assert "a: 66x61x3 is too small for a kernel of 128x128; use more than 64" in failures[0]
    make("motion", 1, **SHAKE)
    with pytest.raises(UserError, match="holds a paired set already"):
        make("motion", 1)
    with pytest.raises(UserError, match="holds sharp photos alone; give the blurred ones: put them in .*blur beside"):
        pair_files(tmp_path / "set" / "sharp", None, 1)
    write_photo(tmp_path / "set" / "blur" / "a.png", Photo(smooth(60, 66)))
    (_, failures) = score_files(
        network("deblurgan", 1, features=4, blocks=1), read_set(tmp_path / "set").sources[:1], ScoreOptions(["rgb"])
    )
    assert "a: an HR photo of 66x61x3 needs a blurred one of 66x61x3; got 66x60x3" in failures[0]


@pytest.mark.slow
@pytest.mark.shared
def test_published_pairs_of_gopro_score_as_scikit_image_says(shared):
    sources = read_set(shared / "data" / "motion" / "GoPro").sources
    (pair,) = sources[0].pairs(1)
    blurred, hr = read_pixels(sources[0].lr), read_pixels(sources[0].hr)
    options = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False, "channel_axis": -1}
    scores = pair.baseline(PROTOCOLS["rgb"])
    assert len(sources) == 8 and pair.lr.shape == (720, 1280, 3)
    assert scores["psnr"] == pytest.approx(metrics.peak_signal_noise_ratio(hr, blurred), abs=1e-3)
    assert scores["ssim"] == pytest.approx(metrics.structural_similarity(hr, blurred, **options), abs=1e-4)


@pytest.mark.slow
@pytest.mark.shared
@pytest.mark.parametrize(("scale", "least"), [(2, 42), (4, 50)])
def test_the_published_small_photos_of_div2krk(shared, scale, least):
    folder = shared / "data" / "blind" / "DIV2KRK"
    files = sorted((folder / "gt").glob("*.png"))
    assert len(files) == 6
    for path in files:
        kernel = read_kernel(folder / f"gt_k_x{scale}" / f"kernel_{path.stem.removeprefix('im_')}.mat")
        pair = kernel_pair(path.stem, read_pixels(path), kernel, scale, "div2krk")
        given = read_pixels(folder / f"lr_x{scale}" / path.name) / 255
        assert psnr(pair.lr.astype(np.float64), given) > least
