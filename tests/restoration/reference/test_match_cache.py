"""The cache of matches: found once for each content, whatever the name; broken files are found again."""

import numpy as np
import pytest

from jaxsr.restoration.reference.match_cache import cached_matches

RNG = np.random.default_rng(2)
PLACES = RNG.integers(0, 30_000, (4, 5, 3)).astype(np.int32)
SIMILARITY = RNG.random((4, 5)).astype(np.float32)


@pytest.fixture
def asked(tmp_path):
    """Return a function that asks for the matches of files, and counts how often they had to be found."""
    found = []

    def find():
        found.append(1)
        return PLACES, SIMILARITY

    def ask(names, crop=(0, 0, 40)):
        places, similarity = cached_matches(tmp_path / "cache", [tmp_path / name for name in names], crop, find)
        np.testing.assert_array_equal(places, PLACES)
        np.testing.assert_array_equal(similarity, SIMILARITY)
        assert places.dtype == np.int32 and similarity.dtype == np.float32
        return len(found)

    for name in "ab":
        (tmp_path / name).write_text(name)
    return ask


def test_matches_are_found_once(asked, tmp_path):
    assert asked("ab") == 1 and asked("ab") == 1
    (tmp_path / "c").write_text("a")
    assert asked("cb") == 1, "the same content by another name"
    assert asked("ba") == 2 and asked("a") == 3 and asked("ab", (0, 4, 40)) == 4
    (tmp_path / "b").write_text("changed")
    assert asked("ab") == 5 and asked("ab") == 5
    assert sum(path.stat().st_size for path in (tmp_path / "cache").iterdir()) < 5 * 1000


def test_broken_files_are_found_again(asked, tmp_path):
    asked("ab")
    path = next((tmp_path / "cache").iterdir())
    path.write_bytes(path.read_bytes()[:100])
    assert asked("ab") == 2 and asked("ab") == 2


def test_places_that_do_not_fit(tmp_path):
    with pytest.raises(ValueError, match="positions up to 40000 do not fit the cache's 16 bits"):
        cached_matches(tmp_path, [], (), lambda: (PLACES * 0 + 40_000, SIMILARITY))
