"""What the pixel loss is taken of: a network's image, each recursion of DRCN, each level of LapSRN, DAN's kernel.

A supervision is a function `(pixels, result, batch, variables, alpha) -> (loss, metrics)`: `pixels(output, target)` is
the pixel loss as one number, `result` what the network returned, `variables` its collections beside the weights, and
`alpha`, for DRCN, falls from 1 to 0 in training; `metrics` are further scalars for the log.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import jax
import jax.numpy as jnp

from jaxsr.imaging.resize import resize
from jaxsr.models import restored_image
from jaxsr.support.types import Metrics, Tree, Variables
from jaxsr.training.batches import Batch

Pixels = Callable[[jax.Array, jax.Array], jax.Array]  # (output, target) -> ()
Supervised = tuple[jax.Array, Metrics]  # the loss, and further scalars for the log


def of_output(pixels: Pixels, result: Tree, batch: Batch, variables: Variables, alpha: jax.Array) -> Supervised:
    """Return the loss of the restored image."""
    return pixels(restored_image(result), batch.hr), {}


def of_recursions(pixels: Pixels, result: Tree, batch: Batch, variables: Variables, alpha: jax.Array) -> Supervised:
    """Return DRCN's: alpha times the mean over the recursions' own images, 1 - alpha times the weighted sum's.

    Source: section 3.3; the paper leaves the schedule of alpha open.
    """
    own = jax.vmap(pixels, (0, None))(result.each, batch.hr).mean()
    return alpha * own + (1 - alpha) * pixels(result.sr, batch.hr), {}


def of_levels(pixels: Pixels, result: Tree, batch: Batch, variables: Variables, alpha: jax.Array) -> Supervised:
    """Return LapSRN's: the sum over all levels, each against the HR patch reduced by bicubic (section 3.2)."""
    total, hr = jnp.zeros(()), batch.hr
    for level in result.levels:
        target = hr if level.shape == hr.shape else resize(hr, level.shape[1] / hr.shape[1])
        total = total + pixels(level, target)
    return total, {}


def of_kernel(pixels: Pixels, result: Tree, batch: Batch, variables: Variables, alpha: jax.Array) -> Supervised:
    """Return DAN's: the last image's loss plus the mean absolute error of the last round's estimate of the kernel.

    That is of its code in DANv1, of the whole kernel in DANv2. The log gets the error of each round, as
    `kernel_error_1` and so on.
    """
    errors, metrics = _kernel_errors(result, batch, variables)
    return pixels(result.sr, batch.hr) + errors[-1], metrics


def of_kernels(pixels: Pixels, result: Tree, batch: Batch, variables: Variables, alpha: jax.Array) -> Supervised:
    """Return `of_kernel` with the mean over all rounds' estimates, from each of which the estimator then learns."""
    errors, metrics = _kernel_errors(result, batch, variables)
    return pixels(result.sr, batch.hr) + errors.mean(), metrics


def _kernel_errors(result: Tree, batch: Batch, variables: Variables) -> tuple[jax.Array, Metrics]:
    """Return the mean absolute error of the estimate of each round (R,), and the same for the log."""
    assert batch.kernels is not None, "checked before: the patches are blurred by known kernels"
    estimates, target = result.kernels, batch.kernels
    if estimates is None:
        basis = variables["constants"]["basis"]
        estimates = result.codes
        target = jnp.matmul(target.reshape(len(target), -1), basis, precision="highest")  # as DANv2's codes are made
    errors = jnp.abs(estimates - target[None]).reshape(len(estimates), -1).mean(axis=1)
    return errors, {f"kernel_error_{i}": error for i, error in enumerate(errors, start=1)}


class Supervision(NamedTuple):
    """A loss of this module, the keywords by which a network returns what it needs, and whether that is a kernel."""

    loss: Callable[[Pixels, Tree, Batch, Variables, jax.Array], Supervised]
    call_kwargs: Mapping[str, bool]
    needs_kernels: bool = False


SUPERVISIONS = {
    "output": Supervision(of_output, {}),
    "recursions": Supervision(of_recursions, {"recursions": True}),
    "levels": Supervision(of_levels, {"levels": True}),
    "kernel": Supervision(of_kernel, {}, needs_kernels=True),
    "kernels": Supervision(of_kernels, {"each_round": True}, needs_kernels=True),
}
