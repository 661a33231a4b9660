"""Every pixel is covered once and with its context."""

import pytest

from jaxsr.restoration.tiles.geometry import MAX_TILE, best_tile, spans, tile_ladder
from jaxsr.support.errors import UserError


@pytest.mark.parametrize("tile", [16, 31, 64])
@pytest.mark.parametrize("halo", [0, 2, 5])
@pytest.mark.parametrize("size", [1, 15, 16, 17, 31, 40, 64, 65, 100, 257])
def test_spans_cover_once_with_context_or_at_the_edge(size, tile, halo):
    covered = []
    for span in spans(size, tile, halo):
        covered += range(span.keep_start, span.keep_stop)
        stop = min(span.start + tile, size)
        assert 0 <= span.start <= span.keep_start < span.keep_stop <= stop
        assert span.keep_start - span.start >= halo or span.start == 0
        assert stop - span.keep_stop >= halo or stop == size
    assert covered == list(range(size))


@pytest.mark.parametrize("multiple", [1, 4])
@pytest.mark.parametrize("halo", [4, 8, 20])
def test_windows_come_from_few_sizes(halo, multiple):
    sizes = range(multiple, 2000 // multiple * multiple, multiple)
    tiles = {size: best_tile(size, halo, multiple=multiple) for size in sizes}
    ladder = set(tile_ladder(MAX_TILE, max(3 * halo, multiple), multiple))
    for size, tile in tiles.items():
        assert tile <= size and tile % multiple == 0
        assert tile in ladder or tile == size < min(ladder)
    work = {size: tile * len(spans(size, tile, halo)) for size, tile in tiles.items()}
    for size in range(MAX_TILE, max(sizes), 5 * multiple):
        smallest = min(w * len(spans(size, w, halo)) for w in ladder if w <= size)
        assert smallest <= work[size] <= 1.1 * smallest


def test_windows_of_a_known_size():
    assert best_tile(512, 4) == 192  # 3 of 192 are less than 3 of 256 or 5 of 128
    assert best_tile(6000, 4) == 256
    assert tile_ladder(256, 30, 1) == [256, 192, 128, 96, 64, 48, 32]


def test_a_far_seeing_network_gets_larger_windows():
    assert best_tile(5000, 200) == 1024


def test_a_tile_that_is_mostly_border_is_refused():
    with pytest.raises(UserError, match="tile=16 is too small for a network that sees 8 pixels far; use at least 24"):
        best_tile(500, 8, largest=16)
    assert best_tile(500, 8, largest=24) == 24
