"""DANv1 against the reference implementation's outputs and against the paper's equations written plainly."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxsr.models import initial_shapes
from jaxsr.models.danv1 import SPEC, DANv1, constant_channels
from jaxsr.weights.importers import import_tensors
from tests.helpers.dan_cases import (
    SMALL_V1,
    assert_close,
    assert_plain,
    compiled,
    read,
)
from tests.reference import dan as reference

PHOTOS = np.random.default_rng(7).random((2, 5, 4, 3)).astype(np.float32)


@pytest.mark.shared
@pytest.mark.parametrize("scale", [2, 3, 4])
def test_golden_file(shared, scale):
    """The images and the codes of all rounds."""
    tensors, data = read(shared / "golden" / f"danv1_x{scale}.npz")
    model = import_tensors("danv1", tensors)
    assert model.scale == scale
    result = compiled(functools.partial(model.module.apply, all_rounds=True))(model.variables, data["in/x"])
    for i in range(4):
        assert_close(result.images[i], data["out/sr"][i])
        assert_close(result.codes[i], data["out/kernel_code"][i])
    np.testing.assert_array_equal(result.sr, result.images[-1])
    assert result.kernels is None


@pytest.mark.parametrize(
    ("variant", "scale", "count", "size"),
    [
        *[("21x21", scale, count, 21) for scale, count in {2: 4_181_799, 3: 4_366_439, 4: 4_329_511}.items()],
        *[("11x11", 2, 4_181_799, 11), ("31x31", 4, 4_329_511, 31)],
    ],
)
def test_parameter_count_and_basis(variant, scale, count, size):
    """The size of the kernels matters to the basis alone, which is not trained."""
    shapes = initial_shapes(SPEC.module(scale, **SPEC.variants[variant]))
    assert sum(leaf.size for leaf in jax.tree.leaves(shapes["params"])) == count
    assert shapes["constants"]["basis"].shape == (size**2, 10)


def test_no_variant_is_missing():
    assert set(SPEC.variants) == {"21x21", "11x11", "31x31"}


@pytest.mark.slow
def test_networks_and_gradients_are_the_papers():
    """As published: gradients of the last round alone, none from one network to the other."""
    assert_plain(
        DANv1(3, **SMALL_V1, rounds=2),
        functools.partial(reference.restore_v1, scale=3),
        lambda x, sr, params, _: reference.estimate_v1(x, sr, params, 3),
        PHOTOS,
    )


@pytest.mark.parametrize("size", [(5, 4), (1, 3)])
def test_a_constant_condition_is_a_bias(size):
    """Outputs and gradients are those of a condition that is there at every pixel."""
    rng = np.random.default_rng(8)
    x, condition, kernel = (np.float32(rng.normal(size=shape)) for shape in ((2, *size, 1), (2, 3), (3, 3, 3, 4)))

    def spread(condition, kernel):
        layer = {"kernel": kernel, "bias": jnp.zeros(4)}
        return reference.conv(reference.spread(condition, x), layer)

    cotangent = np.float32(rng.normal(size=(2, *size, 4)))

    @compiled
    def evaluate(condition, kernel):
        functions = functools.partial(constant_channels, x), spread
        values, gradients = zip(*(jax.vjp(function, condition, kernel) for function in functions), strict=True)
        return [(y, gradient(cotangent)) for y, gradient in zip(values, gradients, strict=True)]

    jax.tree.map(assert_close, *evaluate(condition, kernel))
