"""What the loss is taken of: a network's output, each recursion of DRCN, each level of LapSRN, DAN's kernel."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp

from jaxsr.imaging.patches import center_crop
from jaxsr.imaging.resize import resize
from jaxsr.losses.pixel import LOSSES
from jaxsr.support.errors import choose
from jaxsr.training.config import Config
from jaxsr.training.pairs import Pair

PixelLoss = Callable[[jax.Array, jax.Array], jax.Array]
Found = tuple[jax.Array, jax.Array, dict[str, jax.Array]]


@dataclasses.dataclass(frozen=True)
class Objective:
    """`asks` are the keywords that make the network return what `loss(result, pair, variables, step)` needs.

    `loss` gives the scalar to minimise, the restored batch, for the PSNR, and further scalars for the log.
    """

    loss: Callable[[Any, Pair, Any, jax.Array], Found]
    asks: Mapping[str, bool] = dataclasses.field(default_factory=dict)


def make_objective(config: Config) -> Objective:
    """Return the objective of `config.supervision.name`, measured by `config.loss`."""
    per_element, reduce = choose("loss", config.loss, LOSSES)

    def pixel_loss(output: jax.Array, sharp: jax.Array) -> jax.Array:
        target = center_crop(sharp, *output.shape[1:3])  # unpadded networks return less than they take
        return reduce(per_element(output=output, target=target))

    objectives = {"output": of_output, "recursions": of_recursions, "levels": of_levels, "kernel": of_kernel}
    return choose("supervision", config.supervision.name, objectives)(pixel_loss, config)


def of_output(pixel_loss: PixelLoss, config: Config) -> Objective:
    """Return the loss of what the network returns."""
    return Objective(lambda output, pair, variables, step: (pixel_loss(output, pair.sharp), output, {}))


def of_recursions(pixel_loss: PixelLoss, config: Config) -> Objective:
    """Return DRCN's: alpha times the mean over the recursions' own results, 1 - alpha times the weighted sum's.

    Alpha falls from 1 to 0 over `supervision.fade` updates (section 3.3, equations 5 to 7; the paper leaves the
    schedule open).
    """

    def loss(result: Any, pair: Pair, variables: Any, step: jax.Array) -> Found:
        alpha = jnp.clip(1 - step / config.supervision.fade, 0, 1)
        each = jax.vmap(pixel_loss, (0, None))(result.each, pair.sharp).mean()
        return alpha * each + (1 - alpha) * pixel_loss(result.sr, pair.sharp), result.sr, {}

    return Objective(loss, {"recursions": True})


def of_levels(pixel_loss: PixelLoss, config: Config) -> Objective:
    """Return LapSRN's: the sum over all levels, each against the sharp patch reduced by bicubic (section 3.2)."""

    def loss(result: Any, pair: Pair, variables: Any, step: jax.Array) -> Found:
        total, sharp = jnp.zeros(()), pair.sharp
        for level in result.levels:
            target = sharp if level.shape == sharp.shape else resize(sharp, level.shape[1] / sharp.shape[1])
            total = total + pixel_loss(level, target)
        return total, result.sr, {}

    return Objective(loss, {"levels": True})


def of_kernel(pixel_loss: PixelLoss, config: Config) -> Objective:
    """Return DAN's: the last image's loss and the mean absolute error of what the last round says of the kernel.

    That is the code in DANv1, the whole kernel in DANv2. The log gets the error of each round, as `kernel_error_1` ...
    """

    def loss(result: Any, pair: Pair, variables: Any, step: jax.Array) -> Found:
        assert pair.kernels is not None, "checked before: the patches are blurred by known kernels"
        found, truth = result.kernels, pair.kernels
        if found is None:
            basis = variables["constants"]["basis"]
            found, truth = result.codes, truth.reshape(len(truth), -1) @ basis
        errors = jnp.abs(found - truth[None]).reshape(len(found), -1).mean(axis=1)
        told = {f"kernel_error_{i}": error for i, error in enumerate(errors, start=1)}
        return pixel_loss(result.sr, pair.sharp) + errors[-1], result.sr, told

    return Objective(loss)
