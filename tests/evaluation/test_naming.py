"""Pairs by the names that data sets have, and references from folders."""

from pathlib import Path

import numpy as np
import pytest

from jaxsr.data.images import Photo, write_photo
from jaxsr.evaluation.folder_scores import ScoreOptions, score_files, score_restored
from jaxsr.evaluation.naming import base_name, pair_by_base_name, references_of
from jaxsr.evaluation.pairs import given_pair
from jaxsr.evaluation.sources import pair_files
from jaxsr.imaging.resize import resize
from jaxsr.support.errors import UserError
from jaxsr.weights import load
from tests.helpers.photos import photo, smooth


@pytest.mark.parametrize(
    ("stem", "scale", "base"),
    [
        ("0001", 2, "0001"),
        ("0001x2", 2, "0001"),
        ("babyX2", 2, "baby"),
        ("0001_x2", 2, "0001"),
        ("0001x4m", 4, "0001"),
        ("0001x4w1", 4, "0001"),
        ("0001LR", 2, "0001"),
        ("0001_LR_x2", 2, "0001"),
        ("0001-lr", 2, "0001"),
        ("baby_LRBI_x2", 2, "baby"),
        ("baby_HR_x2", 2, "baby"),
        ("img_001_SRF_2_HR", 2, "img_001_SRF_2"),
        ("0001x3", 2, "0001x3"),
        ("mohr", 2, "mohr"),
        ("LR", 2, "LR"),
        ("x2", 2, "x2"),
        ("sharp", 1, "sharp"),
    ],
)
def test_marks_at_the_end_of_a_name(stem, scale, base):
    assert base_name(f"folder.x2/{stem}.png", scale) == base


def paths(*names):
    return [Path(name) for name in names]


@pytest.mark.parametrize(
    ("hr", "lr"),
    [
        (("hr/0001.png", "hr/0002.png"), ("lr/0001x2.png", "lr/0002x2.png")),
        (("hr/0001_HR.png", "hr/0002_HR.png"), ("lr/0001_LR.png", "lr/0002_LR.png")),
        (("hr/fox2.png", "hr/b.png"), ("lr/fox2.png", "lr/b.png")),
        (("hr/a.png", "hr/b.png"), ("lr/a.png", "lr/b_x2.png")),
        (("hr/p1.png", "hr/p2.png"), ("lr/q1.png", "lr/q2.png")),
        (("hr/a.png", "hr/i.png"), ("lr/img1.png", "lr/img2.png")),
    ],
)
def test_pairs(hr, lr):
    hr, lr = paths(*hr), paths(*lr)
    assert sorted(pair_by_base_name(hr, lr[::-1], 2)) == sorted(zip(hr, lr, strict=True))


def test_names_that_contradict_the_order():
    hr, lr = paths("hr/a.png", "hr/a_B.png"), paths("lr/a_B_small.png", "lr/a_small.png")
    with pytest.raises(UserError, match=r"lr/a_small.png goes with hr/a_B.png in the order .* called after hr/a.png"):
        pair_by_base_name(hr, lr, 2)


@pytest.mark.parametrize(
    ("hr", "lr", "message"),
    [
        (
            ("a.png", "b.png"),
            ("ax2.png",),
            r"2 HR and 1 LR photos do not pair; first without a partner: b.png; .* x2 or",
        ),
        (("a.png", "b.png"), ("ax2.png", "c.png"), "first without a partner: b.png"),
        (("a.png", "b.png"), ("ax2.png", "a_LR.png"), "ax2.png and a_LR.png go with the same photo"),
        (("a.png", "b.png"), ("c.png",), "2 HR and 1 LR photos do not pair"),
    ],
)
def test_names_that_do_not_pair(hr, lr, message):
    with pytest.raises(UserError, match=message):
        pair_by_base_name(paths(*hr), paths(*lr), 2)


def test_scoring_lr_photos_by_such_names_and_of_other_channels(tmp_path):
    """A grey LR photo beside an RGB one, and what was restored from it."""
    hr = smooth(48, 52)
    lr = np.rint(255 * resize(hr / 255, 1 / 2).clip(0, 1)).astype(np.uint8)
    write_photo(tmp_path / "hr" / "0001.png", Photo(np.repeat(hr[..., :1], 3, -1)))
    write_photo(tmp_path / "lr" / "0001x2.png", Photo(lr[..., :1]))
    sources = pair_files(tmp_path / "hr", tmp_path / "lr", 2)
    options = ScoreOptions(protocols=("y",), save_to=tmp_path / "out")
    scores, failures = score_files(load("bicubic-x2"), sources, options)
    assert not failures and scores["y"].mean["psnr"] > 25
    (tmp_path / "out" / "0001.png").rename(tmp_path / "out" / "0001x2.png")
    again, failures = score_restored(tmp_path / "out", sources, 2, ScoreOptions(protocols=("y",)))
    assert not failures and again["y"].mean["psnr"] == pytest.approx(scores["y"].mean["psnr"], abs=0.1)


def test_grey_is_repeated_on_either_side():
    grey, rgb = photo(48, 52, 1), photo(24, 26, 3)
    assert given_pair("p", grey, rgb, 2).hr_levels.shape == (48, 52, 3)
    pair = given_pair("p", photo(48, 52, 3), photo(24, 26, 1), 2)
    assert pair.lr.shape == (24, 26, 3) and np.array_equal(pair.lr[..., 0], pair.lr[..., 2])
    assert given_pair("p", grey, photo(24, 26, 1), 2).lr.shape == (24, 26, 1)


def test_references_of_files_folders_and_patterns(tmp_path):
    for name in ("hr/a.png", "hr/b.png", "named/a.png", "named/b.jpg", "other/c.png", "other/d.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    photos = [tmp_path / "hr/a.png", tmp_path / "hr/b.png"]
    c, d = tmp_path / "other/c.png", tmp_path / "other/d.png"
    assert references_of(photos, [c]) == [(c,), (c,)]
    assert references_of(photos, [tmp_path / "other"]) == [(c, d)] * 2
    assert references_of(photos, [str(tmp_path / "oth*" / "d*")]) == [(d,)] * 2
    named = [tmp_path / "named/a.png", tmp_path / "named/b.jpg"]
    assert references_of(photos, [tmp_path / "named"]) == [(named[0],), (named[1],)]
    assert references_of(photos, [tmp_path / "named", c]) == [(c, named[0]), (c, named[1])]
    named[1].unlink()
    with pytest.raises(UserError, match=r"b.png has no reference of its name, and others have; add one named b.png"):
        references_of(photos, [tmp_path / "named"])
    with pytest.raises(UserError, match="no file or folder"):
        references_of(photos, [tmp_path / "gone"])
