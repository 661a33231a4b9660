"""KernelGAN's optimisation of one photo, whole, as one program: a loop over traced state.

Bell-Kligler et al., NeurIPS 2019, section 4 and supplementary, with the constants of the published code. Each step
trains the generator, then the discriminator. Several photos, or seeds, are several examples of `jax.vmap`.
"""

import dataclasses
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax

from jaxsr.blind import losses
from jaxsr.blind.crops import DISCRIMINATOR_CROP, GENERATOR_CROP
from jaxsr.models.kernelgan import (
    KERNEL_SIZE,
    Directions,
    Discriminator,
    Generator,
    compose_kernel,
    cut_patches,
    discriminate,
    init_discriminator,
    init_generator,
    reduce_by,
    spectral_norms,
)

STEPS = 3000
RATE, RATE_DROP, STEPS_PER_RATE = 2e-4, 0.1, 750
FAKE_NOISE = 1 / 255  # standard deviation on the discriminator's own input, in [-1, 1]
BICUBIC_START, BICUBIC_DROP, BICUBIC_END = 5.0, 0.01, 5e-6
HANDED_OVER = 5e-3  # below this weight of the bicubic loss, centre and sparsity count
STEPS_BELOW, STEPS_PER_DROP = 3, 200

adam = optax.scale_by_adam(b1=0.5, b2=0.999)


@dataclasses.dataclass(frozen=True)
class Fidelity:
    """What paper and published code do differently.

    `real_noise` is the deviation, in [-1, 1], on the photo's crops, which stays in the photo if it `accumulates`.
    With `channel_sum` each plane's bicubic target is the sum of all three. The bicubic loss has done its work below
    `threshold`.
    """

    accumulates: bool
    real_noise: float
    channel_sum: bool
    threshold: float


FIDELITIES = {
    "paper": Fidelity(accumulates=False, real_noise=1 / 255, channel_sum=False, threshold=0.4 / 9),
    "published_code": Fidelity(accumulates=True, real_noise=2 / 255, channel_sum=True, threshold=0.4),
}


class Schedule(NamedTuple):
    """The bicubic loss's weight, for how many steps running the loss was low, and whether that was long enough."""

    bicubic: jax.Array
    below: jax.Array
    reached: jax.Array


class State(NamedTuple):
    """Everything a step changes. `kernel` (13, 13) is the generator's before its last update, as published."""

    step: jax.Array
    key: jax.Array
    photo: jax.Array
    kernel: jax.Array
    generator: Generator
    generator_moments: Any
    discriminator: Discriminator
    discriminator_moments: Any
    directions: Directions
    schedule: Schedule


def start(key: jax.Array, photo: jax.Array) -> State:
    """Return the state before the first step on `photo`, three planes (3, H, W) in [-1, 1]."""
    generator_key, discriminator_key, noise_key = jax.random.split(key, 3)
    generator = init_generator(generator_key)
    discriminator, directions = init_discriminator(discriminator_key)
    return State(
        step=jnp.int32(0),
        key=jax.random.key_data(noise_key),
        photo=photo,
        kernel=jnp.zeros((KERNEL_SIZE, KERNEL_SIZE)),
        generator=generator,
        generator_moments=adam.init(generator),
        discriminator=discriminator,
        discriminator_moments=adam.init(discriminator),
        directions=directions,
        schedule=Schedule(jnp.float32(BICUBIC_START), jnp.int32(0), jnp.bool_(False)),
    )


def train(
    state: State, corners: tuple[jax.Array, jax.Array], last: jax.Array, *, fidelity: Fidelity
) -> tuple[State, jax.Array]:
    """Return the state after all steps before `last`, and the losses (steps, 3), 0 for steps not made in this call.

    `corners`, two (steps, 2), are those of the generator's and the discriminator's crops of all steps; the losses the
    generator's, its bicubic part unweighted, and the discriminator's. The state knows where to go on.
    """

    def body(i: jax.Array, carry: tuple[State, jax.Array]) -> tuple[State, jax.Array]:
        state, told = step(carry[0], corners[0][i], corners[1][i], fidelity=fidelity)
        return state, carry[1].at[i].set(told)

    # of traced length, so that one program serves any, and progress changes no bit of the result
    return jax.lax.fori_loop(state.step, last, body, (state, jnp.zeros((len(corners[0]), 3))))


