"""Every network computes in bfloat16: a photo close to that in float32, and no convolution left in float32.

Beside networks, pixels are multiplied with all bits of float32.
"""

import dataclasses
import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxsr.degradations.reductions import reduce_bd
from jaxsr.imaging.color import full_range_luma, luma, rgb_to_ycbcr, ycbcr_to_rgb
from jaxsr.models import MODELS, Model
from jaxsr.models.dan import Alternation
from jaxsr.models.drcn import DRCN
from jaxsr.models.forward import run_network
from jaxsr.models.precision import computing_in
from jaxsr.models.srntt import Maps
from jaxsr.support.errors import UserError
from jaxsr.training.batches import Batch
from jaxsr.training.objectives.supervision import of_kernel
from tests.helpers.networks import REDUCED, quiet_variables

FAST = ("espcn", "rdn")
NAMES = [name if name in FAST else pytest.param(name, marks=pytest.mark.slow) for name in REDUCED]
SIDE = 16


def parts(name: str):
    """Return a small model of `name`, its further inputs, and random photos."""
    spec = MODELS[name]
    module = spec.module(spec.scales[0], **REDUCED[name])
    rng = np.random.default_rng(0)
    photos = jnp.asarray(rng.random((1, SIDE, SIDE, 3)), jnp.float32)
    shapes = ((SIDE, 256), (2 * SIDE, 128), (4 * SIDE, 64)) if "reference" in spec.needs else ()
    maps = [jnp.asarray(rng.normal(size=(1, side, side, width)), jnp.float32) for side, width in shapes]
    return Model(spec, module, spec.scales[0], quiet_variables(module)), (Maps(*maps),) if maps else (), photos


@pytest.mark.parametrize("name", NAMES)
def test_a_photo_in_bf16_is_near_that_in_float32(name):
    model, inputs, photos = parts(name)
    plain = model.forward_spec(*model.spec.detail_options)
    half = dataclasses.replace(plain, precision="bf16")
    run = jax.jit(run_network, static_argnums=0)
    (exact, beside), (image, beside_half) = (run(spec, model.variables, photos, inputs) for spec in (plain, half))
    assert exact.dtype == image.dtype == np.float32
    assert jax.tree.map(lambda x: x.dtype, beside) == jax.tree.map(lambda x: x.dtype, beside_half)
    size = np.abs(exact - exact.mean()).mean()
    assert np.abs(image - exact).mean() < 0.05 * size + 0.004
    assert name == "bicubic" or not np.array_equal(image, exact)


@pytest.mark.parametrize("name", NAMES)
def test_no_convolution_is_left_in_float32(name):
    """Nor fails for types that differ: means, bases and statistics are float32."""
    model, inputs, photos = parts(name)
    spec = model.forward_spec(precision="bf16")
    text = str(jax.make_jaxpr(lambda variables: run_network(spec, variables, photos, inputs)[0])(model.variables))
    found = re.findall(r":(\w+)\[[\d,]*\] = conv_general_dilated", text)
    assert set(found) <= {"bf16"} and (found or name == "bicubic")


def drcn_of(photos):
    return DRCN(features=4, recursions=2).init_with_output(jax.random.key(0), photos[..., :1])[0]


def dan_loss_of(photos):
    result = Alternation(photos, jnp.zeros((2, 1, 4)), None, None)
    batch, basis = Batch(photos, photos, jnp.ones((1, 3, 3))), jnp.ones((9, 4))
    return of_kernel(
        lambda output, target: jnp.zeros(()), result, batch, {"constants": {"basis": basis}}, jnp.ones(())
    )[0]


@pytest.mark.parametrize(
    "function",
    [luma, full_range_luma, rgb_to_ycbcr, ycbcr_to_rgb, lambda photos: reduce_bd(photos, 3), drcn_of, dan_loss_of],
    ids=["luma", "full_range_luma", "rgb_to_ycbcr", "ycbcr_to_rgb", "bd", "drcn", "dan"],
)
def test_products_of_pixels_ask_for_all_bits(function):
    """Else TPUs multiply float32 by 8 bits of it and GPUs by 11, which neither a CPU nor the tests' setting shows."""
    with jax.default_matmul_precision("default"):
        text = str(jax.make_jaxpr(function)(jnp.zeros((1, 9, 9, 3))))
    assert text.count("dot_general[") == text.count("precision=(Precision.HIGHEST, Precision.HIGHEST)") > 0


def test_an_unknown_precision_is_named():
    with pytest.raises(UserError, match="unknown precision 'bf61'; did you mean 'bf16'"):
        computing_in("bf61", lambda params, x: x)
