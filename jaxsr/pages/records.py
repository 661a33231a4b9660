"""What a comparison page shows: pictures, what each model made of a photo, and what went wrong."""

import base64
import dataclasses

import numpy as np

from jaxsr.data.codecs.vips_writer import encode, writable_format
from jaxsr.data.images import Photo
from jaxsr.imaging.pixels import to_8_bit


@dataclasses.dataclass(frozen=True)
class Picture:
    """A PNG file of `width` by `height` pixels, with a `caption` (which round, how large) and a `score` to print."""

    png: bytes = dataclasses.field(repr=False)
    width: int
    height: int
    caption: str = ""
    score: str = ""

    @property
    def uri(self) -> str:
        """The file as a data URI."""
        return f"data:image/png;base64,{base64.b64encode(self.png).decode('ascii')}"


@dataclasses.dataclass(frozen=True)
class Layer:
    """What one model made of a photo.

    Attributes:
        name: the model with its scale and options.
        rounds: the result; of a network that alternates, the result of every round, the last being the result.
        kernels: the blur kernels that were estimated: none, one for all rounds, or one for each.
        matches: where SRNTT found the texture of each patch.
        kind: "photo" for the photo itself, "model", or "sharp" for the sharp photo.
    """

    name: str
    rounds: tuple[Picture, ...]
    kernels: tuple[Picture, ...] = ()
    matches: Picture | None = None
    kind: str = "model"

    @property
    def pictures(self) -> tuple[Picture, ...]:
        """All of them."""
        return self.rounds + self.kernels + (() if self.matches is None else (self.matches,))


@dataclasses.dataclass(frozen=True)
class Comparison:
    """A photo with its `layers`: itself first, then what each model made of it, then the sharp photo where given.

    `facts` are lines below its name, `failures` say why a model is missing.
    """

    name: str
    layers: tuple[Layer, ...]
    facts: tuple[str, ...] = ()
    failures: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        """The bytes of its pictures."""
        return sum(len(picture.png) for layer in self.layers for picture in layer.pictures)


def picture_of(photo: Photo, *, caption: str = "", score: str = "") -> Picture:
    """Return `photo` as a PNG file of 8 bits with its alpha and colour profile, without other metadata."""
    alpha = None if photo.alpha is None else to_8_bit(photo.alpha)
    shown = Photo(to_8_bit(photo.pixels), alpha, photo.icc_profile)
    parts, _ = encode(shown, writable_format("picture.png"))
    height, width = photo.pixels.shape[:2]
    return Picture(b"".join(parts), width, height, caption, score)


def picture_of_pixels(pixels: np.ndarray, caption: str = "") -> Picture:
    """Return `pixels` (H, W, 1 or 3), integers, as a PNG file."""
    return picture_of(Photo(pixels), caption=caption)
