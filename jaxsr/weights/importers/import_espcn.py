"""ESPCN: PyTorch's `first_part`, `last_part`, or `conv1` to `conv3`; outputs ordered for PixelShuffle."""

import math

from jaxsr.weights.importers.layouts import Imported, Tensors, torch_convolution, torch_pixel_shuffle


def convert(tensors: Tensors) -> Imported:
    """Return ESPCN's options, parameters and scale."""
    names = ("conv1", "conv2", "conv3") if "conv1.weight" in tensors else _PARTS
    first, second, last = (torch_convolution(tensors, name) for name in names)
    channels = first["kernel"].shape[2]
    scale = math.isqrt(last["kernel"].shape[3] // channels)
    options = {"channels": channels, "features": (first["kernel"].shape[3], second["kernel"].shape[3])}
    params = {"conv1": first, "conv2": second, "conv3": torch_pixel_shuffle(last, scale)}
    return Imported(options, {"params": params}, scale)


_PARTS = ("first_part.0", "first_part.2", "last_part.0")
