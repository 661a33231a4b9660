"""How KernelGAN's loss weights and learning rate change: first the bicubic loss dominates, then the regularisers.

Bell-Kligler et al., NeurIPS 2019, supplementary, with the constants of the published code.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from jaxsr.blind.kernelgan import regularizers

RATE, RATE_DROP = 2e-4, 0.1
BICUBIC_START, BICUBIC_DROP, BICUBIC_END = 5.0, 0.01, 5e-6
LATE_WEIGHT = 5e-3  # centre and sparsity count once the bicubic loss's weight is below this
STEPS_BELOW, STEPS_PER_DROP = 3, 200


class Schedule(NamedTuple):
    """The weight of the bicubic loss, how many steps in a row that loss was low, and whether it was long enough."""

    bicubic: jax.Array
    below: jax.Array
    reached: jax.Array


def first_schedule() -> Schedule:
    """Return the schedule before the first step."""
    return Schedule(jnp.float32(BICUBIC_START), jnp.int32(0), jnp.bool_(False))


def hand_over(schedule: Schedule, step: jax.Array, bicubic: jax.Array, threshold: float) -> Schedule:
    """Return the schedule after `step`, whose bicubic loss was `bicubic`; the first step does not count.

    From the time that the loss was below `threshold` in 3 steps in a row, every 200th step divides the loss's weight by
    100.
    """
    counts = step > 0
    below = jnp.where(counts & (bicubic < threshold), schedule.below + 1, 0)
    reached = schedule.reached | (below >= STEPS_BELOW)
    due = counts & schedule.reached & (step % STEPS_PER_DROP == 0)
    dropped = jnp.maximum(schedule.bicubic * BICUBIC_DROP, BICUBIC_END)
    return Schedule(jnp.where(due, dropped, schedule.bicubic), below, reached)


def regularize(kernel: jax.Array, schedule: Schedule, sparsity: float) -> jax.Array:
    """Return the weighted sum of the four regularisers of `kernel` (13, 13).

    Centre and sparsity count only once the weight of the bicubic loss has dropped.
    """
    on = schedule.bicubic < LATE_WEIGHT
    # A first kernel of sum 0 has no centre, and its gradient would be infinite even where the result is not used
    safe = jnp.where(on, kernel, 1 / kernel.size)
    late = jnp.where(on, regularizers.centre(safe) + sparsity * regularizers.sparsity(safe), 0)
    return 0.5 * regularizers.sum_to_one(kernel) + 0.5 * regularizers.boundaries(kernel) + late


def learning_rate(step: jax.Array, steps_per_rate: int) -> jax.Array:
    """Return the learning rate of both networks at `step`, from 0; it drops to a tenth after each `steps_per_rate`."""
    return RATE * RATE_DROP ** (jnp.maximum(step - 1, 0) // steps_per_rate)
