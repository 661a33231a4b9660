"""A folder of damaged photos: truncated, with flipped bits, bytes overwritten or missing, in many formats."""

import random

from tests.helpers.odd_photos import encoded, exif, picture

KINDS = {
    "png": ("PNG", {}),
    "jpg": ("JPEG", {}),
    "passes.jpg": ("JPEG", {"progressive": True}),
    "tif": ("TIFF", {}),
    "lzw.tif": ("TIFF", {"compression": "tiff_lzw"}),
    "deflate.tif": ("TIFF", {"compression": "tiff_adobe_deflate"}),
    "webp": ("WEBP", {}),
    "lossless.webp": ("WEBP", {"lossless": True}),
    "gif": ("GIF", {}),
    "bmp": ("BMP", {}),
    "ppm": ("PPM", {}),
    "jp2": ("JPEG2000", {}),
    "avif": ("AVIF", {"speed": 10}),
}


def _cut(random_, data):
    return data[: random_.randrange(len(data))]


def _flip(random_, data):
    damaged = bytearray(data)
    for _ in range(random_.choice([1, 1, 3, 20])):
        damaged[random_.randrange(len(data))] ^= 1 << random_.randrange(8)
    return bytes(damaged)


def _overwrite_header(random_, data):
    damaged = bytearray(data)
    for _ in range(random_.choice([1, 4])):
        damaged[random_.randrange(min(200, len(data)))] = random_.randrange(256)
    return bytes(damaged)


def _remove(random_, data):
    start = random_.randrange(len(data))
    return data[:start] + data[start + random_.randrange(1, 50) :]


def write_damaged(folder, count, seed=0):
    """Write `count` damaged files to `folder`, every tenth with the suffix of another format; return their paths."""
    random_ = random.Random(seed)
    whole = {}
    for suffix, (kind, options) in KINDS.items():
        block = {"exif": exif()} if kind in ("PNG", "JPEG", "WEBP", "AVIF") else {}
        whole[suffix] = encoded(kind, picture(), **options, **block)
    paths = []
    for number in range(count):
        suffix = list(whole)[number % len(whole)]
        damage = (_cut, _flip, _overwrite_header, _remove)[number // len(whole) % 4]
        name = f"{number:03}.{suffix}" if number % 10 else f"{number:03}.{random_.choice(['png', 'jpg', 'tif'])}"
        paths.append(folder / name)
        paths[-1].write_bytes(damage(random_, whole[suffix]))
    return paths
