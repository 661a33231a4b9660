"""Pure functions on arrays: resizing, colour, pixel types, crops.

Open `pixels.py` first (integer levels to floats in [0, 1] and back), then `resize.py` (MATLAB's bicubic) and `color.py`
(BT.601 luma and chroma). `patches.py` crops, pads and flips. Images are (..., H, W, C). The functions take NumPy
arrays on the host and JAX arrays on the device, and return the same kind; `arrays.py` tells the two apart.
"""
