"""KernelGAN's optimisation of one photo, whole, as one program: a loop over traced state.

Bell-Kligler et al., NeurIPS 2019, section 4 and supplementary, with the constants of the published code. Each step
trains the generator, then the discriminator. Several photos, or seeds, are several examples of `jax.vmap`.
"""

import dataclasses
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax

from jaxsr.blind.kernelgan import regularizers
from jaxsr.blind.kernelgan.crops import DISCRIMINATOR_CROP, GENERATOR_CROP
from jaxsr.blind.kernelgan.loss_schedule import Schedule, first_schedule, hand_over, learning_rate, regularize
from jaxsr.models.kernelgan import (
    KERNEL_SIZE,
    Directions,
    Discriminator,
    Generator,
    Vectors,
    compose_kernel,
    cut_patches,
    discriminate,
    init_discriminator,
    init_generator,
    iterate,
    reduce_by,
    spectral_norms,
)

STEPS = 3000
NEVER = 2**31 - 1  # a step that no run reaches
FAKE_NOISE = 1 / 255  # standard deviation on the discriminator's own input, in [-1, 1]

adam = optax.scale_by_adam(b1=0.5, b2=0.999)


@dataclasses.dataclass(frozen=True)
class Fidelity:
    """What paper, published code and our own rules do differently.

    `real_noise` is the deviation, in [-1, 1], on the photo's crops, which stays in the photo if it `accumulates`.
    With `channel_sum` each plane's bicubic target is the sum of all three. The bicubic loss has done its work below
    `threshold`. `sparsity` is that regulariser's weight; the rate drops behind each `steps_per_rate`; the kernel is the
    mean over all steps from `mean_from`, else the last step's.
    """

    accumulates: bool
    real_noise: float
    channel_sum: bool
    threshold: float
    sparsity: float = 5.0
    steps_per_rate: int = 750
    mean_from: int = NEVER


PAPER = Fidelity(accumulates=False, real_noise=1 / 255, channel_sum=False, threshold=0.4 / 9)
PUBLISHED = Fidelity(accumulates=True, real_noise=2 / 255, channel_sum=True, threshold=0.4)
# Published rates drop so early that a kernel stays where chance has it by then, wider than narrow ones are. Without
# drops it wanders about the true one, and the mean over the wandering is near; a sparsity of 5 would narrow it too far.
STEADY = dataclasses.replace(PUBLISHED, sparsity=2.0, steps_per_rate=NEVER, mean_from=500)
# name -> the rules that seeds take in turns, even ones the first
FIDELITIES = {"paper": (PAPER,), "published_code": (PUBLISHED,), "steady": (STEADY,), "mixed": (PUBLISHED, STEADY)}


class State(NamedTuple):
    """Everything a step changes. `kernel` (13, 13) is the generator's before its last update, as published, or a mean.

    `noisy` (3, 26, 26), at `noisy_corner`, is what the next step writes into the photo. Written by its own step, when
    other crops still have to be read, it would copy the whole photo every time.
    """

    step: jax.Array
    key: jax.Array
    photo: jax.Array
    noisy: jax.Array
    noisy_corner: jax.Array
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
        noisy=photo[:, :DISCRIMINATOR_CROP, :DISCRIMINATOR_CROP],
        noisy_corner=jnp.zeros((2,), jnp.int32),
        kernel=jnp.zeros((KERNEL_SIZE, KERNEL_SIZE)),
        generator=generator,
        generator_moments=adam.init(generator),
        discriminator=discriminator,
        discriminator_moments=adam.init(discriminator),
        directions=directions,
        schedule=first_schedule(),
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
    if fidelity.accumulates:
        state = state._replace(photo=jax.lax.dynamic_update_slice(state.photo, state.noisy, (0, *state.noisy_corner)))
    key = jax.random.fold_in(jax.random.wrap_key_data(state.key), state.step)
    noise = jax.random.normal(key, (2, 3, DISCRIMINATOR_CROP, DISCRIMINATOR_CROP))
    crop = _cut(state.photo, corner, GENERATOR_CROP)
    real = _cut(state.photo, real_corner, DISCRIMINATOR_CROP) + fidelity.real_noise * noise[0]
    state = state._replace(noisy=real, noisy_corner=real_corner)
    vectors, directions = iterate(state.discriminator, state.directions, 3)  # for the passes of both halves
    first, others = (jax.tree.map(lambda side, rows=rows: side[rows], vectors) for rows in (slice(1), slice(1, 3)))
    target = regularizers.bicubic_target(crop, channel_sum=fidelity.channel_sum)
    state, loss, bicubic = _train_generator(state, first, crop, target, fidelity)
    fake = reduce_by(compose_kernel(state.generator), crop) + FAKE_NOISE * noise[1]
    state, own_loss = _train_discriminator(state, others, jnp.stack([real, fake], axis=1), fidelity)
    schedule = hand_over(state.schedule, state.step, bicubic, fidelity.threshold)
    state = state._replace(step=state.step + 1, directions=directions, schedule=schedule)
    return state, jnp.stack([loss, bicubic, own_loss])


