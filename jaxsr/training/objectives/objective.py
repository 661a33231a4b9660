"""All losses of a run in one record, with their weights; it gives their total and each for the log."""

import dataclasses
from collections.abc import Mapping
from typing import NamedTuple

import jax
import jax.numpy as jnp

from jaxsr.imaging.patches import center_crop
from jaxsr.losses.pixel import LOSSES, Loss, Reduction
from jaxsr.models import restored_image
from jaxsr.models.srntt import Maps
from jaxsr.support.errors import choose
from jaxsr.support.types import Metrics, Params, Tree, Variables
from jaxsr.training.batches import Batch, Batches
from jaxsr.training.config import Config
from jaxsr.training.objectives.auxiliary import AuxiliaryLosses, make_auxiliary
from jaxsr.training.objectives.supervision import SUPERVISIONS, Supervision

Results = dict[int, Tree]  # what a network returns, in [0, 1], by scale


class Targets(NamedTuple):
    """What results are compared with: `batches`, the maps that SRNTT was given, and VGG19's weights."""

    batches: Batches
    swapped: Maps | None
    vgg_params: Params


@dataclasses.dataclass(frozen=True)
class Losses:
    """The pixel loss `element` reduced by `reduce`, of what `supervision` names, and the auxiliary losses.

    The generator's adversarial loss, with the weight `adversarial`, is added by the step that trains an adversary.
    """

    element: Loss
    reduce: Reduction
    supervision: Supervision = SUPERVISIONS["output"]
    fade: int = 1  # updates over which DRCN's recursions give way to their sum
    pixel: float = 1.0
    auxiliary: AuxiliaryLosses = dataclasses.field(default_factory=AuxiliaryLosses)
    adversarial: float = 0.0

    @property
    def call_kwargs(self) -> Mapping[str, bool]:
        """The keywords by which the network returns what is supervised."""
        return self.supervision.call_kwargs

    @property
    def vgg_params(self) -> Params:
        """VGG19's weights, {} where no loss needs them."""
        return self.auxiliary.features.params if self.auxiliary.features else {}

    def pixels(self, output: jax.Array, target: jax.Array) -> jax.Array:
        """Return the pixel loss; unpadded networks return less than they take, so `target` is cropped to that."""
        return self.reduce(self.element(output, center_crop(target, *output.shape[1:3])))

    def __call__(
        self, results: Results, targets: Targets, variables: Variables, step: jax.Array
    ) -> tuple[jax.Array, Metrics]:
        """Return the total, the mean over the scales, and by name what it is made of and the squared `error`.

        `variables` are the network's collections beside its weights, `step` the number of updates made before.
        """
        alpha = jnp.clip(1 - step / self.fade, 0, 1)
        each = [
            self._of_scale(results[scale], batch, targets, variables, alpha) for scale, batch in targets.batches.items()
        ]
        return jax.tree.map(lambda *scalars: jnp.stack(scalars).mean(), *each)

    def _of_scale(
        self, result: Tree, batch: Batch, targets: Targets, variables: Variables, alpha: jax.Array
    ) -> tuple[jax.Array, Metrics]:
        """Return the total of one scale, and its parts."""
        output = restored_image(result)
        pixel_loss, metrics = self.supervision.loss(self.pixels, result, batch, variables, alpha)
        hr = center_crop(batch.hr, *output.shape[1:3])
        auxiliary_loss, parts = self.auxiliary(targets.vgg_params, output, batch._replace(hr=hr), targets.swapped)
        metrics = {**metrics, **parts, "error": jnp.mean(jnp.square(output - hr))}
        return self.pixel * pixel_loss + auxiliary_loss, metrics

    def pixel_only(self) -> "Losses":
        """Return the losses of pretraining: the pixel loss alone."""
        return dataclasses.replace(self, pixel=1.0, auxiliary=AuxiliaryLosses(), adversarial=0.0)


def make_losses(config: Config) -> Losses:
    """Return the losses of `config`; raises UserError for an unknown name, and without the VGG19 weights it needs."""
    element, reduce = choose("loss", config.loss, LOSSES)
    return Losses(
        element=element,
        reduce=reduce,
        supervision=choose("supervision", config.supervision.name, SUPERVISIONS),
        fade=config.supervision.fade,
        pixel=config.pixel_weight,
        auxiliary=make_auxiliary(config),
        adversarial=config.adversarial.weight,
    )
