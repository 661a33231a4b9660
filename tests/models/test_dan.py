"""What both versions of DAN share: rounds and their gradients, the basis, means of convolutions, the weight file."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxsr.models import Model, initial_shapes, model_spec, restored_image
from jaxsr.models.dan import MeanOfConv, Round, alternate
from jaxsr.support.errors import UserError
from jaxsr.weights import load, save
from tests.helpers.dan_cases import SMALL_V1, SMALL_V2, assert_close, compiled, random_variables
from tests.helpers.tiles import enlarge
from tests.reference import dan as reference

PHOTOS = np.random.default_rng(9).random((2, 5, 4, 3)).astype(np.float32)


def small(version: int, **options):
    """Return a narrow network of scale 2 of DANv1 or DANv2."""
    return model_spec(f"danv{version}").module(2, **{**(SMALL_V1, SMALL_V2)[version - 1], **options})


@pytest.mark.parametrize("learning", ["last", "each", "through"])
@pytest.mark.parametrize("rounds", [1, 2, 4])
@pytest.mark.parametrize("images", [False, True])
def test_rounds_and_their_gradients(rounds, learning, images):
    """Of a network of one number, whose image is a product and whose code a sine."""

    def step(weight, code):
        return Round(weight * code, jnp.sin(weight * code), code**2)

    def loop(weight):
        code, results = jnp.float32([0.3, 0.5]), []
        for i in range(rounds):
            frozen = i < rounds - 1 and learning == "last"
            results.append(step(jax.lax.stop_gradient(weight) if frozen else weight, code))
            code = results[-1].code if learning == "through" else jax.lax.stop_gradient(results[-1].code)
        return jax.tree.map(lambda *x: jnp.stack(x), *results)

    def scanned(weight):
        options = {"through": learning == "through", "each": learning == "each", "images": images}
        result = alternate(step, weight, jnp.float32([0.3, 0.5]), rounds=rounds, **options)
        assert (result.images is not None) == images
        return result

    weight = jnp.float32(1.7)
    result, expected = scanned(weight), loop(weight)
    np.testing.assert_allclose(result.sr, expected.sr[-1], rtol=1e-6)
    np.testing.assert_allclose(result.codes, expected.code, rtol=1e-6)
    np.testing.assert_allclose(result.kernels, expected.kernel, rtol=1e-6)
    if images:
        np.testing.assert_allclose(result.images, expected.sr, rtol=1e-6)
    gradient = jax.grad(lambda weight: jnp.sum(scanned(weight).codes))(weight)
    np.testing.assert_allclose(gradient, jax.grad(lambda weight: jnp.sum(loop(weight).code))(weight), rtol=1e-5)


@pytest.mark.slow
def test_the_code_does_not_teach_the_restorer():
    """As published, of DANv2; with `backpropagate_all` it does. Comparison with the plain networks shows the rest."""
    net = small(2, rounds=1)
    variables = random_variables(net)

    def codes(params):
        return net.apply({**variables, "params": params}, PHOTOS).codes.sum()

    gradient = compiled(jax.grad(codes))(variables["params"])
    assert all((leaf == 0).all() for leaf in jax.tree.leaves(gradient["restorer"]))
    assert np.abs(gradient["estimator"]["head"]["kernel"]).max() > 0


@pytest.mark.parametrize("size", [(5, 4), (1, 3)])
def test_the_mean_of_a_convolution_needs_no_convolution(size):
    rng = np.random.default_rng(8)
    x, cotangent = (np.float32(rng.normal(size=shape)) for shape in ((2, *size, 3), (2, 4)))
    layer = {name: np.float32(rng.normal(size=shape)) for name, shape in {"kernel": (3, 3, 3, 4), "bias": 4}.items()}

    @compiled
    def evaluate(x, layer):
        y, gradients = jax.vjp(lambda x, layer: MeanOfConv(4).apply({"params": layer}, x), x, layer)
        plain, plain_gradients = jax.vjp(lambda x, layer: reference.mean(reference.conv(x, layer))[:, 0, 0], x, layer)
        return (y, gradients(cotangent)), (plain, plain_gradients(cotangent))

    jax.tree.map(assert_close, *evaluate(x, layer))


@pytest.mark.parametrize("kernels", ["isotropic", "anisotropic"])
def test_init_computes_the_basis(kernels):
    key = jax.random.key(0, impl="rbg")
    basis = compiled(lambda: small(1, kernels=kernels).init(key, method="basis"))()["constants"]["basis"]
    np.testing.assert_allclose(basis.T @ basis, np.eye(3), atol=1e-5)


def test_mistakes_are_named():
    net = small(1)
    variables = random_variables(net)
    with pytest.raises(UserError, match=r'no PCA basis: .*"constants".* of shape \(25, 3\)'):
        net.apply({"params": variables["params"]}, PHOTOS)
    with pytest.raises(UserError, match=r"shape \(49, 3\) does not take kernels of 5x5 pixels to codes of 3; give one"):
        net.apply({**variables, "constants": {"basis": jnp.zeros((49, 3))}}, PHOTOS)
    with pytest.raises(UserError, match="unknown kernels 'isotrop'; did you mean 'isotropic'"):
        initial_shapes(small(1, kernels="isotrop"))
    with pytest.raises(UserError, match="rounds=0 makes no image; use at least 1"):
        initial_shapes(small(2, rounds=0))
    with pytest.raises(UserError, match="danv2 has no scale 8; choose one of: 2, 3, 4"):
        model_spec("danv2").module(8)


@pytest.mark.slow
def test_a_weight_file_carries_the_basis_and_restores_a_photo(tmp_path):
    """Its image is the named tuple's `sr`."""
    net = small(2, features=3, groups=1, estimator_blocks=1)
    model = Model(model_spec("danv2"), net, 2, random_variables(net))
    save(tmp_path / "net.safetensors", model)
    loaded = load(tmp_path / "net.safetensors")
    assert loaded.module == net and loaded.radius is None
    np.testing.assert_array_equal(loaded.variables["constants"]["basis"], model.variables["constants"]["basis"])
    image = compiled(lambda x: restored_image(loaded.apply(x)))(PHOTOS[:1])
    np.testing.assert_array_equal(restored_image(image), image)
    assert_close(enlarge(loaded, PHOTOS[0], quantize=False), image[0])
