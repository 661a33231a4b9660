"""The streams are the numbers that runs and published weights were made with, and no two draws share one."""

import jax
import numpy as np
import pytest

from jaxsr.support.errors import UserError
from jaxsr.support.randomness import (
    LearningStream,
    PhotoStream,
    Purpose,
    Stream,
    check_keys,
    seed_key,
    stream,
    streams,
)


def data(key):
    return jax.random.key_data(key).tolist()


@pytest.mark.parametrize("names", [Purpose, Stream, PhotoStream, LearningStream])
def test_numbers_are_distinct(names):
    """IntEnum makes a second name of a number an alias, which would correlate two draws without a word."""
    assert len({int(member) for member in names.__members__.values()}) == len(names.__members__)


def test_numbers_stay():
    """Renumbering would change every run of a seed."""
    assert {member.name: int(member) for member in Stream} == {
        **{"SYMMETRY": 1, "CONTRAST": 2, "SCALE": 3, "REDUCTION_NOISE": 4, "BLUR_KERNEL": 5, "MOTION_NOISE": 6},
        **{"REAL_PAIR": 7, "MOTION_KERNEL": 8, "PENALTY": 9, "DROPOUT": 10, "TRUE_TEXTURE": 11},
        **{"REAL_PHOTO": 12},
    }
    purposes = {"INITIAL_WEIGHTS": 0, "INITIAL_CRITIC": 1, "TRAINING_STEPS": 2, "MOTION_BANK": 3, "RANDOM_VGG": 4}
    assert {member.name: int(member) for member in Purpose} == purposes


def test_a_seed_is_split_by_purpose():
    keys = [seed_key(7, purpose) for purpose in Purpose]
    assert len({tuple(data(key)) for key in keys}) == len(Purpose)
    assert data(keys[Purpose.TRAINING_STEPS]) == data(jax.random.fold_in(jax.random.key(7), 2))
    assert data(seed_key(8, Purpose.TRAINING_STEPS)) != data(keys[Purpose.TRAINING_STEPS])


def test_a_stream_folds_its_number_in():
    key = jax.random.key(3)
    assert data(stream(key, Stream.CONTRAST)) == data(jax.random.fold_in(key, 2))


def test_streams_of_many_keys_are_those_of_each():
    keys = jax.random.split(jax.random.key(0), 4)
    each = [data(stream(key, Stream.DROPOUT)) for key in keys]
    np.testing.assert_array_equal(jax.random.key_data(streams(keys, Stream.DROPOUT)), each)


def test_keys_are_one_for_each_photo():
    for key in (jax.random.key(0), jax.random.PRNGKey(0)):
        check_keys(jax.random.split(key, 2), 2)
    for keys in (0, [0, 1], np.arange(2), jax.random.PRNGKey(0), jax.random.split(jax.random.key(0), 3)):
        with pytest.raises(UserError, match="2 photos need as many keys; got .*: jax.random.split"):
            check_keys(keys, 2)  # pyright: ignore[reportArgumentType]
