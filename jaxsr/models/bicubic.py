"""Bicubic enlargement as a model, so that every command can take it as the baseline."""

import flax.linen as nn
import jax

from jaxsr.models.spec import ModelSpec


class Bicubic(nn.Module):
    """The identity on the bicubic enlargement."""

    channels: int = 3

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        """Return `x`, which the caller has enlarged."""
        return x


SPEC = ModelSpec(
    name="bicubic",
    paper="Keys, IEEE Transactions on Acoustics, Speech and Signal Processing 1981",
    build=Bicubic,
    scales=(2, 3, 4, 8),
    variants={"RGB": {}},
    pre_upsampled=True,
    receptive_radius=lambda net: 0,
)
