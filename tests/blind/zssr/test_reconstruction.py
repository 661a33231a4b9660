"""The ensemble's turns, its median, and what back-projection does to the result."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxsr.blind.zssr.reconstruction import SYMMETRIES, reconstruct, turned, turned_back
from jaxsr.degradations.downscale import ideal_kernel
from jaxsr.imaging.resize import resize
from jaxsr.models import Model, initial_shapes
from jaxsr.models.zssr import SPEC, ZSSR
from tests.reference import zssr as reference

RNG = np.random.default_rng(6)
PHOTO = resize(RNG.random((5, 6, 3)), 4).clip(0.1, 0.9)
KERNEL = ideal_kernel(2)


def network() -> Model:
    """Return a narrow network with random weights."""
    module = ZSSR(depth=2, features=3)
    params = jax.tree.map(lambda leaf: jnp.float32(0.05 * RNG.normal(size=leaf.shape)), initial_shapes(module))
    return Model(SPEC, module, 2, params)


def test_turns_are_undone():
    image = RNG.random((3, 4, 1))
    turns = [turned(image, i) for i in range(SYMMETRIES)]
    assert len({turn.tobytes() + bytes(turn.shape) for turn in turns}) == 8
    for i, turn in enumerate(turns):
        np.testing.assert_array_equal(turned_back(turn, i), image)


@pytest.mark.parametrize("corrected", [False, True])
@pytest.mark.parametrize("ensemble", [False, True])
def test_outputs_are_corrected_and_so_is_their_median(ensemble, corrected):
    model = network()

    def correct(image):
        return reference.back_project(image, PHOTO, KERNEL, 2, 2) if corrected else image

    outputs = []
    for i in range(8 if ensemble else 1):
        enlarged = resize(np.float32(turned(PHOTO, i)), 2).astype(np.float32)
        outputs.append(correct(turned_back(np.asarray(model.apply(enlarged[None])[0]), i)))
    expected = correct(np.median(outputs, axis=0)).clip(0, 1)
    result = reconstruct(model, PHOTO, KERNEL, ensemble=ensemble, corrected=corrected)
    assert result.dtype == np.float32
    np.testing.assert_allclose(result, expected, atol=2e-5)
    assert np.abs(result - resize(PHOTO, 2)).max() > 0.01
