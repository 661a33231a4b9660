"""RDN against a reference implementation's outputs, the paper's equations written slowly, and its own tiles."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxsr.models import count_parameters, initial_shapes
from jaxsr.models.ops.convolution import convolve
from jaxsr.models.rdn import MEANS, RDN, SPEC, ResidualDenseBlock, receptive_radius
from jaxsr.support.errors import UserError
from jaxsr.weights.importers import import_rdn as importer

SMALL = {"features": 6, "growth": 4, "blocks": 2, "layers": 2}


def lively(module, seed: int = 0):
    """Return random weights large enough that every layer matters."""
    return random_like(initial_shapes(module), seed)


def random_like(shapes, seed: int = 0):
    """Return normal numbers of deviation 0.3 in the shapes of a tree."""
    rng = np.random.default_rng(seed)
    return jax.tree.map(lambda x: jnp.asarray(0.3 * rng.normal(size=x.shape), jnp.float32), shapes)


@pytest.mark.shared
@pytest.mark.parametrize("scale", [2, 3, 4])
def test_golden_file(shared, scale):
    data = np.load(shared / "golden" / f"rdn_x{scale}.npz")
    tensors = {key.removeprefix("param/"): np.float32(data[key]) for key in data if key.startswith("param/")}
    imported = importer.convert(tensors)
    assert imported.options == {"channels": 3, "features": 16, "growth": 16, "blocks": 4, "layers": 3}
    assert imported.scale == scale
    module = SPEC.module(scale, **imported.options)
    output = jax.jit(module.apply)(imported.variables, jnp.asarray(data["in/x"].transpose(0, 2, 3, 1)))
    expected = data["out/y"].transpose(0, 2, 3, 1)
    assert np.abs(output - expected).max() <= 2e-6 * np.abs(expected).max()


@pytest.mark.parametrize(
    ("variant", "scale", "count"),
    [
        *[("16-8-64", s, n) for s, n in {2: 22_123_395, 3: 22_308_035, 4: 22_271_107}.items()],
        *[("20-6-32", s, n) for s, n in {2: 5_616_515, 3: 5_801_155, 4: 5_764_227}.items()],
    ],
)
def test_parameter_count(variant, scale, count):
    assert count_parameters(SPEC, scale, **SPEC.variants[variant]) == count


def test_a_block_is_the_papers_equations():
    """Concatenate, convolve, rectify; fuse and add."""
    block = ResidualDenseBlock(growth=4, layers=3, blocks=5)
    x, fused = jax.random.normal(jax.random.key(0), (2, 2, 7, 6, 5))
    params = random_like(jax.eval_shape(block.init, jax.random.key(1), (x, fused), None))["params"]
    maps = x
    for i in (1, 2, 3):
        layer = params[f"conv{i}"]
        assert layer["kernel"].shape == (3, 3, 5 + 4 * (i - 1), 4)
        y = convolve(maps, layer["kernel"], (1, 1)) + layer["bias"].reshape(1, 1, 1, -1)
        maps = jnp.concatenate([maps, jnp.maximum(y, 0)], axis=-1)
    expected = x + convolve(maps, params["fusion"]["kernel"], (0, 0)) + params["fusion"]["bias"].reshape(1, 1, 1, -1)
    (output, total), _ = jax.jit(block.apply)({"params": params}, (x, fused), None)
    np.testing.assert_allclose(output, expected, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(total - fused, expected @ params["global_fusion"]["kernel"][0, 0], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_receptive_radius_is_exact(scale):
    """The derivative of one pixel's outputs by the input is zero beyond the radius, and not within it."""
    module = SPEC.module(scale, **SMALL)
    radius = receptive_radius(module)
    assert radius == 9
    side, variables = 2 * radius + 5, lively(module)
    middle = side // 2

    def outputs(x):
        rows = slice(middle * scale, (middle + 1) * scale)
        return jnp.sum(module.apply(variables, x)[:, rows, rows, :] * weights)

    weights = jax.random.normal(jax.random.key(2), (1, scale, scale, 3))  # so that no two derivatives cancel
    x = jax.random.uniform(jax.random.key(1), (1, side, side, 3))
    derivative = np.abs(jax.jit(jax.grad(outputs))(x)).sum(axis=(0, 3))
    assert np.abs(np.argwhere(derivative > 0) - middle).max() == radius