def _train_generator(
    state: State, vectors: Vectors, crop: jax.Array, target: jax.Array, fidelity: Fidelity
) -> tuple[State, jax.Array, jax.Array]:
    """Return the state after the generator's step on `crop` (3, 64, 64), its loss, and the bicubic part unweighted."""
    norms = spectral_norms(state.discriminator, vectors)

    def loss_of(params: Generator) -> tuple[jax.Array, tuple[jax.Array, jax.Array]]:
        kernel = compose_kernel(params)
        output = reduce_by(kernel, crop)
        deceived = discriminate(state.discriminator, norms, cut_patches(output[:, None]))
        bicubic = jnp.mean(jnp.square(output - target))
        weighted = state.schedule.bicubic * bicubic
        penalty = regularize(kernel, state.schedule, fidelity.sparsity)
        return jnp.mean(1 - deceived) + weighted + penalty, (kernel, bicubic)

    (loss, (kernel, bicubic)), gradients = jax.value_and_grad(loss_of, has_aux=True)(state.generator)
    rate = learning_rate(state.step, fidelity.steps_per_rate)
    generator, moments = _descend(rate, gradients, state.generator_moments, state.generator)
    share = 1 / jnp.maximum(state.step - fidelity.mean_from + 1, 1)
    kernel = (1 - share) * state.kernel + share * kernel
    return state._replace(generator=generator, generator_moments=moments, kernel=kernel), loss, bicubic


def _train_discriminator(
    state: State, vectors: Vectors, crops: jax.Array, fidelity: Fidelity
) -> tuple[State, jax.Array]:
    """Return the state after the discriminator's step on `crops` (3, 2, 26, 26), real and fake, and its loss.

    They go together, but each with its own power iteration and its own statistics, as published.
    """
    patches = cut_patches(crops)

    def loss_of(params: Discriminator) -> jax.Array:
        answers = discriminate(params, spectral_norms(params, vectors), patches)
        return (jnp.mean(1 - answers[0]) + jnp.mean(answers[1])) / 2

    loss, gradients = jax.value_and_grad(loss_of)(state.discriminator)
    rate = learning_rate(state.step, fidelity.steps_per_rate)
    discriminator, moments = _descend(rate, gradients, state.discriminator_moments, state.discriminator)
    return state._replace(discriminator=discriminator, discriminator_moments=moments), loss


def _descend(rate: jax.Array, gradients: Any, moments: Any, params: Any) -> tuple[Any, Any]:
    """Return parameters and moments after a step of Adam."""
    updates, moments = adam.update(gradients, moments)
    return jax.tree.map(lambda p, update: p - rate * update, params, updates), moments


def _cut(photo: jax.Array, corner: jax.Array, size: int) -> jax.Array:
    return jax.lax.dynamic_slice(photo, (0, corner[0], corner[1]), (3, size, size))
