"""16-bit colour PNG and TIFF. Pillow decodes only the high bytes of such files, and cannot write them."""

import struct
import zlib
from pathlib import Path

import numpy as np
from PIL import Image, ImageFile, ImageOps

_DEEP = ("RGB;16", "RGBA;16", "LA;16")


def is_deep(image: Image.Image) -> bool:
    """Return whether `image`, opened but not decoded, stores 16-bit colour, or 16-bit grey with alpha."""
    return isinstance(image, ImageFile.ImageFile) and bool(image.tile) and _layout(image).startswith(_DEEP)


def read_deep(path: Path) -> np.ndarray:
    """Return all bands (H, W, 2 to 4) uint16, upright, of a PNG or TIFF file for which `is_deep` is true."""
    with Image.open(path) as image:
        layout = _layout(image)
    if layout.startswith("LA"):  # 4 bytes per pixel, as in 8-bit RGBA
        parts = _decode(path, "RGBA")
        high, low = parts[..., 0::2], parts[..., 1::2]
    else:  # decoded with the opposite byte order, the "high" bytes are the low ones
        swapped = layout[:-1] + {"B": "L", "L": "B", "N": "B"}[layout[-1]]  # N: this machine's, little-endian
        high, low = _decode(path, layout), _decode(path, swapped)
    return high.astype(np.uint16) << 8 | low


def _layout(image: ImageFile.ImageFile) -> str:
    """Return the stored layout, such as "RGB;16B": the first argument of the decoder."""
    arguments = image.tile[0].args
    return str(arguments[0] if isinstance(arguments, tuple) and arguments else arguments)


def _decode(path: Path, layout: str) -> np.ndarray:
    """Return the 8-bit pixels (H, W, C) that Pillow decodes if the file is taken to have `layout`."""
    with Image.open(path) as image:
        image.tile = [
            tile._replace(args=(layout, *tile.args[1:]) if isinstance(tile.args, tuple) else layout)
            for tile in image.tile
        ]
        return np.asarray(ImageOps.exif_transpose(image))


def write_deep_png(path: Path, bands: np.ndarray, icc_profile: bytes | None) -> None:
    """Write `bands` (H, W, 1 to 4) uint16 as a PNG file."""
    height, width, count = bands.shape
    rows = bands.astype(">u2").view(np.uint8).reshape(height, -1)
    filtered = np.ones((height, 1 + rows.shape[1]), np.uint8)  # filter type 1 begins each row: difference to the left
    filtered[:, 1:] = rows
    filtered[:, 1 + 2 * count :] -= rows[:, : -2 * count]
    colour_type = {1: 0, 2: 4, 3: 2, 4: 6}[count]
    with path.open("wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n")
        file.write(_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 16, colour_type, 0, 0, 0)))
        if icc_profile:
            file.write(_chunk(b"iCCP", b"ICC profile\0\0" + zlib.compress(icc_profile)))
        file.write(_chunk(b"IDAT", zlib.compress(filtered.tobytes())))
        file.write(_chunk(b"IEND", b""))


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
