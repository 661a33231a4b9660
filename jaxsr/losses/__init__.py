"""Losses: pure functions of arrays that return one value for each element; the caller reduces, by `.mean()` or so.

`pixel.py` has those of pixels and the table LOSSES of the ones that a config may name; `perceptual_losses.py` those of
features and textures, and total variation; `adversarial.py` those of a generator and its adversary. How training
weighs and adds them is in `jaxsr/training/objectives`. Open `pixel.py` first.
"""

from jaxsr.losses.adversarial import (
    bce_discriminator,
    bce_generator,
    gradient_penalty,
    wasserstein_critic,
    wasserstein_generator,
)
from jaxsr.losses.perceptual_losses import match_weights, perceptual, texture, total_variation
from jaxsr.losses.pixel import charbonnier, l1, mse

__all__ = [
    "bce_discriminator",
    "bce_generator",
    "charbonnier",
    "gradient_penalty",
    "l1",
    "match_weights",
    "mse",
    "perceptual",
    "texture",
    "total_variation",
    "wasserstein_critic",
    "wasserstein_generator",
]
