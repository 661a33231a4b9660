"""What a photo is: pixels, alpha, colour profile, and the metadata that is written again."""

import dataclasses

import numpy as np

from jaxsr.support.errors import UserError

MAX_PIXELS = 500_000_000  # of a photo that is read, unless the caller says otherwise
SMALL = 1 << 26  # bytes of decoded pixels that any file may claim
UPRIGHT = 1  # the EXIF orientation of a photo that needs no turning


@dataclasses.dataclass(frozen=True)
class Metadata:
    """What a file says beside its pixels; empty where it says nothing.

    Attributes:
        exif: an EXIF block, a small TIFF file without the marker "Exif" before it, without orientation and thumbnail.
        xmp: an XMP packet.
        iptc: an IPTC-IIM block, or the block of Photoshop's around it that JPEG files have.
        resolution: pixels per millimetre, horizontal and vertical.
        comments: pairs (keyword, text) as PNG files have them.
        colour_chunks: PNG's chunks gAMA, cHRM, cICP, mDCV and cLLI, by name.
    """

    exif: bytes = b""
    xmp: bytes = b""
    iptc: bytes = b""
    resolution: tuple[float, float] | None = None
    comments: tuple[tuple[str, str], ...] = ()
    colour_chunks: tuple[tuple[bytes, bytes], ...] = ()


NO_METADATA = Metadata()

COLOUR_PROFILE, GREY_PROFILE = b"RGB ", b"GRAY"  # bytes 16 to 20 of a profile: what it is for


@dataclasses.dataclass(frozen=True)
class Photo:
    """`pixels` (H, W, C) uint8 or uint16, C 1 (grey) or 3 (RGB); `alpha` (H, W, 1) of that dtype or None.

    Alpha is not multiplied into the pixels.
    """

    pixels: np.ndarray
    alpha: np.ndarray | None = None
    icc_profile: bytes | None = None
    metadata: Metadata = NO_METADATA

    @property
    def depth(self) -> int:
        """Bits per channel: 8 or 16."""
        return self.pixels.dtype.itemsize * 8

    @property
    def bands(self) -> np.ndarray:
        """Pixels and alpha as one array (H, W, 1 to 4)."""
        return self.pixels if self.alpha is None else np.concatenate([self.pixels, self.alpha], axis=-1)


def photo_of_bands(bands: np.ndarray, orientation: int, icc_profile: bytes | None, metadata: Metadata) -> Photo:
    """Return the upright photo of stored `bands` (H, W) or (H, W, 1 to 4); an even number of bands ends with alpha.

    A colour profile that is for another number of channels is left out: it describes the pixels before a conversion.
    """
    bands = upright(bands.reshape(*bands.shape[:2], -1), orientation)
    channels = 3 if bands.shape[-1] > 2 else 1
    alpha = bands[..., channels:].copy() if bands.shape[-1] > channels else None  # a view would keep all bands
    if icc_profile and icc_profile[16:20] != (COLOUR_PROFILE if channels == 3 else GREY_PROFILE):
        icc_profile = None
    return Photo(bands[..., :channels], alpha, icc_profile or None, metadata)


def upright(bands: np.ndarray, orientation: int) -> np.ndarray:
    """Return `bands` (H, W, C) as they are shown if they are stored with the EXIF `orientation` 1 to 8."""
    if orientation in (5, 6, 7, 8):
        bands = bands.transpose(1, 0, 2)
    if orientation in (3, 4, 7, 8):
        bands = bands[::-1]
    if orientation in (2, 3, 6, 7):
        bands = bands[:, ::-1]
    return np.ascontiguousarray(bands)


def check_size(width: int, height: int, max_pixels: int) -> None:
    """Raise UserError for a photo with more than `max_pixels` pixels, which a small file may declare."""
    if width * height > max_pixels:
        raise UserError(
            f"declares {width} x {height} pixels, {width * height / 1e6:.0f} megapixels; at most {max_pixels / 1e6:g} "
            "are read; raise max_pixels if memory allows"
        )


def check_backed(decoded: int, stored: int, max_ratio: float) -> None:
    """Raise UserError for a file of `stored` bytes that claims `decoded` bytes of pixels, more than fit into it."""
    if decoded > SMALL and decoded > max_ratio * stored:
        raise UserError(
            f"unreadable (claims {decoded / 1e6:.0f} MB of pixels in {stored:,} bytes of data); copy the file again"
        )
