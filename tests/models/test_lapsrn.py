"""LapSRN and MS-LapSRN: counts, a plain rewriting of both, reach, tiles, gradients, and a reference's outputs."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxsr.imaging.resize import resize
from jaxsr.models import Model, count_parameters, initial_shapes, lapsrn, mslapsrn
from jaxsr.models.lapsrn import Pyramid, image_upsampling
from jaxsr.support.errors import UserError
from jaxsr.weights.importers import import_lapsrn as importer
from tests.helpers.tiles import enlarge
from tests.reference import convolution as reference

RNG = np.random.default_rng(4)
SPECS = {"lapsrn": lapsrn.SPEC, "mslapsrn": mslapsrn.SPEC}
THIN = {"lapsrn": {"features": 4, "depth": 2}, "mslapsrn": {"features": 4, "depth": 2, "recursions": 2}}
BOTH = pytest.mark.parametrize("name", SPECS)

# Weights and biases of the authors' files and, with 4x4, of the paper's text.
PARAMETERS = {
    **{("10", scale): count for scale, count in {2: 407_441, 3: 814_242, 4: 814_242, 8: 1_221_043}.items()},
    **{("10-4x4", scale): count for scale, count in {2: 436_113, 3: 871_586, 4: 871_586, 8: 1_307_059}.items()},
    ("5", 8): 667_123,
}


def thin(name, scale, **options):
    """Return a narrow network and weights of a size that keeps every layer in play."""
    module = SPECS[name].module(scale, **{**THIN[name], **options})
    leaves, tree = jax.tree.flatten(initial_shapes(module))
    return module, jax.tree.unflatten(tree, [RNG.normal(size=x.shape, scale=0.2).astype(np.float32) for x in leaves])


@pytest.mark.parametrize(("variant", "scale"), PARAMETERS)
def test_parameters_of_lapsrn(variant, scale):
    assert count_parameters(lapsrn.SPEC, scale, **lapsrn.VARIANTS[variant]) == PARAMETERS[variant, scale]


@pytest.mark.parametrize("variant", mslapsrn.VARIANTS)
@pytest.mark.parametrize("scale", [2, 3, 4, 8])
def test_parameters_of_mslapsrn_depend_on_neither_scale_nor_recursions(variant, scale):
    assert count_parameters(mslapsrn.SPEC, scale, **mslapsrn.VARIANTS[variant]) == 222_801


def convolve(x, layer, index=()):
    """Return a 3x3 convolution by its definition; `index` picks one of stacked layers."""
    return reference.correlate(x, layer["kernel"][index], (1, 1)) + layer["bias"][index]


def deconvolve(x, layer, crop):
    return reference.transposed(x, layer["kernel"], 2, crop) + layer.get("bias", 0)


def leaky(x):
    return np.where(x > 0, x, 0.2 * x)


@pytest.mark.parametrize("upsampling", ["3x3", "4x4"])
def test_lapsrn_is_what_the_paper_says(upsampling):
    module, variables = thin("lapsrn", 4, upsampling=upsampling)
    x = RNG.random((1, 6, 5, 1), np.float32)
    params, image, expected = variables["params"], x, []
    h = leaky(convolve(x, params["input_conv"]))
    for level in (params["level1"], params["level2"]):
        for i in range(2):
            h = leaky(convolve(h, level["convs"]["conv"], i))
        h = leaky(deconvolve(h, level["upconv"], crop=0 if upsampling == "3x3" else 1))
        image = deconvolve(image, level["image_upsampling"], crop=1) + convolve(h, level["residual_conv"])
        expected.append(image)
    result = jax.jit(functools.partial(module.apply, levels=True))(variables, x)
    for have, want in zip(result.levels, expected, strict=True):
        np.testing.assert_allclose(have, want, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("skip", ["SS", "DS", "NS"])
def test_mslapsrn_is_what_the_paper_says(skip):
    module, variables = thin("mslapsrn", 4, skip=skip, recursions=3)
    x = RNG.random((1, 6, 5, 1), np.float32)
    params, image, expected = variables["params"], x, []
    level = params["level"]
    h = convolve(x, params["input_conv"])
    for _ in range(2):
        first = h
        for _ in range(3):
            added = {"SS": first, "DS": h, "NS": 0}[skip]
            for i in range(2):
                h = convolve(leaky(h), level["block"]["convs"]["conv"], i)
            h = h + added
        h = deconvolve(leaky(h), level["upconv"], crop=0)
        image = deconvolve(image, level["image_upsampling"], crop=1) + convolve(h, level["residual_conv"])
        expected.append(image)
    result = jax.jit(functools.partial(module.apply, levels=True))(variables, x)
    for have, want in zip(result.levels, expected, strict=True):
        np.testing.assert_allclose(have, want, rtol=1e-4, atol=1e-4 * np.abs(want).max())


@BOTH
@pytest.mark.parametrize("scale", [3, 8])
def test_levels_and_the_finest(name, scale):
    """By default the array alone; x3 is x4 made smaller by bicubic, with the same weights."""
    module, variables = thin(name, scale)
    x = RNG.random((2, 7, 6, 1), np.float32)
    result = jax.jit(functools.partial(module.apply, levels=True))(variables, x)
    assert isinstance(result, Pyramid)
    sides = {3: [2, 4], 8: [2, 4, 8]}[scale]
    assert [image.shape for image in result.levels] == [(2, 7 * side, 6 * side, 1) for side in sides]
    assert result.sr.shape == (2, 7 * scale, 6 * scale, 1)
    np.testing.assert_allclose(jax.jit(module.apply)(variables, x), result.sr, atol=1e-5 * np.abs(result.sr).max())
    expected = resize(np.asarray(result.levels[-1]), 3 / 4) if scale == 3 else result.levels[-1]
    np.testing.assert_allclose(result.sr, expected, atol=1e-5 * np.abs(expected).max())
    if scale == 3:
        assert jax.tree.map(np.shape, thin(name, 4)[1]) == jax.tree.map(np.shape, variables)


def test_the_image_is_at_first_enlarged_by_bilinear_interpolation():
    """A ramp becomes a ramp, in each channel on its own."""
    layer, height = image_upsampling(3), np.float32([0.5, 1, 0])
    ramp = np.linspace(0, 1, 8, dtype=np.float32).reshape(1, 1, 8, 1) * height.reshape(1, 1, 1, 3)
    ramp = np.repeat(ramp, 8, axis=1)
    y = np.asarray(layer.apply(layer.init(jax.random.key(0), ramp), ramp))
    expected = ((np.arange(16) + 0.5) / 2 - 0.5).reshape(16, 1) / 7 * height.reshape(1, 3)
    np.testing.assert_allclose(y[0, 8, 1:-1], expected[1:-1], atol=1e-6)


REACH = [
    *[("lapsrn", scale, upsampling) for scale in (2, 3, 4, 8) for upsampling in ("3x3", "4x4")],
    *[("mslapsrn", scale, None) for scale in (2, 3, 4, 8)],
]


@pytest.mark.parametrize(("name", "scale", "upsampling"), REACH)
def test_receptive_radius_is_exact(name, scale, upsampling):
    """One bright pixel changes output blocks up to the radius away, and none beyond."""
    module, variables = thin(name, scale, **({"upsampling": upsampling} if upsampling else {}))
    positive = jax.tree.map(lambda x: np.abs(x) if x.ndim > 2 else 0 * x, variables)  # nothing cancels, black is black
    radius = SPECS[name].receptive_radius(module)
    middle = radius + 2
    x = np.zeros((1, 2 * middle + 1, 2 * middle + 1, 1), np.float32)
    x[0, middle, middle] = 1
    y = np.asarray(jax.jit(module.apply)(positive, x))
    rows, columns = np.nonzero(y[0, :, :, 0])
    assert np.abs(rows // scale - middle).max() == np.abs(columns // scale - middle).max() == radius


def test_receptive_radii_of_the_published_networks():
    radii = {scale: lapsrn.SPEC.receptive_radius(lapsrn.SPEC.module(scale)) for scale in (2, 3, 4, 8)}
    assert radii == {2: 12, 3: 18, 4: 17, 8: 20}
    radii = {scale: mslapsrn.SPEC.receptive_radius(mslapsrn.SPEC.module(scale)) for scale in (2, 3, 4, 8)}
    assert radii == {2: 42, 3: 63, 4: 62, 8: 72}


@pytest.mark.parametrize(("name", "scale"), [("lapsrn", 3), ("mslapsrn", 4)])
def test_tiled_equals_whole(name, scale):
    module, variables = thin(name, scale)
    model = Model(SPECS[name], module, scale, variables)
    pixels = RNG.integers(0, 256, (50, 61, 1)).astype(np.uint8)
    whole = enlarge(model, pixels, tile=None, quantize=False)
    tiled = enlarge(model, pixels, tile=40, quantize=False)
    np.testing.assert_allclose(tiled, whole, atol=1e-5 * np.abs(whole).max())


@pytest.mark.slow
@BOTH
def test_gradients_reach_every_layer(name):
    """Those of all levels; from a black photo they are finite too."""
    module, variables = thin(name, 4)
    black, noise = jnp.zeros((1, 6, 6, 1)), jax.random.uniform(jax.random.key(1), (1, 6, 6, 1))

    def loss(variables, x):
        return sum(jnp.square(image - 0.5).mean() for image in module.apply(variables, x, levels=True).levels)

    gradient = jax.jit(jax.grad(loss))
    for x in (black, noise):
        leaves = jax.tree.leaves(gradient(variables, x))
        assert all(np.isfinite(leaf).all() for leaf in leaves)
    assert all(np.abs(leaf).max() > 0 for leaf in leaves)  # the last ones, of the noise


def test_mistakes_are_named():
    with pytest.raises(UserError, match="unknown upsampling '5x5'; "):
        initial_shapes(lapsrn.SPEC.module(2, upsampling="5x5"))
    with pytest.raises(UserError, match="unknown skip 'SN'"):
        initial_shapes(mslapsrn.SPEC.module(2, skip="SN"))
    with pytest.raises(UserError, match="mslapsrn has recursions=None; say 1 or more"):
        initial_shapes(mslapsrn.SPEC.module(2, recursions=None))
    with pytest.raises(UserError, match="lapsrn has no scale 5; choose one of: 2, 3, 4, 8"):
        lapsrn.SPEC.module(5)


@pytest.mark.shared
def test_golden_file(shared):
    """Both levels of a PyTorch port with symmetric 4x4 kernels and no biases."""
    data = np.load(shared / "golden" / "lapsrn_x4_pytorch.npz")
    tensors = {key.removeprefix("param/"): data[key].astype(np.float32) for key in data if key.startswith("param/")}
    imported = importer.convert(tensors)
    assert imported.scale == 4
    module = lapsrn.SPEC.module(4, **imported.options)
    result = module.apply(imported.variables, data["in/x"].transpose(0, 2, 3, 1), levels=True)
    for have, key in zip(result.levels, ("out/x2", "out/x4"), strict=True):
        want = data[key].transpose(0, 2, 3, 1)
        assert np.abs(have - want).max() <= 5e-6 * np.abs(want).max()
