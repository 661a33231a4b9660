"""Features of VGG19 for training: those that photos are compared by, and those of references that SRNTT swaps."""

import dataclasses
from collections.abc import Callable, Sequence

import jax
import jax.numpy as jnp

from jaxsr.models.ops.feature_swap import Textures, surrounded, swap
from jaxsr.models.ops.layers import space_to_depth
from jaxsr.models.precision import computing_in
from jaxsr.models.srntt import FACTORS, Maps
from jaxsr.models.vgg import CONVENTIONS, VGG19
from jaxsr.support.errors import choose
from jaxsr.support.randomness import Purpose, Stream, seed_key, streams
from jaxsr.support.types import Key, Params
from jaxsr.training.batches import Batch
from jaxsr.training.config import Config
from jaxsr.weights.vgg_files import fallback_to_deepest_layer, load_vgg

SwapFeatures = Callable[[Params, Batch, Key], Maps]


@dataclasses.dataclass(frozen=True)
class VGGFeatures:
    """VGG19 as training uses it.

    `layer` is that of the perceptual loss. `params` are an argument of the compiled program, not a part of it: 80 MB
    of constants would be slow to compile.
    """

    params: Params
    layer: str
    convention: str
    feature_scale: float = 1.0
    precision: str = "float32"

    def __call__(self, params: Params, photos: jax.Array, layers: Sequence[str]) -> dict[str, jax.Array]:
        """Return {layer: features (N, H', W', F)} of `photos` (N, H, W, 3) in [0, 1], times `feature_scale`."""
        if not layers:
            return {}
        # in [-1, 1], since that is what DeblurGAN's authors pass on as it is
        network = VGG19(tuple(layers), (-1.0, 1.0), self.convention)
        apply = computing_in(self.precision, lambda params, x: network.apply({"params": params}, x))
        features = apply(params, 2 * photos - 1)
        return {name: self.feature_scale * x for name, x in features.items()}


def load_features(config: Config) -> VGGFeatures | None:
    """Return the features that `config` needs, None where it needs none.

    Raises UserError where VGG19's weights are missing or end before the layers, and for an unknown convention.
    """
    section, guided = config.perceptual, config.task == "reference"
    layers = [*(FACTORS if guided else ()), *([section.layer] if section.weight else ())]
    if not layers:
        return None
    if section.fallback_to_deepest_layer:
        layers = list(FACTORS) if guided else ["relu1_1"]
    weights = load_vgg(layers, section.weights, key=seed_key(config.seed, Purpose.RANDOM_VGG))
    fallback = section.fallback_to_deepest_layer and section.weight
    layer = fallback_to_deepest_layer(section.layer, weights) if fallback else section.layer
    convention = section.convention or weights.convention
    choose("convention", convention, CONVENTIONS)
    return VGGFeatures(weights.params, layer, convention, section.feature_scale, config.precision)


def make_swap(features: VGGFeatures, hr_share: float) -> SwapFeatures:
    """Return `swap_features(params, batch, keys)`: SRNTT's maps, the references' features where they match.

    A share `hr_share` of the examples, drawn by their keys, gets the features of the HR patch instead: they teach
    the network what perfect texture is (the authors' code has both in turns).
    """

    def swap_features(params: Params, batch: Batch, keys: Key) -> Maps:
        assert batch.reference is not None and batch.positions is not None, "checked before: there are references"
        reference = features(params, batch.reference, list(FACTORS))
        swapped = {layer: swap_batch(batch.positions, reference[layer], factor) for layer, factor in FACTORS.items()}
        if not hr_share:
            return Maps(*swapped.values())
        truth = features(params, batch.hr, list(FACTORS))
        drawn = jax.vmap(jax.random.uniform)(streams(keys, Stream.TRUE_TEXTURE))
        chosen = (drawn < hr_share).reshape(-1, 1, 1, 1)
        return Maps(*(jnp.where(chosen, truth[layer], swapped[layer]) for layer in FACTORS))

    return swap_features


def swap_batch(positions: jax.Array, reference: jax.Array, factor: int) -> jax.Array:
    """Return what `swap` makes of each example's `positions` (N, H-2, W-2, 3) in its own map (N, h, w, F)."""
    blocks = space_to_depth(reference, factor)
    width = jnp.array([blocks.shape[2]], jnp.int32)

    def one(positions: jax.Array, blocks: jax.Array) -> jax.Array:
        textures = Textures(blocks.reshape(-1, blocks.shape[-1]), jnp.zeros((1,), jnp.int32), width)
        return swap(surrounded(positions), textures, factor=factor)

    return jax.vmap(one)(positions, blocks)
