"""Comparisons whose pictures say by their colours where one looks and whose picture it is."""

import numpy as np

from jaxsr.imaging.pixels import to_levels
from jaxsr.pages.records import Comparison, Layer, picture_of_pixels

SIDE = 64  # of the photo
HOSTILE = '"><script>window.struck = true</script><img src=x onerror="window.struck = true">.png'
BLUE = {"photo": 0, "first-x2": 100, "second-x4": 200, "sharp photo": 255}  # of the last round
FIRST_ROUND = 150  # the blue of second-x4's first round


def map_picture(scale, blue, *, caption="", score=""):
    """Return a picture whose red grows with the column and whose green grows with the row, from 0 to 255."""
    places = (np.arange(scale * SIDE) + 0.5) / (scale * SIDE)
    red, green = np.meshgrid(places, places)
    pixels = to_levels(np.stack([red, green, np.full_like(red, blue / 255)], axis=-1))
    picture = picture_of_pixels(pixels, caption)
    return type(picture)(picture.png, picture.width, picture.height, caption, score)


def kernel_pictures():
    """Return the pictures of two kernels."""
    spots = [np.zeros((21, 21, 1), np.uint8) for _ in range(2)]
    spots[0][10, 10], spots[1][5, 5] = 255, 255
    return tuple(picture_of_pixels(spot, f"kernel of round {i}") for i, spot in enumerate(spots, start=1))


def comparison(name="photo.png", *, scores=("20.00 dB", "24.50 dB", "27.25 dB")):
    """Return a comparison of two models of scales 2 and 4; the second has two rounds with a kernel each."""
    first, early, late = scores
    layers = (
        Layer("photo", (map_picture(1, BLUE["photo"]),), kind="photo"),
        Layer("first-x2", (map_picture(2, BLUE["first-x2"], score=first),)),
        Layer(
            "second-x4",
            (map_picture(4, FIRST_ROUND, score=early), map_picture(4, BLUE["second-x4"], score=late)),
            kernel_pictures(),
        ),
        Layer("sharp photo", (map_picture(2, BLUE["sharp photo"]),), kind="sharp"),
    )
    return Comparison(name, layers, ("64 × 64 pixels",), ("third-x2: <b>no</b>",))
