"""Scores against the metrics by hand, the variants of LR photos, and the published bicubic rows."""

import json

import numpy as np
import pytest
from PIL import Image

from jaxsr.data.images import Photo, write_photo
from jaxsr.data.listing import list_photos
from jaxsr.evaluation.folder_scores import ScoreOptions, score_files, score_restored
from jaxsr.evaluation.pair_options import PairOptions
from jaxsr.evaluation.paired_sets import read_set
from jaxsr.evaluation.pairs import given_pair, make_pair
from jaxsr.evaluation.score_tables import json_text, table
from jaxsr.evaluation.scores import default_protocol, score
from jaxsr.evaluation.sources import Source, pair_files
from jaxsr.imaging.color import luma, round_to_levels
from jaxsr.imaging.patches import shave
from jaxsr.imaging.resize import resize
from jaxsr.metrics import psnr, ssim
from jaxsr.restoration.options import RestoreOptions
from jaxsr.restoration.tiles.tiled_photos import restore_tiled
from jaxsr.support.errors import UserError
from jaxsr.weights import load
from tests.helpers.networks import network
from tests.helpers.photos import photo, smooth


@pytest.mark.parametrize("name", ["y8", "y", "rgb"])
def test_a_score_worked_out_by_hand(name):
    model, pixels = network("espcn", 3), smooth(50, 47)
    pair = make_pair("p", pixels, 3)
    hr = pixels[:48, :45] / 255
    lr = resize(hr, 1 / 3).astype(np.float32)
    restored = restore_tiled(model, lr, RestoreOptions(quantize=False))[0].astype(float)
    if name == "y8":
        images = round_to_levels(luma(restored)), round_to_levels(luma(hr))
    else:
        images = round_to_levels(restored), hr
        images = tuple(map(luma, images)) if name == "y" else images
    images = [shave(image, 3) for image in images]
    scores = score(model, [pair], protocols=[name])[name]
    assert scores.mean["psnr"] == pytest.approx(psnr(*images), abs=1e-4)
    assert scores.mean["ssim"] == pytest.approx(ssim(*images), abs=1e-5)


def test_the_bicubic_row_is_what_bicubic_scores():
    pair = make_pair("p", smooth(60, 66), 2)
    scores = score(load("bicubic-x2"), [pair], protocols=["y8", "y", "rgb"])
    for protocol in scores.values():
        assert protocol.mean["psnr"] == pytest.approx(protocol.baseline["psnr"], abs=1e-3)
        assert 20 < protocol.mean["psnr"] < 80


def test_scores_that_are_not_finite_are_null_in_json():
    record = {"mean": {"psnr": float("inf"), "ssim": 1.0}, "images": [{"name": "a", "niqe": float("nan")}]}
    expected = {"mean": {"psnr": None, "ssim": 1.0}, "images": [{"name": "a", "niqe": None}]}
    assert json.loads(json_text(record)) == expected


def test_lr_photos_and_what_the_protocol_says_of_them():
    pixels = smooth(49, 50)
    plain, rounded = make_pair("p", pixels, 2), make_pair("p", pixels, 2, PairOptions(quantize_lr=True))
    assert plain.resizer == "MATLAB bicubic, unrounded, symmetric border"
    assert rounded.resizer == "MATLAB bicubic, 8 bits, clamped border"
    np.testing.assert_allclose(rounded.lr * 255, np.rint(rounded.lr * 255), atol=1e-4)
    np.testing.assert_allclose(plain.lr, resize(pixels[:48] / 255, 1 / 2), atol=1e-7)
    given = given_pair("p", pixels, np.rint(rounded.lr * 255).astype(np.uint8), 2)
    np.testing.assert_allclose(given.lr, rounded.lr, atol=1e-7)
    scores = score(network("espcn", 2), [given])["y8"]
    record = scores.record()
    assert "; computed in float32; LR photos: as given" in table(scores, asked=1)
    assert record["protocol"]["resizer"] == "as given" and record["images"][0]["name"] == "p"
    assert set(record) == {"protocol", "mean", "bicubic", "images", "precision"} and record["precision"] == "float32"


def test_mistakes_are_named():
    with pytest.raises(UserError, match="p: 20x16x3 is too small to score at scale 4; use 19 a side or more"):
        make_pair("p", photo(16, 20), 4)
    with pytest.raises(UserError, match="48x48x3 needs at scale 2 an LR photo of 24x24x3; got 23x24x3"):
        given_pair("p", photo(48, 48), photo(24, 23), 2)


def test_folders_that_do_not_fit(tmp_path):
    for folder, count, side in (("hr", 2, 48), ("lr", 1, 24), ("odd", 2, 23)):
        for i in range(count):
            write_photo(tmp_path / folder / f"{i}.png", Photo(photo(side, side)))
    with pytest.raises(UserError, match="2.*1"):
        pair_files(tmp_path / "hr", tmp_path / "lr", 2)
    with pytest.raises(UserError, match="needs at scale 2 an LR photo of 24x24x3; got 23x23x3"):
        pair_files(tmp_path / "hr", tmp_path / "odd", 2)


def test_one_broken_photo_does_not_stop_a_folder(tmp_path):
    for name in ("a", "b"):
        write_photo(tmp_path / f"{name}.png", Photo(smooth(48, 48)))
    (tmp_path / "broken.png").write_bytes(b"no image")
    model = network("espcn", 2)
    files = pair_files(tmp_path, None, 2)
    scores, failures = score_files(model, files, ScoreOptions(["y8"], save_to=tmp_path / "out"))
    assert len(failures) == 1 and "broken.png" in failures[0]
    assert [row.name for row in scores["y8"].rows] == ["a", "b"]
    assert "mean of 2 of 3" in table(scores["y8"], asked=3)
    assert {path.name for path in (tmp_path / "out").glob("*.png")} == {"a.png", "b.png"}
    with Image.open(tmp_path / "out" / "a.png") as image:
        assert image.size == (48, 48)


