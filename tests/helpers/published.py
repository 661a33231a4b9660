"""Tensors by the names of published weight files."""

import numpy as np


def espcn_tensors(scale=3):
    """Return random tensors of ESPCN, as PyTorch names and orders them."""
    rng = np.random.default_rng(0)
    shapes = {"first_part.0": (64, 1, 5, 5), "first_part.2": (32, 64, 3, 3), "last_part.0": (scale**2, 32, 3, 3)}
    tensors = {f"{name}.weight": rng.random(shape) for name, shape in shapes.items()}
    return tensors | {f"{name}.bias": rng.random(shape[0]) for name, shape in shapes.items()}
