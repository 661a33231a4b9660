"""DANv2 against the reference implementation's outputs and against the paper's equations written plainly."""

import functools

import numpy as np
import pytest

from jaxsr.models import count_parameters, initial_shapes
from jaxsr.models.danv2 import SPEC, DANv2
from jaxsr.support.errors import UserError
from jaxsr.weights.importers import import_tensors
from tests.helpers.dan_cases import (
    SMALL_V2,
    assert_close,
    assert_plain,
    compiled,
    random_variables,
    read,
)
from tests.reference import dan as reference

PHOTOS = np.random.default_rng(7).random((2, 5, 4, 3)).astype(np.float32)


@pytest.mark.shared
@pytest.mark.parametrize("scale", [2, 3, 4])
def test_golden_file(shared, scale):
    """The images, codes and kernels of all rounds: a wrong code hardly moves the image."""
    tensors, data = read(shared / "golden" / f"danv2_x{scale}.npz")
    model = import_tensors("danv2", tensors)
    assert model.scale == scale
    result = compiled(functools.partial(model.module.apply, all_rounds=True))(model.variables, data["in/x"])
    for i in range(4):
        assert_close(result.images[i], data["out/sr"][i])
        assert_close(result.codes[i], data["out/kernel_code"][i])
        assert_close(result.kernels[i].reshape(2, -1), data["out/kernel"][i])
    np.testing.assert_array_equal(result.sr, result.images[-1])


@pytest.mark.parametrize(
    ("variant", "scale", "count"),
    [
        *[("21x21", scale, count) for scale, count in {2: 4_540_028, 3: 4_733_116, 4: 4_707_708}.items()],
        *[("11x11", 2, 4_519_228), ("31x31", 4, 4_741_828)],
    ],
)
def test_parameter_count(variant, scale, count):
    assert count_parameters(SPEC, scale, **SPEC.variants[variant]) == count


def test_no_variant_without_a_count():
    assert set(SPEC.variants) == {"21x21", "11x11", "31x31"}


@pytest.mark.slow
def test_networks_and_gradients_are_the_papers():
    """Through all rounds and both networks."""
    assert_plain(
        DANv2(2, **SMALL_V2, backpropagate_all=True),
        functools.partial(reference.restore_v2, scale=2),
        lambda x, sr, params, basis: reference.estimate_v2(x, sr, params, 2, basis),
        PHOTOS,
    )


@pytest.mark.slow
def test_one_round_with_the_papers_group_skip():
    net = DANv2(2, **SMALL_V2, group_skip="residual")
    variables, code = random_variables(net), np.float32([[0.5, -1, 2]] * 2)
    params, basis = variables["params"], variables["constants"]["basis"]

    @compiled
    def ours(variables, code):
        return net.apply(variables, net.apply(variables, PHOTOS, method="heads"), code, method="round")

    result = ours(variables, code)
    assert_close(result.sr, reference.restore_v2(PHOTOS, code, params["restorer"], 2, "residual"))
    assert_close(result.code, reference.estimate_v2(PHOTOS, result.sr, params["estimator"], 2, basis, "residual"))
    assert result.kernel.shape == (2, 5, 5)
    np.testing.assert_allclose(result.kernel.sum(axis=(1, 2)), 1, rtol=1e-6)
    assert_close(result.kernel.reshape(2, 25) @ basis, result.code)


def test_mistakes_are_named():
    with pytest.raises(UserError, match="unknown group_skip 'double'; did you mean 'doubled'"):
        initial_shapes(SPEC.module(2, group_skip="double"))
