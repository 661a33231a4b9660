"""What the specs say of the networks: their reach, their shapes, their mistakes."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxsr.models import MODELS, initial_shapes, model_spec
from jaxsr.support.errors import UserError
from tests.helpers.networks import lively

NETWORKS = [
    *[("srcnn", 3, variant) for variant in ("9-1-5", "9-3-5", "9-5-5")],
    *[("fsrcnn", scale, variant) for scale, variant in ((2, "(56,12,4)"), (3, "(32,5,1)"), (4, "(56,12,4)"))],
    *[("espcn", scale, variant) for scale, variant in ((2, "Y"), (3, "RGB"), (4, "Y"))],
    ("vdsr", 2, {"depth": 6, "features": 3}),
    ("vdsr", 2, {"depth": 5, "features": 3, "use_bias": False}),
    ("drcn", 3, {"features": 12, "recursions": 2}),
]


def build(name, scale, variant):
    """Return a network by the name of its variant, or a narrow one by its options."""
    options = variant if isinstance(variant, dict) else MODELS[name].variants[variant]
    return MODELS[name].module(scale, **options)


@pytest.mark.parametrize(("name", "scale", "variant"), NETWORKS)
def test_receptive_radius_is_exact(name, scale, variant):
    """The derivative of one output block by the input is zero beyond the radius, and not within it."""
    spec = MODELS[name]
    module = build(name, scale, variant)
    unit, radius = 1 if spec.pre_upsampled else scale, spec.receptive_radius(module)
    middle, side = radius + 2, 2 * radius + 5
    variables, block = lively(module), slice(middle * unit, (middle + 1) * unit)
    weights = jax.random.uniform(jax.random.key(2), (unit, unit, module.channels))
    x = jax.random.uniform(jax.random.key(1), (1, side, side, module.channels))
    derivative = jax.jit(jax.grad(lambda x: (module.apply(variables, x)[0, block, block] * weights).sum()))(x)
    reach = np.argwhere(np.abs(derivative[0]).sum(axis=-1) > 0) - middle
    assert np.abs(reach).max() == radius


@pytest.mark.parametrize(("name", "scale", "variant"), NETWORKS)
def test_output_is_scale_times_the_input(name, scale, variant):
    spec = MODELS[name]
    module = build(name, scale, variant)
    shape = jax.eval_shape(
        module.apply, initial_shapes(module), jax.ShapeDtypeStruct((2, 21, 34, module.channels), jnp.float32)
    ).shape
    factor = 1 if spec.pre_upsampled else scale
    assert shape == (2, 21 * factor, 34 * factor, module.channels)


def test_srcnn_paddings_agree_inside():
    """Valid, zero and replicate differ at the border alone."""
    nets = {padding: MODELS["srcnn"].module(2, padding=padding) for padding in ("valid", "zero", "replicate")}
    variables = lively(nets["valid"])
    x = jax.random.uniform(jax.random.key(0), (1, 30, 28, 1))
    outputs = {padding: np.asarray(net.apply(variables, x)) for padding, net in nets.items()}
    assert outputs["valid"].shape == (1, 14, 12, 1)
    for padding in ("zero", "replicate"):
        np.testing.assert_allclose(outputs[padding][:, 8:-8, 8:-8], outputs["valid"], rtol=1e-4, atol=1e-4)
    assert np.abs(outputs["zero"] - outputs["replicate"]).max() > 0.1


def test_mistakes_are_named():
    with pytest.raises(UserError, match="unknown model 'fsrcn'; did you mean 'fsrcnn'"):
        model_spec("fsrcn")
    with pytest.raises(UserError, match="espcn has no scale 8; choose one of: 2, 3, 4"):
        MODELS["espcn"].module(8)
    with pytest.raises(UserError, match="no option 'feature_channel'; did you mean 'feature_channels'"):
        MODELS["fsrcnn"].module(2, feature_channel=3)
    with pytest.raises(UserError, match="unknown padding 'same'"):
        MODELS["srcnn"].module(2, padding="same").init(jax.random.key(0), jnp.zeros((1, 32, 32, 1)))
    with pytest.raises(UserError, match="depth=1 leaves vdsr no first and last layer; use at least 2"):
        initial_shapes(MODELS["vdsr"].module(2, depth=1))
    with pytest.raises(UserError, match="unknown activation 'gelu'"):
        initial_shapes(MODELS["espcn"].module(2, activation="gelu"))
