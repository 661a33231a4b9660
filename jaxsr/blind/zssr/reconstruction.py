"""A photo restored by the network trained on it: geometric self-ensemble and back-projection."""

import functools

import jax
import jax.numpy as jnp
import numpy as np

from jaxsr.degradations.downscale import back_project
from jaxsr.models import Model
from jaxsr.restoration.options import RestoreOptions
from jaxsr.restoration.tiles.tiled_photos import restore_tiled

BACK_PROJECTION_ROUNDS = 2  # for each output, and again for their median
SYMMETRIES = 8
UNQUANTIZED = RestoreOptions(quantize=False, precision="float32")


def reconstruct(
    model: Model, photo: np.ndarray, kernel: np.ndarray, *, ensemble: bool = False, corrected: bool = True
) -> np.ndarray:
    """Return `photo` (h, w, C) in [0, 1] restored by `model`: (scale h, scale w, C) float32, clipped to [0, 1].

    With `ensemble` it is the median over the 8 flips and quarter turns, each undone. With `corrected` each output, and
    the median, are corrected by back-projection with the centred `kernel` (k, k). Source: ZSSR, section 3.2.
    """
    photo = photo.astype(np.float32)
    correct = functools.partial(_corrected, photo, kernel.astype(np.float32), model.scale) if corrected else np.asarray
    outputs = [
        correct(turned_back(restore_tiled(model, turned(photo, index), UNQUANTIZED)[0], index))
        for index in range(SYMMETRIES if ensemble else 1)
    ]
    return np.clip(correct(np.median(outputs, axis=0) if ensemble else outputs[0]), 0, 1)


def turned(image: np.ndarray, index: int) -> np.ndarray:
    """Return `image` (H, W, C) mirrored for `index` 4 to 7, then turned by `index` % 4 quarters."""
    return np.ascontiguousarray(np.rot90(image[:, ::-1] if index >= 4 else image, index % 4))


def turned_back(image: np.ndarray, index: int) -> np.ndarray:
    """Return the image of which `image` is `turned`."""
    image = np.rot90(image, -(index % 4))
    return np.ascontiguousarray(image[:, ::-1] if index >= 4 else image)


_back_project = jax.jit(back_project, static_argnames=("scale", "rounds"))


def _corrected(photo: np.ndarray, kernel: np.ndarray, scale: int, image: np.ndarray) -> np.ndarray:
    arrays = (jnp.asarray(array)[None] for array in (image, photo, kernel))
    return np.asarray(_back_project(*arrays, scale=scale, rounds=BACK_PROJECTION_ROUNDS)[0])
