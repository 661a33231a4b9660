"""How strongly a JPEG photo is compressed, read off its table of quantization steps."""

import os

from PIL import Image

# The sum of the luminance table of the JPEG standard (ITU-T T.81, table K.1), whose quality is 50.
STANDARD_STEPS = 3688


def jpeg_quality(photo: object) -> int | None:
    """Return the quality from 1 to 100 that a JPEG file, or a PIL image of one, was saved with; None for other photos.

    Libraries scale the standard's table by 200 - 2 quality per cent, below 50 by 5000 / quality. Programs with tables
    of their own come out as the quality whose steps have the same sum. Only the header is read.
    """
    if isinstance(photo, str | os.PathLike):
        try:
            with Image.open(photo) as image:
                return jpeg_quality(image)
        except (OSError, ValueError, Image.DecompressionBombError):
            return None
    tables = getattr(photo, "quantization", None)
    if not tables or not isinstance(photo, Image.Image):
        return None
    percent = 100 * sum(next(iter(tables.values()))) / STANDARD_STEPS
    quality = 100 - percent / 2 if percent <= 100 else 5000 / percent
    return max(1, min(100, round(quality)))