def test_default_protocols():
    assert default_protocol(network("fsrcnn", 2)) == default_protocol(load("bicubic-x2")) == "y8"
    assert default_protocol(network("espcn", 2, channels=3)) == "y"


@pytest.mark.shared
@pytest.mark.slow
@pytest.mark.parametrize(
    ("data", "scale", "expected"),
    [
        *[("Set5", scale, value) for scale, value in {2: 33.66, 3: 30.39, 4: 28.42}.items()],
        *[("Set14", scale, value) for scale, value in {2: 30.23, 3: 27.54, 4: 26.00}.items()],
    ],
)
def test_published_bicubic_rows(shared, data, scale, expected):
    files = [Source(path) for path in list_photos([shared / "data" / "test" / data / "hr"])]
    scores, failures = score_files(load("bicubic", scale=scale), files, ScoreOptions(["y8"]))
    assert not failures
    assert round(scores["y8"].mean["psnr"], 2) == expected == round(scores["y8"].baseline["psnr"], 2)


def test_photos_that_were_restored_before(tmp_path):
    for name in ("a", "b", "c", "d"):
        write_photo(tmp_path / "hr" / f"{name}.png", Photo(smooth(48, 50)))
    model, sources = load("bicubic-x2"), pair_files(tmp_path / "hr", None, 2)
    scores, _ = score_files(model, sources, ScoreOptions(["rgb"], save_to=tmp_path / "out"))
    (tmp_path / "out" / "d.png").unlink()
    write_photo(tmp_path / "out" / "c.png", Photo(photo(24, 25)))
    again, failures = score_restored(tmp_path / "out", sources, 2, ScoreOptions(["rgb"]))
    for first, second in zip(scores["rgb"].rows, again["rgb"].rows, strict=False):
        assert second.name == first.name and second.seconds is None
        assert second.scores == pytest.approx(first.scores, abs=1e-9)
    assert len(again["rgb"].rows) == 2 and len(failures) == 2
    assert "c.png has the shape (24, 25, 3), the HR photo (48, 50, 3); restore its LR photo at scale 2" in failures[0]
    assert "holds no restored photo d; restore it" in failures[1]
    lines = table(again["rgb"], asked=4).splitlines()
    assert lines[0].endswith("SSIM") and "mean of 2 of 4" in lines[3]


def test_restored_photos_of_equal_stems_are_found_again(tmp_path):
    for name in ("x.png", "x.bmp"):
        pixels = smooth(48, 48) if name == "x.png" else smooth(48, 54)
        (tmp_path / "hr").mkdir(exist_ok=True)
        Image.fromarray(pixels).save(tmp_path / "hr" / name)
    sources = pair_files(tmp_path / "hr", None, 2)
    saved = score_files(load("bicubic-x2"), sources, ScoreOptions(("y",), save_to=tmp_path / "out"))
    assert saved[1] == [] and {path.stem for path in (tmp_path / "out").glob("*.png")} == {"x_png", "x_bmp"}
    scores, failures = score_restored(tmp_path / "out", sources, 2, ScoreOptions(("y",)))
    assert failures == [] and {row.name for row in scores["y"].rows} == {"x_png", "x_bmp"}


def test_two_restored_photos_of_one_name_are_refused(tmp_path):
    write_photo(tmp_path / "hr" / "1.png", Photo(smooth(48, 48)))
    for suffix in ("png", "webp"):
        write_photo(tmp_path / "out" / f"1.{suffix}", Photo(smooth(48, 48)))
    _, (failure,) = score_restored(tmp_path / "out", pair_files(tmp_path / "hr", None, 2), 2)
    assert str(tmp_path / "out" / "1.png") in failure and str(tmp_path / "out" / "1.webp") in failure
    assert "are both 1 by their names; move one of them away" in failure


def test_pictures_beside_restored_photos_are_not_taken_for_them(tmp_path):
    write_photo(tmp_path / "hr" / "1.png", Photo(smooth(48, 48)))
    for name in ("1_LR", "matches/1_LR", "kernels/1_LR", "rounds/1_LR-1"):
        write_photo(tmp_path / "out" / f"{name}.png", Photo(smooth(48, 48)))
    scores, failures = score_restored(tmp_path / "out", pair_files(tmp_path / "hr", None, 2), 2)
    assert failures == [] and scores["y"].mean["ssim"] == 1


def test_restored_photos_of_scenes_are_found_where_they_lie(tmp_path):
    """As `restore 'set/*/blur/*.png'` keeps the folders below set."""
    for scene in ("s1", "s2"):
        write_photo(tmp_path / "set" / scene / "sharp" / "1.png", Photo(smooth(48, 48)))
        write_photo(tmp_path / "set" / scene / "blur" / "1.png", Photo(photo(48, 48)))
        write_photo(tmp_path / "out" / scene / "blur" / "1.png", Photo(smooth(48, 48)))
    scores, failures = score_restored(tmp_path / "out", read_set(tmp_path / "set").sources, 1)
    assert failures == [] and [row.name for row in scores["rgb"].rows] == ["s1_1", "s2_1"]
    assert scores["rgb"].mean["ssim"] == 1
