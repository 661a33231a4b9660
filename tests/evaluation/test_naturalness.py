"""NIQE as a column beside PSNR and SSIM, and of photos alone."""

import numpy as np
import pytest

from jaxsr.data.images import Photo, write_photo
from jaxsr.data.samples import sample_photos
from jaxsr.evaluation.folder_scores import ScoreOptions, score_files
from jaxsr.evaluation.naturalness import niqe_of_folder
from jaxsr.evaluation.score_tables import table
from jaxsr.evaluation.sources import pair_files
from jaxsr.metrics.niqe import check_niqe_size
from jaxsr.support.errors import UserError
from jaxsr.weights import load


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Return a folder of a photo of two blocks, and of one that is too small; NIQE takes seconds to compile."""

    def mean_level(image):
        check_niqe_size(image.shape)
        return np.mean(image) if np.ptp(image) else np.nan

    monkeypatch.setattr("jaxsr.evaluation.naturalness.niqe", mean_level)
    pixels = next(iter(sample_photos("validation").values()))[:100, :200]
    write_photo(tmp_path / "a.png", Photo(pixels))
    write_photo(tmp_path / "small.png", Photo(pixels[:, :150]))
    return tmp_path


def test_beside_other_scores(folder):
    scores, failures = score_files(load("bicubic-x2"), pair_files(folder, None, 2), ScoreOptions(niqe=True))
    assert failures == [
        f"{folder / 'small.png'}: small: 150x100 pixels are too small for NIQE, which needs 2 blocks of 96x96; "
        f"leave this photo or NIQE out"
    ]
    (row,) = scores["y8"].rows
    assert row.scores["niqe"] == pytest.approx(row.baseline["niqe"], abs=0.1)
    assert scores["y8"].record()["images"][0]["niqe"] == scores["y8"].mean["niqe"] == row.scores["niqe"]
    lines = table(scores["y8"], asked=2).splitlines()
    assert lines[0].split()[1:4] == ["PSNR", "SSIM", "NIQE"] and f"{row.scores['niqe']:6.2f}" in lines[1]
    assert "lower is better" in lines[-1]


def test_a_flat_photo_beside_other_scores_fails_alone(folder):
    write_photo(folder / "flat.png", Photo(np.full((100, 200, 3), 9, np.uint8)))
    scores, failures = score_files(load("bicubic-x2"), pair_files(folder, None, 2), ScoreOptions(niqe=True))
    assert failures[0].startswith(f"{folder / 'flat.png'}: flat: has no texture to judge")
    assert [row.name for row in scores["y8"].rows] == ["a"] and np.isfinite(scores["y8"].mean["niqe"])


def test_photos_alone(folder):
    scores = niqe_of_folder(folder)
    pixels = next(iter(sample_photos("validation").values()))[:100, :200]
    assert scores.photos == {"a": pytest.approx(pixels.mean() / 255, abs=1e-4)}
    assert "mean of 1 of 2" in scores.table() and scores.record()["mean"]["niqe"] == scores.photos["a"]
    write_photo(folder / "flat.png", Photo(np.full_like(pixels, 9)))
    judged = niqe_of_folder(folder)
    assert judged.mean == scores.mean and f"{folder / 'flat.png'}: has no texture to judge" in judged.failures[0]
    (folder / "flat.png").unlink()
    (folder / "a.png").unlink()
    with pytest.raises(UserError, match="small.png: 150x100 pixels are too small"):
        niqe_of_folder(folder)


def test_what_restore_writes_beside_photos_is_not_judged(folder):
    """The mean of DAN's results was that of its rounds, too."""
    pixels = next(iter(sample_photos("validation").values()))
    for name in ("rounds/a-1", "rounds/a-2", "kernels/a", "matches/a"):
        write_photo(folder / f"{name}.png", Photo(pixels[100:200, :200]))
    assert set(niqe_of_folder(folder).photos) == {"a"}
    for name in ("rounds/other-1", "kernels/other", "sub/a"):
        write_photo(folder / f"{name}.png", Photo(pixels[100:200, :200]))
    assert set(niqe_of_folder(folder).photos) == {"a", "rounds/other-1", "kernels/other", "sub/a"}


def test_photos_of_one_stem_have_a_line_each(folder):
    pixels = next(iter(sample_photos("validation").values()))
    write_photo(folder / "a.webp", Photo(pixels[100:200, :200]))
    scores = niqe_of_folder(folder).photos
    assert set(scores) == {"a.png", "a.webp"} and scores["a.png"] != scores["a.webp"]