@pytest.mark.parametrize("scale", [3, 4])
def test_tiles_with_that_context_are_the_whole(scale):
    module = SPEC.module(scale, **SMALL)
    variables, radius = lively(module), receptive_radius(module)
    x = jax.random.uniform(jax.random.key(1), (1, 12, 40, 3))
    apply = jax.jit(module.apply)
    whole = np.asarray(apply(variables, x))
    cut = 20  # equal tiles, one compilation
    left = np.asarray(apply(variables, x[:, :, : cut + radius]))[:, :, : cut * scale]
    right = np.asarray(apply(variables, x[:, :, cut - radius :]))[:, :, radius * scale :]
    tiled = np.concatenate([left, right], axis=2)
    np.testing.assert_allclose(tiled, whole, rtol=0, atol=1e-5 * np.abs(whole).max())


def test_range_and_mean_are_undone():
    """With input scale s and mean m, the network f gives f(s (x - m)) / s + m."""
    plain = RDN(2, **SMALL)
    shifted = RDN(2, **SMALL, mean="div2k", input_scale=255.0)
    variables = lively(plain)
    mean = np.float32(MEANS["div2k"]).reshape(1, 1, 1, 3)
    x = jax.random.uniform(jax.random.key(1), (1, 8, 9, 3))
    apply = jax.jit(plain.apply)
    expected = np.asarray(apply(variables, 255 * (x - mean))) / 255 + mean
    np.testing.assert_allclose(jax.jit(shifted.apply)(variables, x), expected, rtol=1e-4, atol=1e-4)
    assert np.abs(expected - apply(variables, x)).max() > 0.1


def test_mistakes_are_named():
    with pytest.raises(UserError, match="unknown mean 'div2'; did you mean 'div2k'"):
        initial_shapes(RDN(2, mean="div2"))
    with pytest.raises(UserError, match=r"mean=\(0.1, 0.2, 0.3\) has 3 numbers for 1 channels"):
        initial_shapes(RDN(2, channels=1, mean=(0.1, 0.2, 0.3)))


@pytest.mark.slow
def test_gradients_are_finite_and_the_same_with_blocks_computed_again():
    x = jnp.full((1, 6, 5, 1), 0.5)
    variables = lively(RDN(2, channels=1, **SMALL))

    def gradients(remat):
        net = RDN(2, channels=1, **SMALL, remat=remat)
        return jax.jit(jax.grad(lambda v: jnp.abs(net.apply(v, x) - 1).mean()))(variables)

    kept, again = gradients(False), gradients(True)
    for a, b in zip(jax.tree.leaves(kept), jax.tree.leaves(again), strict=True):
        assert np.isfinite(a).all() and np.abs(a).max() > 0
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)


def test_kernels_start_within_torchs_bound():
    """Uniform within 1 / sqrt(fan_in); the global fusion's fan is that of all blocks."""
    net = RDN(2, features=16, growth=16, blocks=3, layers=1)
    blocks = jax.jit(lambda key: net.init(key, jnp.zeros((1, 4, 4, 3)))["params"]["blocks"])(jax.random.key(0))
    bounds = {"conv1": 9 * 16, "fusion": 32, "global_fusion": 3 * 16}
    for name, fan in bounds.items():
        kernel = np.asarray(blocks[name]["kernel"])
        assert 0.98 < np.abs(kernel).max() * fan**0.5 <= 1
        assert np.abs(kernel[0] - kernel[1]).max() > 0


@pytest.mark.slow
def test_the_program_does_not_grow_with_depth():
    def lines(blocks):
        module = SPEC.module(2, **{**SMALL, "blocks": blocks})
        return len(jax.jit(module.apply).lower(initial_shapes(module), jnp.zeros((1, 8, 8, 3))).as_text().splitlines())

    assert lines(16) == lines(4)
