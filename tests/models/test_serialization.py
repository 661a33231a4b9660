"""What is not written to a weight file: a card that is not JSON, weights that could not be loaded again."""

import dataclasses

import jax
import numpy as np
import pytest

from jaxsr.models.serialization import write_weights
from jaxsr.support.errors import UserError
from tests.helpers.networks import network


@pytest.mark.parametrize("value", [float("nan"), {"psnr": [float("inf")]}, {1, 2}, np.float32(1), object()])
def test_a_card_that_is_not_json_is_refused_before_anything_is_written(value, tmp_path):
    with pytest.raises(UserError, match="own.safetensors: the card's 'scores' is not JSON .*; give texts, finite numb"):
        network("espcn", 2).save(tmp_path / "own.safetensors", licence="CC0-1.0", scores=value)
    assert not list(tmp_path.iterdir())


def test_weights_that_are_not_finite_are_refused_before_anything_is_written(tmp_path):
    model, file = network("espcn", 2), tmp_path / "own.safetensors"
    lost = dataclasses.replace(model, variables=jax.tree.map(lambda x: x * np.nan, model.variables))
    large = jax.tree.map(lambda x: x * 0 + 1e6, model.variables)
    with pytest.raises(UserError, match="'params/.*' holds values that are not finite as float32; take an earlier"):
        lost.save(file)
    with pytest.raises(UserError, match="'params/.*' holds values that are not finite as float16"):
        write_weights(file, large, {}, dtype=np.float16)
    assert not list(tmp_path.iterdir())
