"""What is said of a file of no known format."""

import pytest

from jaxsr.data.codecs.photo_formats import FORMATS, format_of
from jaxsr.support.errors import UserError


def test_every_format_that_is_read_is_named():
    with pytest.raises(UserError, match="not an image of a known kind; give a ") as refusal:
        format_of(b"no image")
    assert str(refusal.value).endswith(f"give a {', '.join(each.name for each in FORMATS)} file")
