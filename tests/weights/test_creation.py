"""Models before training: options that make no network are named, and not left to JAX."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxsr.support.errors import UserError
from jaxsr.weights import create

KEY = jax.random.key(0)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"feature_channels": "many"}, "option feature_channels='many' is of another type than 56; correct it"),
        ({"feature_channels": 2.5}, "option feature_channels=2.5 is of another type than 56"),
        ({"feature_channels": 0}, "fsrcnn cannot be made with .*'feature_channels': 0"),
        ({"feature_channels": -1}, "fsrcnn cannot be made with .*'feature_channels': -1"),
        ({"mapping_layers": -1}, "option mapping_layers=-1 is below 0; correct it"),
        ({"channels": 2}, "channels=2 is neither 1 .luma. nor 3 .RGB."),
        ({"parent": 1}, "fsrcnn has no option 'parent'; choose one of: feature_channels"),
        ({"key": jax.random.split(KEY, 2)}, r"key of shape \(2,\) is not a PRNG key"),
        ({"key": jnp.zeros(3)}, r"key of shape \(3,\) is not a PRNG key; make one: key=jax.random.key\(0\)"),
    ],
)
def test_mistakes_are_named(options, message):
    with pytest.raises(UserError, match=message):
        create("fsrcnn", **{"scale": 2, "key": KEY, **options})


def test_whole_numbers_of_numpy_are_options_that_a_card_can_hold(tmp_path):
    model = create("fsrcnn", scale=2, key=KEY, feature_channels=np.int64(8))  # pyright: ignore[reportArgumentType]
    assert model.options["feature_channels"] == 8
    model.save(tmp_path / "narrow.safetensors")
