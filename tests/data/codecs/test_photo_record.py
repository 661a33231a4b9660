"""What a file may claim."""

import pytest

from jaxsr.data.codecs.photo_record import SMALL, check_backed, check_size
from jaxsr.support.errors import UserError


def test_more_pixels_than_allowed_are_refused():
    check_size(30, 40, 1200)
    with pytest.raises(UserError, match="declares 30 x 40 pixels, 0 megapixels; at most 0.001199 are read"):
        check_size(30, 40, 1199)


@pytest.mark.parametrize(("decoded", "stored"), [(SMALL, 0), (100 * SMALL, SMALL), (100 * SMALL, 101 * SMALL)])
def test_pixels_that_fit_into_a_file_are_read(decoded, stored):
    check_backed(decoded, stored, 100.0)


def test_large_pixels_of_a_tiny_file_are_refused():
    with pytest.raises(UserError, match=r"unreadable \(claims 6711 MB of pixels in 67,108,863 bytes of data\); copy"):
        check_backed(100 * SMALL, SMALL - 1, 100.0)
