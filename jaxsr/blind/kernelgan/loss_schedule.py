"""How KernelGAN's weights and rates change: the bicubic loss hands over to the regularisers, the rate drops.

Bell-Kligler et al., NeurIPS 2019, supplementary, with the constants of the published code.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from jaxsr.blind.kernelgan import regularizers

RATE, RATE_DROP = 2e-4, 0.1
BICUBIC_START, BICUBIC_DROP, BICUBIC_END = 5.0, 0.01, 5e-6
HANDED_OVER = 5e-3  # below this weight of the bicubic loss, centre and sparsity count
STEPS_BELOW, STEPS_PER_DROP = 3, 200


class Schedule(NamedTuple):
    """The bicubic loss's weight, for how many steps running the loss was low, and whether that was long enough."""

    bicubic: jax.Array
    below: jax.Array
    reached: jax.Array


def first_schedule() -> Schedule:
    """Return the schedule before the first step."""
    return Schedule(jnp.float32(BICUBIC_START), jnp.int32(0), jnp.bool_(False))


def hand_over(schedule: Schedule, step: jax.Array, bicubic: jax.Array, threshold: float) -> Schedule:
    """Return the schedule after `step`, whose bicubic loss was `bicubic`; the first step does not count.

    Once the loss was below `threshold` for 3 steps running, every 200th step divides its weight by 100.
    """
    counts = step > 0
    below = jnp.where(counts & (bicubic < threshold), schedule.below + 1, 0)
    reached = schedule.reached | (below >= STEPS_BELOW)
    due = counts & reached & (step % STEPS_PER_DROP == 0)
    dropped = jnp.maximum(schedule.bicubic * BICUBIC_DROP, BICUBIC_END)
    return Schedule(jnp.where(due, dropped, schedule.bicubic), below, reached)


def regularize(kernel: jax.Array, schedule: Schedule, sparsity: float) -> jax.Array:
    """Return the four weighted regularisers of `kernel` (13, 13); centre and sparsity wait for the bicubic loss."""
    on = schedule.bicubic < HANDED_OVER
    waiting = jnp.where(on, kernel, 1 / kernel.size)  # a first kernel of sum 0 has no centre, and a slope without end
    late = jnp.where(on, regularizers.centre(waiting) + sparsity * regularizers.sparsity(waiting), 0)
    return 0.5 * regularizers.sum_to_one(kernel) + 0.5 * regularizers.boundaries(kernel) + late


def learning_rate(step: jax.Array, steps_per_rate: int) -> jax.Array:
    """Return the rate of both networks at `step`, from 0; it drops behind each of `steps_per_rate`."""
    return RATE * RATE_DROP ** (jnp.maximum(step - 1, 0) // steps_per_rate)
