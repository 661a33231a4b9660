"""Pure functions on arrays: resizing, colour, pixel types, crops.

Open `pixels.py` first (integer levels to floats in [0, 1] and back), then `resize.py` (MATLAB's bicubic) and `color.py`
(BT.601 luma and chroma). `patches.py` crops, pads and flips. Images are (..., H, W, C). The functions take NumPy
arrays on the host and JAX arrays on the device, and return the same kind; `arrays.py` tells the two apart.
Modules are imported when first used, for `color.py` and `pixels.py` do without JAX.
"""

import importlib
import types
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jaxsr.imaging import color, patches, pixels, resize

__all__ = ["color", "patches", "pixels", "resize"]


def __getattr__(name: str) -> types.ModuleType:
    if name not in __all__:
        raise AttributeError(f"module 'jaxsr.imaging' has no attribute {name!r}")
    return importlib.import_module(f"jaxsr.imaging.{name}")


def __dir__() -> list[str]:
    return __all__
