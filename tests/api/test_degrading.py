"""`jaxsr.degrade` from Python: a set of every kind, and what is refused."""

import numpy as np
import pytest

from jaxsr.api.degrading import degrade
from jaxsr.data.images import Photo, write_photo
from jaxsr.degradations import DEGRADATIONS
from jaxsr.evaluation.pair_options import PairOptions
from jaxsr.evaluation.paired_sets import LIST, read_set
from jaxsr.support.errors import UserError
from tests.helpers.photos import smooth


@pytest.fixture
def photo_file(tmp_path):
    write_photo(tmp_path / "a.png", Photo(smooth(48, 51)))
    return tmp_path / "a.png"


@pytest.mark.slow
@pytest.mark.parametrize("kind", DEGRADATIONS)
def test_a_set_of_every_kind(kind, photo_file, tmp_path):
    calls = []
    options = PairOptions("motion", 16) if kind == "motion" else kind
    count = degrade(photo_file, tmp_path / "set", kind=options, progress=lambda *done: calls.append(done))
    made = read_set(tmp_path / "set")
    pairs = [pair for source in made.sources for pair in source.pairs(made.scale)]
    assert made.kind == kind and made.scale == (1 if kind == "motion" else 2)
    assert calls == [(1, 1)] and count == len(pairs) == (8 if kind.startswith("gaussian8") else 1)
    for pair in pairs:
        assert (pair.kernel is None) == (DEGRADATIONS[kind].draw is None)
        assert pair.resizer == (DEGRADATIONS[kind].resizer if kind != "bicubic" else pair.resizer)
        assert pair.hr_levels.shape == ((48, 51, 3) if kind == "motion" else (48, 50, 3))


def test_numbers_of_numpy_are_listed_as_pythons_are(photo_file, tmp_path):
    numbers = [np.int64(number) for number in (2, 9, 3)]
    for name, (scale, size, seed) in {"numpy": numbers, "python": map(int, numbers)}.items():
        degrade(photo_file, tmp_path / name, kind=PairOptions("isotropic", size, seed=seed), scale=scale)
    assert (tmp_path / "numpy" / LIST).read_text() == (tmp_path / "python" / LIST).read_text()


def test_photos_that_fail_are_raised_or_reported(photo_file, tmp_path):
    (tmp_path / "broken.png").write_bytes(b"no image")
    files, failures = [photo_file, tmp_path / "broken.png"], []
    assert degrade(files, tmp_path / "set", kind="bicubic", on_failure=failures.append) == 1 == len(failures)
    with pytest.raises(UserError, match="broken.png"):
        degrade(files, tmp_path / "other", kind="bicubic")
    with pytest.raises(UserError, match="unknown degradation 'bicubik'"):
        degrade(photo_file, tmp_path / "third", kind="bicubik")
    for seed, bound in ((99999999999999999999, f"most {2**32 - 1}"), (-1, "least 0")):
        with pytest.raises(UserError, match=f"seed={seed} must be at {bound}"):
            degrade(photo_file, tmp_path / "third", kind=PairOptions("isotropic", seed=seed))
    for wrong in (np.zeros((24, 24, 3)), 3):
        with pytest.raises(UserError, match="is not a path; name a file or a folder"):
            degrade(wrong, tmp_path / "third", kind="bicubic")  # pyright: ignore[reportArgumentType]
    with pytest.raises(UserError, match="bicubic has no scale 0; choose one of: 2, 3, 4, 8"):
        degrade(photo_file, tmp_path / "third", kind="bicubic", scale=0)