def step(state: State, corner: jax.Array, real_corner: jax.Array, *, fidelity: Fidelity) -> tuple[State, jax.Array]:
    """Return the state after one step, with crops at two corners (2,), and its losses (3,)."""
    crop = _cut(state.photo, corner, GENERATOR_CROP)
    real = _cut(state.photo, real_corner, DISCRIMINATOR_CROP)
    key = jax.random.fold_in(jax.random.wrap_key_data(state.key), state.step)
    noise = jax.random.normal(key, (2, *real.shape))
    real = real + fidelity.real_noise * noise[0]
    norms, directions = spectral_norms(state.discriminator, state.directions)

    def generator_loss(params: Generator) -> tuple[jax.Array, tuple[jax.Array, jax.Array]]:
        kernel = compose_kernel(params)
        output = reduce_by(kernel, crop)
        deceived = discriminate(state.discriminator, norms, cut_patches(output))
        target = losses.bicubic_target(crop, channel_sum=fidelity.channel_sum)
        bicubic = jnp.mean(jnp.square(output - target))
        weighted = state.schedule.bicubic * bicubic
        return jnp.mean(1 - deceived) + weighted + regularize(kernel, state.schedule), (kernel, bicubic)

    found = jax.value_and_grad(generator_loss, has_aux=True)(state.generator)
    (loss, (kernel, bicubic)), gradients = found
    generator, generator_moments = _descend(state.step, gradients, state.generator_moments, state.generator)
    fake = reduce_by(compose_kernel(generator), crop) + FAKE_NOISE * noise[1]
    patches = (cut_patches(real), cut_patches(fake))

    def discriminator_loss(params: Discriminator) -> tuple[jax.Array, Directions]:
        real_norms, after_real = spectral_norms(params, directions)
        fake_norms, after_fake = spectral_norms(params, after_real)
        answers = (discriminate(params, real_norms, patches[0]), discriminate(params, fake_norms, patches[1]))
        return (jnp.mean(1 - answers[0]) + jnp.mean(answers[1])) / 2, after_fake

    found = jax.value_and_grad(discriminator_loss, has_aux=True)(state.discriminator)
    (own_loss, directions), gradients = found
    discriminator, moments = _descend(state.step, gradients, state.discriminator_moments, state.discriminator)
    photo = state.photo
    if fidelity.accumulates:
        photo = jax.lax.dynamic_update_slice(photo, real, (0, *real_corner))
    state = State(
        step=state.step + 1,
        key=state.key,
        photo=photo,
        kernel=kernel,
        generator=generator,
        generator_moments=generator_moments,
        discriminator=discriminator,
        discriminator_moments=moments,
        directions=directions,
        schedule=hand_over(state.schedule, state.step, bicubic, fidelity.threshold),
    )
    return state, jnp.stack([loss, bicubic, own_loss])


def regularize(kernel: jax.Array, schedule: Schedule) -> jax.Array:
    """Return the four weighted regularisers of `kernel` (13, 13); centre and sparsity wait for the bicubic loss."""
    on = schedule.bicubic < HANDED_OVER
    waiting = jnp.where(on, kernel, 1 / kernel.size)  # a first kernel of sum 0 has no centre, and a slope without end
    late = jnp.where(on, losses.centre(waiting) + 5 * losses.sparsity(waiting), 0)
    return 0.5 * losses.sum_to_one(kernel) + 0.5 * losses.boundaries(kernel) + late


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


def learning_rate(step: jax.Array) -> jax.Array:
    """Return the rate of both networks at `step`, from 0; it drops behind each 750th."""
    return RATE * RATE_DROP ** (jnp.maximum(step - 1, 0) // STEPS_PER_RATE)


def _descend(step: jax.Array, gradients: Any, moments: Any, params: Any) -> tuple[Any, Any]:
    """Return parameters and moments after a step of Adam."""
    rate = learning_rate(step)
    updates, moments = adam.update(gradients, moments)
    return jax.tree.map(lambda p, update: p - rate * update, params, updates), moments


def _cut(photo: jax.Array, corner: jax.Array, size: int) -> jax.Array:
    return jax.lax.dynamic_slice(photo, (0, corner[0], corner[1]), (3, size, size))
