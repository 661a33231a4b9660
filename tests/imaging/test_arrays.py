"""What functions say of arrays that they do not take: the remedy, done as it stands, leads to floats in [0, 1]."""

import numpy as np
import pytest
from PIL import Image

import jaxsr
from jaxsr.imaging.arrays import check_are_arrays, floats_of
from jaxsr.support.errors import UserError


@pytest.mark.parametrize(("dtype", "white"), [(np.uint8, 255), (np.uint16, 65535)])
def test_levels_are_divided_by_that_of_white(dtype, white):
    assert floats_of(np.dtype(dtype)) == f"divide by the level of white, {white}"


@pytest.mark.parametrize("dtype", [np.int32, bool, complex])
def test_arrays_without_a_level_of_white(dtype):
    assert floats_of(np.dtype(dtype)) == "make float32 of it, 0 for black and 1 for white"


def test_one_remedy_from_models_metrics_losses_and_photos():
    levels = np.zeros((1, 8, 8, 3), np.uint16)
    calls = [jaxsr.load("bicubic"), lambda x: jaxsr.metrics.psnr(x, x), lambda x: jaxsr.losses.l1(x, x)]
    for call in calls:
        with pytest.raises(UserError, match="got .*uint16; divide by the level of white, 65535$"):
            call(levels)


def test_an_image_of_pil_becomes_values_and_not_levels():
    """PSNR of levels that were not divided would be 48 dB too low, and no error."""
    with pytest.raises(UserError, match=r"np.asarray\(..., np.float32\), and divide levels of 8 bits by 255"):
        check_are_arrays(a=Image.new("RGB", (9, 9)))
