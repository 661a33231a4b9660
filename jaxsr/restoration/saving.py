"""How restored photos are read and saved: bounds, size, depth and quality, checked before a photo is restored."""

import dataclasses
from pathlib import Path

import numpy as np

from jaxsr.data.images import MAX_PIXELS, QUALITY, Photo, check_writable, read_photo, write_photo
from jaxsr.data.photo_reduction import reduced
from jaxsr.imaging.pixels import to_8_bit
from jaxsr.restoration.photo import without_hidden_colours
from jaxsr.restoration.tiles.geometry import Size
from jaxsr.support.errors import UserError

WHITE_RATIO = 65535 // 255  # of levels with 16 bits to those with 8
DEPTHS = (8, 16)


@dataclasses.dataclass(frozen=True)
class SaveOptions:
    """How photos are read and saved. A value out of bounds raises UserError.

    Attributes:
        width: pixels that a result is reduced to; alone it keeps the proportions, as `height` alone does.
        height: pixels that a result is reduced to.
        depth: bits per channel, 8 or 16; by default the photo's. With 16 the network's result is rounded to these.
        quality: 1 to 100, of JPEG and AVIF.
        max_pixels: of a photo that is read.
    """

    width: int | None = None
    height: int | None = None
    depth: int | None = None
    quality: int = QUALITY
    max_pixels: int = MAX_PIXELS

    def __post_init__(self) -> None:
        """Raise UserError, naming the field, for a value out of bounds."""
        for name in ("width", "height", "max_pixels"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise UserError(f"{name}={value} must be at least 1")
        if self.depth not in (None, *DEPTHS):
            raise UserError(f"depth={self.depth} is none of {DEPTHS}; leave it out to keep the photo's")
        if not 1 <= self.quality <= 100:
            raise UserError(f"quality={self.quality} must lie in 1 to 100; {QUALITY} is the default")

    def final_size(self, size: Size, scale: int) -> Size:
        """Return the size (H, W) of the result for a photo of `size` that is restored at `scale`.

        Raises UserError for a larger one than the network makes.
        """
        large = height, width = scale * size[0], scale * size[1]
        if self.width and self.height:
            large = self.height, self.width
        elif self.width:
            large = max(round(height * self.width / width), 1), self.width
        elif self.height:
            large = self.height, max(round(width * self.height / height), 1)
        if large[0] > height or large[1] > width:
            raise UserError(
                f"{size[1]} x {size[0]} pixels become {width} x {height} at scale {scale}, less than the "
                f"{large[1]} x {large[0]} asked for; use a model of a larger scale"
            )
        return large

    def read(self, path: Path, output: Path, scale: int) -> Photo:
        """Return the photo in the file `path` as it is restored; raises UserError if its result would not fit `output`.

        A photo with 8 bits whose result is to have 16 gets 16, so that the network's result is rounded to these.
        """
        photo = read_photo(path, max_pixels=self.max_pixels)
        size = self.final_size((photo.pixels.shape[0], photo.pixels.shape[1]), scale)
        transparent = photo.alpha is not None and photo.alpha.min() < np.iinfo(photo.alpha.dtype).max
        try:
            check_writable(output, size, transparent=transparent, depth=self.depth or 8)
        except UserError as error:
            raise UserError(f"{path}: {error}") from None
        return without_hidden_colours(_deeper(photo) if self.depth == 16 else photo)

    def write(self, path: Path, photo: Photo, scale: int) -> None:
        """Write `photo`, a result at `scale`, to `path` in its final size and depth; raises as `write_photo`."""
        height, width = photo.pixels.shape[:2]
        photo = reduced(photo, self.final_size((height // scale, width // scale), scale))
        if self.depth == 8:
            alpha = None if photo.alpha is None else to_8_bit(photo.alpha)
            photo = dataclasses.replace(photo, pixels=to_8_bit(photo.pixels), alpha=alpha)
        write_photo(path, photo, quality=self.quality)


def _deeper(photo: Photo) -> Photo:
    """Return `photo` with 16 bits."""
    if photo.depth == 16:
        return photo
    pixels, alpha = (
        None if levels is None else levels.astype(np.uint16) * np.uint16(WHITE_RATIO)
        for levels in (photo.pixels, photo.alpha)
    )
    return dataclasses.replace(photo, pixels=pixels, alpha=alpha)


DEFAULT_SAVING = SaveOptions()
