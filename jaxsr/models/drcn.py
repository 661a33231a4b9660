"""DRCN: Kim, Lee, Lee, "Deeply-Recursive Convolutional Network for Image Super-Resolution", CVPR 2016."""

from typing import NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
from jax.typing import DTypeLike

from jaxsr.models.ops.convolution import Conv
from jaxsr.models.spec import ModelSpec

VARIANTS = {"(256,16)": {"features": 256, "recursions": 16}}  # section 4.2


class Recursions(NamedTuple):
    """The weighted sum `sr` (N, H, W, C), and each recursion's own result `each` (D, N, H, W, C)."""

    sr: jax.Array
    each: jax.Array

    def extras(self) -> dict[str, jax.Array]:
        """Return the recursions' results as `images` (N, D, H, W, C)."""
        return {"images": self.each.swapaxes(0, 1)}


def identity_init(key: jax.Array, shape: tuple[int, ...], dtype: DTypeLike = jnp.float32) -> jax.Array:
    """Return a kernel (3, 3, F, F) that is the identity: 1 from each channel to itself, else 0 (section 4.2)."""
    return jnp.zeros(shape, dtype).at[shape[0] // 2, shape[1] // 2].set(jnp.eye(shape[2], shape[3], dtype=dtype))


class DRCN(nn.Module):
    """Embedding, one convolution applied `recursions` times, one reconstruction of each state (section 3.2).

    `features` is the paper's F, `recursions` its D. `remat` recomputes the states in the backward pass instead of
    keeping them: a third more time, far less memory.
    """

    features: int = 256
    recursions: int = 16
    channels: int = 1
    remat: bool = False

    @nn.compact
    def __call__(self, x: jax.Array, *, recursions: bool = False) -> jax.Array | Recursions:
        """Return (N, H, W, C) in [0, 1] from the enlarged `x` of that shape; with `recursions` the `Recursions`."""
        weights = self.param("weights", nn.initializers.constant(1 / self.recursions), (self.recursions,), jnp.float32)
        h = nn.relu(Conv(self.features, 3, name="embedding1")(x))
        h = nn.relu(Conv(self.features, 3, name="embedding2")(h))
        step = nn.remat(Recursion, prevent_cse=False) if self.remat else Recursion
        scan = nn.scan(
            step,
            variable_broadcast="params",
            split_rngs={"params": False},
            length=self.recursions,
            in_axes=nn.broadcast,  # pyright: ignore[reportArgumentType]
        )
        _, each = scan(self.features, self.channels, name="recursion")(h, x)
        sr = jnp.tensordot(weights, each, axes=1, precision="highest")
        return Recursions(sr, each) if recursions else sr


class Recursion(nn.Module):
    """One recursion: the next state, and the image reconstructed from it (section 3.2)."""

    features: int
    channels: int

    @nn.compact
    def __call__(self, h: jax.Array, x: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Return the state after `h` (N, H, W, F), and the image `x` plus the residual reconstructed from the state."""
        h = nn.relu(Conv(self.features, 3, kernel_init=identity_init, name="shared")(h))
        y = nn.relu(Conv(self.features, 3, name="reconstruction1")(h))
        return h, x + Conv(self.channels, 3, name="reconstruction2")(y)


SPEC = ModelSpec(
    name="drcn",
    paper="Kim et al., CVPR 2016, arXiv 1511.04491",
    build=DRCN,
    scales=(2, 3, 4),
    variants=VARIANTS,
    detail_options=("recursions",),
    pre_upsampled=True,
    receptive_radius=lambda net: 4 + net.recursions,  # two layers, the recursions, two layers
)
