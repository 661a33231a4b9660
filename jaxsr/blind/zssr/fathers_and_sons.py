"""What ZSSR trains on, in the paper's words: a crop of the photo is a father, its reduction by the kernel its son.

The network learns to restore fathers from their sons, and then restores the photo itself as if it were a son. Source:
Shocher et al., CVPR 2018, section 3.
"""

import dataclasses
from typing import NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from jaxsr.degradations.downscale import downscale
from jaxsr.imaging.patches import dihedral
from jaxsr.imaging.resize import resize
from jaxsr.support.types import Key

GREY = np.array([0.299, 0.587, 0.114], np.float32)


@dataclasses.dataclass(frozen=True)
class StepSpec:
    """What the compiled program of a training step depends on; hashable, so it is static under jit.

    Each step draws `fathers` crops of `crop` pixels a side, with `augment` flipped and turned at random; sons get
    Gaussian `noise` of that standard deviation.
    """

    module: nn.Module
    scale: int
    crop: int
    fathers: int = 1
    noise: float = 0.0
    augment: bool = False


class Source(NamedTuple):
    """A `photo` (H, W, C) to train on, the `weights` (H, W, 1) of its pixels in the loss, and its `kernel` (k, k)."""

    photo: jax.Array
    weights: jax.Array
    kernel: jax.Array


def loss_map(photo: jax.Array) -> jax.Array:
    """Return the weight of each pixel of `photo` (H, W, 1 or 3) in the loss: (H, W, 1) of mean 1.

    It is the magnitude of the grey photo's gradient, summed over 5x5 pixels; 1 everywhere for a flat photo.
    """
    grey = photo[..., 0] if photo.shape[-1] == 1 else photo @ GREY
    down, right = jnp.gradient(grey)
    magnitude = jnp.sqrt(down**2 + right**2)
    summed = jax.lax.reduce_window(magnitude, 0.0, jax.lax.add, (5, 5), (1, 1), "same")
    mean = summed.mean()
    return jnp.where(mean > 0, summed / mean, 1.0)[..., None]


def draw_fathers(key: Key, source: Source, spec: StepSpec) -> tuple[jax.Array, jax.Array]:
    """Return random crops (N, crop, crop, C) of the photo, and the weights (N, crop, crop, 1) of their pixels."""
    both = jnp.concatenate([source.photo, source.weights], axis=-1)
    side = spec.crop
    ends = np.array(both.shape[:2]) - side + 1

    def draw(key: Key) -> jax.Array:
        place, symmetry = jax.random.split(key)
        top, left = jax.random.randint(place, (2,), 0, ends)
        crop = jax.lax.dynamic_slice(both, (top, left, 0), (side, side, both.shape[2]))
        return dihedral(crop, jax.random.randint(symmetry, (), 0, 8)) if spec.augment else crop

    crops = jax.vmap(draw)(jax.random.split(key, spec.fathers))
    return crops[..., :-1], crops[..., -1:]


def enlarged_sons(key: Key, fathers: jax.Array, kernel: jax.Array, spec: StepSpec) -> jax.Array:
    """Return the sons of `fathers` (N, H, W, C), enlarged to their size by bicubic.

    `kernel` (k, k) reduces the fathers, whose sides are multiples of the scale.
    """
    kernels = jnp.broadcast_to(kernel, (len(fathers), *kernel.shape))
    sons = downscale(fathers, kernels, spec.scale)
    if spec.noise:
        sons = sons + spec.noise * jax.random.normal(key, sons.shape)
    return resize(sons, spec.scale)
