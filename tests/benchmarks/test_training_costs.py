"""Counting a step's operations, and that the recorded costs are those of today's configs."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from benchmarks.training_costs import cost_of, keys_of, operations
from jaxsr.support.errors import UserError
from jaxsr.training.catalog.config_files import load_config
from jaxsr.training.catalog.training_costs import recorded_costs
from tests.helpers.configs import other_scales

X, KERNEL = np.zeros((2, 8, 8, 3), np.float32), np.zeros((3, 3, 3, 5), np.float32)
LAYOUT = ("NHWC", "HWIO", "NHWC")


def convolve(x, strides=(1, 1)):
    return jax.lax.conv_general_dilated(x, KERNEL, strides, "SAME", dimension_numbers=LAYOUT)


def deconvolve(x):
    return jax.lax.conv_transpose(x, KERNEL, (2, 2), "SAME", dimension_numbers=LAYOUT)


def looped(x):
    return jax.lax.scan(lambda carry, _: (carry @ carry, None), x, length=7)[0]


@pytest.mark.parametrize(
    ("function", "argument", "count"),
    [
        (convolve, X, 2 * (2 * 8 * 8 * 5) * (3 * 3 * 3)),
        (lambda x: convolve(x, (2, 2)), X, 2 * (2 * 4 * 4 * 5) * (3 * 3 * 3)),
        (deconvolve, X, 2 * (2 * 8 * 8 * 5) * (3 * 3 * 3)),  # each input pixel once with the kernel
        (lambda x: x @ x, np.zeros((4, 4), np.float32), 2 * 4**3),
        (looped, np.zeros((4, 4), np.float32), 7 * 2 * 4**3),
        (jax.jit(looped), np.zeros((4, 4), np.float32), 7 * 2 * 4**3),
        (lambda x: jax.lax.cond(x[0, 0] > 0, looped, jnp.sin, x), np.zeros((4, 4), np.float32), 7 * 2 * 4**3),
        (jax.grad(lambda x: jnp.sum(jnp.square(x @ x))), np.zeros((4, 4), np.float32), 3 * 2 * 4**3),
    ],
)
def test_operations_of_products(function, argument, count):
    assert operations(jax.make_jaxpr(function)(argument).jaxpr) == count


FAST = ("espcn:x3", "fsrcnn:x2-paper")
OTHER_SCALES = {f"{name}:{variant}" for name, variant in other_scales() if "-" not in variant or variant[3:] == "iso"}


@pytest.mark.parametrize(
    "name", [*FAST, *(pytest.param(name, marks=pytest.mark.slow) for name in sorted(OTHER_SCALES.difference(FAST)))]
)
def test_the_record_is_what_is_counted_today(name):
    cost = cost_of(load_config(name), memory=False)
    assert cost.gigaflops == pytest.approx(recorded_costs()[name].gigaflops, rel=1e-5), "renew it"


def test_rows_are_renewed_of_configs_and_variants_that_there_are():
    assert keys_of(["fsrcnn:x2", "espcn:x3"]) == ["espcn:x3", "fsrcnn:x2"]
    assert set(keys_of(["rdn"])) < set(keys_of([])) == set(recorded_costs())
    with pytest.raises(UserError, match="unknown config 'rdn:x9'"):
        keys_of(["rdn:x9"])


@pytest.mark.slow
@pytest.mark.parametrize("name", ["espcn:x4", "srgan:mse", "srntt:full", "deblurgan:comb", "danv1:x2-iso-muon"])
def test_steps_of_every_kind_are_counted_and_compiled(name):
    cost, record = cost_of(load_config(name)), recorded_costs()[name]
    assert cost.gigaflops == pytest.approx(record.gigaflops, rel=1e-5)
    assert cost.gibibytes == pytest.approx(record.gibibytes, rel=0.3)  # differs among versions of the compiler
