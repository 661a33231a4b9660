"""Which random numbers come from which key: a seed split once by purpose, and a numbered stream for each draw.

Two draws that share a key and a number would be correlated; so the numbers stand in one table, and nowhere else.
"""

import enum
import numbers

import jax
import numpy as np

from jaxsr.support.errors import UserError
from jaxsr.support.types import Key

SEED_BOUND = 2**32  # of larger seeds JAX, with integers of 32 bits, takes the lowest 32 bits alone


class Purpose(enum.IntEnum):
    """What a seed is split into, once."""

    INITIAL_WEIGHTS = 0
    INITIAL_CRITIC = 1
    TRAINING_STEPS = 2
    MOTION_BANK = 3
    RANDOM_VGG = 4


class Stream(enum.IntEnum):
    """The draws of one training example, each from its own stream of the example's key."""

    SYMMETRY = 1  # which of the 8 flips and quarter turns
    CONTRAST = 2  # whether, and how far, levels are stretched
    SCALE = 3  # which of several scales
    REDUCTION_NOISE = 4  # the noise of degradation "dn"
    BLUR_KERNEL = 5  # a random Gaussian kernel
    MOTION_NOISE = 6  # the noise on a motion-blurred photo
    REAL_PAIR = 7  # whether the example is a real pair or made here
    MOTION_KERNEL = 8  # which kernel of the bank
    PENALTY = 9  # where the gradient penalty is taken
    DROPOUT = 10
    TRUE_TEXTURE = 11  # whether SRNTT's textures come from the sharp photo itself
    REAL_PHOTO = 12  # all of degradation "real"


class StageStream(enum.IntEnum):
    """The two stages of degradation "real", from streams of a photo's key, and the draws of each stage from its own."""

    FIRST = 1
    SECOND = 2
    NUMBERS = 3  # all that is one number, such as the strength of the noise
    NOISE = 4


class PhotoStream(enum.IntEnum):
    """The draws for one photo of a test set, beside its kernel, from streams of the photo's key."""

    EXPOSURE = 1  # which share of a camera shake's time


class LearningStream(enum.IntEnum):
    """What ZSSR draws for one photo, from streams of the photo's key."""

    INITIAL_WEIGHTS = 1
    STEPS = 2


def check_seed(seed: int, count: int = 1) -> None:
    """Raise UserError unless `seed`, and the `count` seeds from it on, are whole numbers that JAX takes as one."""
    if not isinstance(seed, numbers.Integral):
        raise UserError(f"seed={seed!r} is not a whole number; the default is 0")
    if seed < 0:
        raise UserError(f"seed={seed} must be at least 0; set seed=0 or more")
    if seed + count > SEED_BOUND:
        raise UserError(f"seed={seed} must be at most {SEED_BOUND - count}; set a smaller one")


def check_key(key: object) -> None:
    """Raise UserError unless `key` is one PRNG key, by `jax.random.key` or as a raw array by `jax.random.PRNGKey`."""
    if not (isinstance(key, jax.Array) and _holds_keys(key, 0)):
        what = f"key of shape {key.shape}" if isinstance(key, jax.Array | np.ndarray) else f"key={key!r}"
        raise UserError(f"{what} is not a PRNG key; make one: key=jax.random.key(0)")


def check_keys(keys: Key, photos: int) -> None:
    """Raise UserError unless there is one of `keys` for each of so many photos: one for all would serve them alike."""
    is_array = isinstance(keys, jax.Array | np.ndarray)
    if not (is_array and _holds_keys(keys, 1)) or len(keys) != photos:
        what = f"shape {keys.shape} of {keys.dtype}" if is_array else repr(keys)
        raise UserError(f"{photos} photos need as many keys; got {what}: jax.random.split(key, N)")


def _holds_keys(array: Key | np.ndarray, axes: int) -> bool:
    """Return whether `array` holds PRNG keys along so many axes; raw ones have one more."""
    typed = jax.dtypes.issubdtype(array.dtype, jax.dtypes.prng_key)
    return array.ndim == axes if typed else array.dtype == np.uint32 and array.ndim == axes + 1


def seed_key(seed: int, purpose: Purpose) -> jax.Array:
    """Return the key of `seed` for one `purpose`."""
    return jax.random.fold_in(jax.random.key(seed), int(purpose))


def stream(key: jax.Array, which: enum.IntEnum) -> jax.Array:
    """Return the key of one stream of `key`."""
    return jax.random.fold_in(key, int(which))


def streams(keys: jax.Array, which: Stream) -> jax.Array:
    """Return the keys (N,) of one stream of each of `keys` (N,)."""
    return jax.vmap(lambda key: stream(key, which))(keys)
