"""The path of a camera during an exposure, drawn at random: DeblurGAN's, of inertia, tremor and sudden turns.

Positions are complex numbers, real part to the right and imaginary part down, in pixels.
Source: Kupyn et al., "DeblurGAN", CVPR 2018, algorithm 1, after Boracchi and Foi, "Modeling the Performance of Image
Restoration From Motion Blur", IEEE Transactions on Image Processing 2012; constants are those of DeblurGAN's code.
"""

from collections.abc import Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp

from jaxsr.support.errors import UserError
from jaxsr.support.types import Key

JITTER = (0.01, 0.009, 0.008, 0.007, 0.005, 0.003)  # levels of jitter, of the authors' demonstration


class Shake(NamedTuple):
    """The random numbers of N paths of M positions: how they move, and what happens at each of M - 1 steps."""

    anxiety: jax.Array  # (N,), how much the other forces count; 0 is a straight line
    centripetal: jax.Array  # (N,), the pull to the start
    jerk: jax.Array  # (N,), how likely the direction flips
    tremor: jax.Array  # (N,), the deviation of the noise
    angle: jax.Array  # (N,), radians, the first direction
    chances: jax.Array  # (M - 1, N) in [0, 1), below which a flip happens
    turns: jax.Array  # (M - 1, N), radians, by how much a flip misses
    noise: jax.Array  # (M - 1, N), complex normal


def draw_shake(key: Key, count: int, *, steps: int = 2000, jitter: Sequence[float] = JITTER) -> Shake:
    """Return the random numbers of `count` paths of `steps` positions; the anxiety is one of `jitter`."""
    if steps < 1:
        raise UserError(f"steps={steps} makes no path; use at least 1")
    keys = jax.random.split(key, 8)
    each, every = (count,), (steps - 1, count)
    return Shake(
        anxiety=jax.random.choice(keys[0], jnp.array(jitter, jnp.float32), each),
        centripetal=0.7 * jax.random.uniform(keys[1], each),
        jerk=0.2 * jax.random.uniform(keys[2], each),
        tremor=10 * jax.random.uniform(keys[3], each),
        angle=2 * jnp.pi * jax.random.uniform(keys[4], each),
        chances=jax.random.uniform(keys[5], every),
        turns=jax.random.uniform(keys[6], every, minval=-0.5, maxval=0.5),
        noise=jax.lax.complex(*jax.random.normal(keys[7], (2, *every))),
    )


def trajectories(shake: Shake, *, length: float = 60.0) -> jax.Array:
    """Return the paths (N, M), complex64, from 0 on, each `length` pixels long in M - 1 equal steps."""
    steps = len(shake.chances)
    pace = length / max(steps, 1)
    start = jnp.exp(1j * shake.angle) * jnp.where(shake.anxiety > 0, shake.anxiety, pace)

    def step(carry: tuple[jax.Array, jax.Array], drawn: tuple[jax.Array, ...]) -> tuple[tuple, jax.Array]:
        place, velocity = carry
        chance, turn, noise = drawn
        flip = jnp.where(chance < shake.jerk * shake.anxiety, -2 * jnp.exp(1j * turn), 0)
        force = shake.tremor * noise - shake.centripetal * place
        velocity = velocity * (1 + flip) + shake.anxiety * pace * force
        velocity = velocity * (pace / jnp.abs(velocity))
        place = place + velocity
        return (place, velocity), place

    _, places = jax.lax.scan(step, (0 * start, start), (shake.chances, shake.turns, shake.noise))
    return jnp.concatenate([0 * start[None], places]).T


def draw_paths(key: Key, count: int, *, steps: int, jitter: Sequence[float], length: float) -> jax.Array:
    """Return `count` random paths (N, steps), each `length` pixels long."""
    return trajectories(draw_shake(key, count, steps=steps, jitter=jitter), length=length)
