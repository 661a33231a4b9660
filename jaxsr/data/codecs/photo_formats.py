"""One table of the photo formats: their suffixes, how a file is recognized, what decodes it, and limits of writing."""

import dataclasses
import math
import os
from collections.abc import Callable
from pathlib import Path

from jaxsr.support.errors import UserError

VIPS, PILLOW, HEIF = "libvips", "Pillow", "pillow-heif"
HEADER = 64  # bytes at the beginning of a file that tell its format


@dataclasses.dataclass(frozen=True)
class PhotoFormat:
    """A photo format.

    Attributes:
        name: as messages say it.
        suffixes: of its files, lower case; the first is the usual one.
        begins: whether the first HEADER bytes are those of such a file.
        reader: VIPS, PILLOW or HEIF.
        operation: the beginning of libvips' names, as in "jpegload" and "jpegsave"; "" where that does not do it.
        deep: whether 16 bits are written.
        alpha: whether transparency is written.
        max_ratio: how many times larger than its file a decoded photo can be.
        max_side: pixels that a side of a written photo may have; 0 if such files are only read.
    """

    name: str
    suffixes: tuple[str, ...]
    begins: Callable[[bytes], bool]
    reader: str = VIPS
    operation: str = ""
    deep: bool = False
    alpha: bool = True
    max_ratio: float = math.inf
    max_side: int = 0


def _prefix(*prefixes: bytes) -> Callable[[bytes], bool]:
    return lambda header: header.startswith(prefixes)


def _brand(*brands: bytes) -> Callable[[bytes], bool]:
    """Return whether the `ftyp` box, with which an ISO media file begins, names one of `brands` first."""
    return lambda header: header[4:8] == b"ftyp" and header[8:12] in brands


def _mixed_brand(*brands: bytes) -> Callable[[bytes], bool]:
    """Return whether the `ftyp` box names one of `brands` first or among the compatible ones."""
    return lambda header: (
        header[4:8] == b"ftyp"
        and any(
            header[at : at + 4] in brands
            for at in (8, *range(16, min(len(header), int.from_bytes(header[:4], "big")), 4))
        )
    )


_TIFF = _prefix(b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_WEBP: Callable[[bytes], bool] = lambda header: header[:4] == b"RIFF" and header[8:12] == b"WEBP"  # noqa: E731
_PNM: Callable[[bytes], bool] = lambda header: header[:1] == b"P" and header[1:2] in b"123456" and header[2:3].isspace()  # noqa: E731
_JP2 = _prefix(b"\0\0\0\x0cjP  \r\n\x87\n", b"\xff\x4f\xff\x51")

DEFLATE, LZW, PACK_BITS = 1032, 1400, 128  # at most, bytes from a byte
TIFF_RATIOS = {1: 24, 5: LZW * 8, 8: DEFLATE * 8, 32946: DEFLATE * 8, 32773: PACK_BITS * 8}  # by the tag Compression

FORMATS = (
    PhotoFormat(
        "PNG",
        (".png",),
        _prefix(b"\x89PNG\r\n\x1a\n"),
        operation="png",
        deep=True,
        max_ratio=DEFLATE * 8,
        max_side=2**31 - 1,
    ),
    PhotoFormat(
        "JPEG",
        (".jpg", ".jpeg", ".jfif", ".jpe"),
        _prefix(b"\xff\xd8\xff"),
        operation="jpeg",
        alpha=False,
        max_ratio=2000,
        max_side=65500,
    ),
    PhotoFormat("TIFF", (".tif", ".tiff"), _TIFF, operation="tiff", deep=True, max_side=2**31 - 1),
    PhotoFormat("WebP", (".webp",), _WEBP, operation="webp", max_side=16383),
    PhotoFormat("AVIF", (".avif",), _mixed_brand(b"avif", b"avis"), operation="heif", max_side=16384),
    PhotoFormat("HEIC", (".heic", ".heif"), _brand(b"heic", b"heix", b"heim", b"heis", b"mif1", b"msf1"), HEIF),
    PhotoFormat("GIF", (".gif",), _prefix(b"GIF87a", b"GIF89a"), operation="gif", max_ratio=LZW * 4),
    PhotoFormat("BMP", (".bmp",), _prefix(b"BM"), PILLOW, max_ratio=24 * 128),
    PhotoFormat("PNM", (".ppm", ".pgm", ".pbm", ".pnm"), _PNM, PILLOW),
    PhotoFormat("JPEG 2000", (".jp2", ".j2k"), _JP2, PILLOW),
)
PHOTO_SUFFIXES = tuple(suffix for each in FORMATS for suffix in each.suffixes)  # of files that folders are searched for
WRITTEN = {suffix: each for each in FORMATS for suffix in each.suffixes if each.max_side}


def format_of(header: bytes) -> PhotoFormat:
    """Return the format of a file that begins with `header`; raises UserError for an unknown one, and an empty file."""
    if not header:
        raise UserError("the file is empty; copy it again")
    for each in FORMATS:
        if each.begins(header):
            return each
    raise UserError("not an image of a known kind; give a " + ", ".join(f.name for f in FORMATS) + " file")


def suffix_of(path: str | os.PathLike) -> str:
    """Return the suffix of `path` in lower case."""
    return Path(path).suffix.lower()
