"""What VGG19 and the photo itself add to training: perceptual and texture losses, total variation, SRNTT's maps."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from jaxsr.losses.pixel import example_sum, match_weights, texture, total_variation, vgg
from jaxsr.models import ModelSpec
from jaxsr.models.ops.feature_swap import Textures, surrounded, swap
from jaxsr.models.ops.layers import space_to_depth
from jaxsr.models.srntt import FACTORS, Maps
from jaxsr.models.vgg import VGG19
from jaxsr.training.config import Config
from jaxsr.training.pairs import Pair
from jaxsr.training.precision import computing_in
from jaxsr.weights.vgg_files import deepest_there, load_vgg

Metrics = dict[str, jax.Array]
Features = Callable[[Any, jax.Array, Sequence[str]], dict[str, jax.Array]]


class Terms(NamedTuple):
    """`loss(constants, output, pair, maps)` of photos in [0, 1] is a weighted sum, with its parts for the log.

    `maps(constants, pair, keys)` are SRNTT's; None for networks without references. `constants` are the arrays both
    need: an argument of the program, because as a part of it 80 MB would be slow to compile.
    """

    loss: Callable[[Any, jax.Array, Pair, Maps | None], tuple[jax.Array, Metrics]]
    maps: Callable[[Any, Pair, jax.Array], Maps] | None
    constants: Any


def make_terms(config: Config, spec: ModelSpec) -> Terms:
    """Return the terms that have a weight in `config`; raises UserError without the weights of VGG19 they need."""
    guided = bool(config.data.references)
    layers = [*(FACTORS if guided else ()), *([config.perceptual.layer] if config.perceptual.weight else ())]
    if not layers:
        return Terms(_make_loss(config, _no_features, ""), None, {})
    section = config.perceptual
    needed = list(FACTORS) if guided and section.deepest else ["relu1_1"] if section.deepest else layers
    weights = load_vgg(needed, section.weights, key=jax.random.key(config.seed))
    layer = deepest_there(section.layer, weights) if section.deepest and section.weight else section.layer
    convention = section.convention or weights.convention

    def features(params: Any, photos: jax.Array, layers: Sequence[str]) -> dict[str, jax.Array]:
        # in [-1, 1], since that is what DeblurGAN's authors pass on as it is
        network = VGG19(tuple(layers), (-1.0, 1.0), convention)
        apply = computing_in(config.precision, lambda params, x: network.apply({"params": params}, x))
        found = apply(params, 2 * photos - 1)
        return {name: section.feature_scale * x for name, x in found.items()}

    maps = _make_maps(config, features) if guided else None
    return Terms(_make_loss(config, features, layer), maps, weights.params)


def _no_features(params: Any, photos: jax.Array, layers: Sequence[str]) -> dict[str, jax.Array]:
    return {}


def _make_loss(config: Config, features: Features, layer: str) -> Callable[..., tuple[jax.Array, Metrics]]:
    """Return `Terms.loss`, with `layer` of VGG19 as the measure of what a photo shows."""
    perceived, textured = bool(config.perceptual.weight), bool(config.texture.weight)

    def loss(constants: Any, output: jax.Array, pair: Pair, maps: Maps | None) -> tuple[jax.Array, Metrics]:
        layers = [*([layer] if perceived else ()), *(FACTORS if textured else ())]
        found = features(constants, output, layers) if layers else {}
        told = {}
        if perceived:
            truth = features(constants, pair.sharp, [layer])[layer]
            told["perceptual"] = vgg(output=found[layer], target=truth, feature_scale=1).mean()
        if textured:
            told["texture"] = _texture(config, found, maps, pair)
        if config.variation_weight:
            told["variation"] = example_sum(total_variation(output=2 * output - 1))
        weights = {"perceptual": config.perceptual, "texture": config.texture}
        total = sum((weights[name].weight * told[name] for name in weights if name in told), jnp.zeros(()))
        return total + config.variation_weight * told.get("variation", 0.0), told

    return loss


def _texture(config: Config, found: dict[str, jax.Array], maps: Maps | None, pair: Pair) -> jax.Array:
    """Return the mean over SRNTT's three layers of the texture loss (section 3.3)."""
    assert maps is not None and pair.similarity is not None, "checked before: the examples have references"
    losses = []
    for (layer, factor), given in zip(FACTORS.items(), maps, strict=True):
        weights = match_weights(pair.similarity, factor=factor) if config.texture.by_similarity else None
        losses.append(texture(output=found[layer], target=given, weights=weights).mean())
    return jnp.stack(losses).mean()


def _make_maps(config: Config, features: Features) -> Callable[[Any, Pair, jax.Array], Maps]:
    """Return `Terms.maps`: features of the references where they match, of some examples those of the sharp photo.

    The latter, by each example's key, teach the network what perfect texture is (the authors' code has both in turns).
    """

    def maps(constants: Any, pair: Pair, keys: jax.Array) -> Maps:
        assert pair.reference is not None and pair.places is not None, "checked before: the examples have references"
        given = features(constants, pair.reference, list(FACTORS))
        swapped = {layer: swap_batch(pair.places, given[layer], factor) for layer, factor in FACTORS.items()}
        if not config.data.truth_share:
            return Maps(*swapped.values())
        truth = features(constants, pair.sharp, list(FACTORS))
        drawn = jax.vmap(lambda key: jax.random.uniform(jax.random.fold_in(key, 11)))(keys)
        chosen = (drawn < config.data.truth_share).reshape(-1, 1, 1, 1)
        return Maps(*(jnp.where(chosen, truth[layer], swapped[layer]) for layer in FACTORS))

    return maps


def swap_batch(places: jax.Array, given: jax.Array, factor: int) -> jax.Array:
    """Return what `swap` makes of each example's `places` (N, H-2, W-2, 3) in its own map `given` (N, h, w, C)."""
    blocks = space_to_depth(given, factor)
    width = jnp.array([blocks.shape[2]], jnp.int32)

    def one(places: jax.Array, blocks: jax.Array) -> jax.Array:
        textures = Textures(blocks.reshape(-1, blocks.shape[-1]), jnp.zeros((1,), jnp.int32), width)
        return swap(surrounded(places), textures, factor=factor)

    return jax.vmap(one)(places, blocks)
