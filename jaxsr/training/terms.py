"""What a generator minimises besides its own objective: features of VGG19, the photo's total variation."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from jaxsr.models.vgg import VGG19
from jaxsr.training.config import Config
from jaxsr.training.losses import example_sum, total_variation, vgg
from jaxsr.training.precision import computing_in
from jaxsr.weights.vgg_files import load_vgg

Metrics = dict[str, jax.Array]


class Terms(NamedTuple):
    """`loss(constants, output, sharp)` of photos in [0, 1] is a weighted sum, with its parts for the log.

    `constants` are the arrays it needs: an argument of the program, because as a part of it 80 MB would be slow to
    compile.
    """

    loss: Callable[[Any, jax.Array, jax.Array], tuple[jax.Array, Metrics]]
    constants: Any


def make_terms(config: Config) -> Terms:
    """Return the terms that have a weight in `config`; raises UserError without the weights of VGG19 they need."""
    perceive, constants = _perception(config) if config.perceptual.weight else (None, {})

    def loss(constants: Any, output: jax.Array, sharp: jax.Array) -> tuple[jax.Array, Metrics]:
        total, told = jnp.zeros(()), {}
        if perceive is not None:
            told["perceptual"] = perceive(constants, output, sharp)
            total = total + config.perceptual.weight * told["perceptual"]
        if config.variation_weight:
            told["variation"] = example_sum(total_variation(output=2 * output - 1))
            total = total + config.variation_weight * told["variation"]
        return total, told

    return Terms(loss, constants)


def _perception(config: Config) -> tuple[Callable[[Any, jax.Array, jax.Array], jax.Array], Any]:
    """Return the perceptual loss, a mean over all features, and VGG19's parameters."""
    section = config.perceptual
    weights = load_vgg([section.layer], section.weights, key=jax.random.key(config.seed))
    # VGG19 takes photos in `value_range` to what its weights expect; DeblurGAN's authors pass [-1, 1] on as it is
    network = VGG19((section.layer,), (-1.0, 1.0), section.convention or weights.convention)
    features = computing_in(config.precision, lambda params, x: network.apply({"params": params}, x)[section.layer])

    def loss(params: Any, output: jax.Array, sharp: jax.Array) -> jax.Array:
        restored, original = (features(params, 2 * x - 1) for x in (output, sharp))
        return vgg(output=restored, target=original, feature_scale=section.feature_scale).mean()

    return loss, weights.params
