"""What `save_to` writes, and which files of others in that folder stay as they are."""

import json

import pytest

from jaxsr.data.images import Photo, write_photo
from jaxsr.evaluation.folder_scores import ScoreOptions, score_files
from jaxsr.evaluation.pair_options import PairOptions
from jaxsr.evaluation.sources import pair_files
from jaxsr.support.errors import UserError
from jaxsr.weights import load
from tests.helpers.photos import smooth


@pytest.fixture
def sources(tmp_path):
    """Return two HR photos to score on."""
    for name in ("a", "b"):
        write_photo(tmp_path / "hr" / f"{name}.png", Photo(smooth(48, 48)))
    return pair_files(tmp_path / "hr", None, 2)


def test_a_foreign_file_stays_and_nothing_is_written(sources, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (out / "b.png").write_bytes(b"a photo of somebody else")
    with pytest.raises(UserError, match=r"out/b.png is there already and was not made from .*hr/b.png; choose another"):
        score_files(load("bicubic-x2"), sources, ScoreOptions(["y8"], save_to=out))
    assert [path.name for path in out.iterdir()] == ["b.png"]
    assert (out / "b.png").read_bytes() == b"a photo of somebody else"


def test_one_of_a_name_with_a_number_stays_too(sources, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "a-8.png").touch()
    options = ScoreOptions(["y8"], PairOptions("gaussian8"), save_to=tmp_path / "out")
    with pytest.raises(UserError, match=r"a-8.png is there already"):
        score_files(load("bicubic-x2"), sources, options)


def test_the_same_photos_are_saved_again(sources, tmp_path):
    out = tmp_path / "out"
    for model in ("bicubic-x2", "fsrcnn-x2"):
        _, failures = score_files(load(model), sources, ScoreOptions(["y8"], save_to=out))
        assert not failures
    lines = [json.loads(line) for line in (out / ".jaxsr-outputs.jsonl").read_text().splitlines()]
    assert [(line["output"], line["settings"]) for line in lines] == [
        ("a.png", "evaluate fsrcnn-x2"),
        ("b.png", "evaluate fsrcnn-x2"),
    ]


@pytest.mark.parametrize("degradation", ["bicubic", "gaussian8", "isotropic"])
def test_names_are_known_before_pairs_are_made(sources, degradation):
    options = PairOptions(degradation)
    assert sources[0].names(2, options) == [pair.name for pair in sources[0].pairs(2, options)]
