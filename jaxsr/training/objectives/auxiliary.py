"""The perceptual, texture and total-variation losses of training, each with its weight."""

import dataclasses

import jax
import jax.numpy as jnp

from jaxsr.losses.perceptual_losses import match_weights, perceptual, texture, total_variation
from jaxsr.losses.pixel import example_sum
from jaxsr.models.srntt import FACTORS, Maps
from jaxsr.support.types import Metrics, Params
from jaxsr.training.batches import Batch
from jaxsr.training.config import Config
from jaxsr.training.objectives.vgg_features import VGGFeatures, load_features


@dataclasses.dataclass(frozen=True)
class AuxiliaryLosses:
    """The weights of the losses beside that of the pixels, 0 for none, and the features that they compare.

    With `texture_by_similarity` places count more in the texture loss where the match is good.
    """

    perceptual: float = 0.0
    texture: float = 0.0
    variation: float = 0.0
    texture_by_similarity: bool = False
    features: VGGFeatures | None = None

    def __call__(
        self, params: Params, output: jax.Array, batch: Batch, swapped: Maps | None
    ) -> tuple[jax.Array, Metrics]:
        """Return the weighted sum, and each loss that has a weight, by name.

        `params` are VGG19's, `output` the restored photos in [0, 1], `swapped` the maps that SRNTT was given.
        """
        metrics = {}
        features = self._features(params, output)
        if self.perceptual:
            metrics["perceptual"] = self._perceptual(params, features, batch)
        if self.texture:
            metrics["texture"] = self._texture(features, batch, swapped)
        if self.variation:
            metrics["variation"] = example_sum(total_variation(2 * output - 1))
        return sum((getattr(self, name) * x for name, x in metrics.items()), jnp.zeros(())), metrics

    def _features(self, params: Params, output: jax.Array) -> dict[str, jax.Array]:
        """Return all features of `output` that are compared."""
        if self.features is None:
            return {}
        layers = [*([self.features.layer] if self.perceptual else ()), *(FACTORS if self.texture else ())]
        return self.features(params, output, layers)

    def _perceptual(self, params: Params, features: dict[str, jax.Array], batch: Batch) -> jax.Array:
        """Return the mean difference of features from those of the HR patch; both have their scale already."""
        assert self.features is not None, "the loss has a weight, so they were loaded"
        layer = self.features.layer
        target = self.features(params, batch.hr, [layer])[layer]
        return perceptual(features[layer], target, feature_scale=1).mean()

    def _texture(self, features: dict[str, jax.Array], batch: Batch, swapped: Maps | None) -> jax.Array:
        """Return the mean over SRNTT's three layers of the texture loss (section 3.3)."""
        assert swapped is not None and batch.similarity is not None, "checked before: there are references"
        losses = []
        for (layer, factor), target in zip(FACTORS.items(), swapped, strict=True):
            weights = match_weights(batch.similarity, factor=factor) if self.texture_by_similarity else None
            losses.append(texture(features[layer], jnp.asarray(target), weights=weights).mean())
        return jnp.stack(losses).mean()


def make_auxiliary(config: Config) -> AuxiliaryLosses:
    """Return the losses that have a weight in `config`; raises UserError without the VGG19 weights they need."""
    return AuxiliaryLosses(
        perceptual=config.perceptual.weight,
        texture=config.texture.weight,
        variation=config.variation_weight,
        texture_by_similarity=config.texture.by_similarity,
        features=load_features(config),
    )
