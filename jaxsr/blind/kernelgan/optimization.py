"""A whole run of KernelGAN on one photo as one program: a loop that carries the state of the training.

Bell-Kligler et al., NeurIPS 2019, section 4 and supplementary, with the constants of the published code. Each step
trains the generator, then the discriminator. `jax.vmap` runs several photos, or seeds, at the same time.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import optax

from jaxsr.blind.kernelgan import regularizers
from jaxsr.blind.kernelgan.crops import DISCRIMINATOR_CROP, GENERATOR_CROP
from jaxsr.blind.kernelgan.loss_schedule import Schedule, first_schedule, hand_over, learning_rate, regularize
from jaxsr.blind.kernelgan.recipes import Recipe
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
from jaxsr.support.types import Tree

FAKE_NOISE = 1 / 255  # standard deviation of the noise added to the generator's output, in [-1, 1]

adam = optax.scale_by_adam(b1=0.5, b2=0.999)


class State(NamedTuple):
    """Everything a step changes.

    `kernel` (13, 13) is the generator's before its last update, as published, or a mean over steps. `noisy`
    (3, 26, 26) is the noisy crop that the next step writes into the photo at `noisy_corner`. If its own step wrote it,
    while other crops still have to be read, XLA would copy the whole photo in every step.
    """

    step: jax.Array
    key: jax.Array
    photo: jax.Array
    noisy: jax.Array
    noisy_corner: jax.Array
    kernel: jax.Array
    generator: Generator
    generator_moments: optax.OptState
    discriminator: Discriminator
    discriminator_moments: optax.OptState
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
    state: State, corners: tuple[jax.Array, jax.Array], last: jax.Array, *, recipe: Recipe
) -> tuple[State, jax.Array]:
    """Return the state after all steps before `last`, and the losses (steps, 3), 0 for steps not made in this call.

    Training continues at `state.step`. `corners` are the top left corners of the generator's and of the discriminator's
    crops in all steps, each (steps, 2). The losses are the generator's, its bicubic part unweighted, and the
    discriminator's.
    """

    def body(i: jax.Array, carry: tuple[State, jax.Array]) -> tuple[State, jax.Array]:
        state, losses = step(carry[0], corners[0][i], corners[1][i], recipe=recipe)
        return state, carry[1].at[i].set(losses)

    # The length is traced: one program serves any number of steps, and reporting progress changes no bit of the result
    return jax.lax.fori_loop(state.step, last, body, (state, jnp.zeros((len(corners[0]), 3))))


def step(state: State, corner: jax.Array, real_corner: jax.Array, *, recipe: Recipe) -> tuple[State, jax.Array]:
    """Return the state after one step, on the crops at `corner` and `real_corner` (2,), and its losses (3,)."""
    if recipe.accumulates:
        state = state._replace(photo=jax.lax.dynamic_update_slice(state.photo, state.noisy, (0, *state.noisy_corner)))
    key = jax.random.fold_in(jax.random.wrap_key_data(state.key), state.step)
    noise = jax.random.normal(key, (2, 3, DISCRIMINATOR_CROP, DISCRIMINATOR_CROP))
    crop = _cut(state.photo, corner, GENERATOR_CROP)
    real = _cut(state.photo, real_corner, DISCRIMINATOR_CROP) + recipe.real_noise * noise[0]
    state = state._replace(noisy=real, noisy_corner=real_corner)
    vectors, directions = iterate(state.discriminator, state.directions, 3)
    # The generator's step passes the discriminator once, the discriminator's own step twice
    first, others = (jax.tree.map(lambda side, rows=rows: side[rows], vectors) for rows in (slice(1), slice(1, 3)))
    target = regularizers.bicubic_target(crop, channel_sum=recipe.channel_sum)
    state, loss, bicubic = _train_generator(state, first, crop, target, recipe)
    fake = reduce_by(compose_kernel(state.generator), crop) + FAKE_NOISE * noise[1]
    state, discriminator_loss = _train_discriminator(state, others, jnp.stack([real, fake], axis=1), recipe)
    schedule = hand_over(state.schedule, state.step, bicubic, recipe.threshold)
    state = state._replace(step=state.step + 1, directions=directions, schedule=schedule)
    return state, jnp.stack([loss, bicubic, discriminator_loss])


def _train_generator(
    state: State, vectors: Vectors, crop: jax.Array, target: jax.Array, recipe: Recipe
) -> tuple[State, jax.Array, jax.Array]:
    """Return the state after the generator's step on `crop` (3, 64, 64), its loss, and the bicubic part unweighted."""
    norms = spectral_norms(state.discriminator, vectors)

    def loss_of(params: Generator) -> tuple[jax.Array, tuple[jax.Array, jax.Array]]:
        kernel = compose_kernel(params)
        output = reduce_by(kernel, crop)
        fake_score = discriminate(state.discriminator, norms, cut_patches(output[:, None]))
        bicubic = jnp.mean(jnp.square(output - target))
        weighted = state.schedule.bicubic * bicubic
        penalty = regularize(kernel, state.schedule, recipe.sparsity)
        return jnp.mean(1 - fake_score) + weighted + penalty, (kernel, bicubic)

    (loss, (kernel, bicubic)), gradients = jax.value_and_grad(loss_of, has_aux=True)(state.generator)
    rate = learning_rate(state.step, recipe.steps_per_rate)
    generator, moments = _descend(rate, gradients, state.generator_moments, state.generator)
    share = 1 / jnp.maximum(state.step - recipe.mean_from + 1, 1)
    kernel = (1 - share) * state.kernel + share * kernel
    return state._replace(generator=generator, generator_moments=moments, kernel=kernel), loss, bicubic


def _train_discriminator(state: State, vectors: Vectors, crops: jax.Array, recipe: Recipe) -> tuple[State, jax.Array]:
    """Return the state after the discriminator's step on `crops` (3, 2, 26, 26), real and fake, and its loss.

    Both are in one batch, but each with its own power iteration and its own batch statistics, as published.
    """
    patches = cut_patches(crops)

    def loss_of(params: Discriminator) -> jax.Array:
        scores = discriminate(params, spectral_norms(params, vectors), patches)  # of real and fake
        return (jnp.mean(1 - scores[0]) + jnp.mean(scores[1])) / 2

    loss, gradients = jax.value_and_grad(loss_of)(state.discriminator)
    rate = learning_rate(state.step, recipe.steps_per_rate)
    discriminator, moments = _descend(rate, gradients, state.discriminator_moments, state.discriminator)
    return state._replace(discriminator=discriminator, discriminator_moments=moments), loss


def _descend(rate: jax.Array, gradients: Tree, moments: optax.OptState, params: Tree) -> tuple[Tree, optax.OptState]:
    """Return parameters and moments after a step of Adam."""
    updates, moments = adam.update(gradients, moments)
    return jax.tree.map(lambda p, update: p - rate * update, params, updates), moments


def _cut(photo: jax.Array, corner: jax.Array, size: int) -> jax.Array:
    return jax.lax.dynamic_slice(photo, (0, corner[0], corner[1]), (3, size, size))
