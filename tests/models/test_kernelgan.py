"""KernelGAN's two networks against the reference implementation's outputs, and against their layers written plainly."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxsr.blind.kernelgan.regularizers import bicubic_target, boundaries, centre, sparsity, sum_to_one
from jaxsr.models.kernelgan import (
    compose_kernel,
    cut_patches,
    discriminate,
    init_discriminator,
    init_generator,
    iterate,
    reduce_by,
    spectral_norms,
)
from tests.helpers.dan_cases import assert_close, compiled
from tests.reference import kernelgan as reference

GENERATOR_LAYERS = ["first_layer", *[f"feature_block.{i}" for i in range(4)], "final_layer"]
HIDDEN = [f"feature_block.{i}" for i in range(0, 13, 3)]
NORMALIZATIONS = [f"feature_block.{i}" for i in range(1, 14, 3)]


def generator_of(data, prefix):
    """Return the generator's weights, or gradients, of a reference file."""
    return {
        f"conv{i}": jnp.float32(data[f"{prefix}/{name}.weight"]).transpose(2, 3, 1, 0)
        for i, name in enumerate(GENERATOR_LAYERS, start=1)
    }


def discriminator_of(data, prefix):
    """Return the discriminator's weights, or gradients, of a reference file, without the biases before a norm."""

    def matrix(name):
        weight = data[f"{prefix}/{name}.weight_orig"]
        return jnp.asarray(weight.reshape(len(weight), -1).T)

    return {
        "first": matrix("first_layer"),
        "hidden": jnp.stack([matrix(name) for name in HIDDEN]),
        "scale": jnp.stack([data[f"{prefix}/{name}.weight"] for name in NORMALIZATIONS]),
        "shift": jnp.stack([data[f"{prefix}/{name}.bias"] for name in NORMALIZATIONS]),
        "last": matrix("final_layer.0"),
        "bias": jnp.asarray(data[f"{prefix}/final_layer.0.bias"]),
    }


def directions_of(data, prefix):
    """Return the left singular vectors of a reference file."""
    first, *hidden = (jnp.float32(data[f"{prefix}/{name}.weight_u"]) for name in ("first_layer", *HIDDEN))
    return {"first": first[None], "hidden": jnp.stack(hidden)}


KEY = jax.random.key(0)
GENERATOR = compiled(init_generator)
DISCRIMINATOR = compiled(init_discriminator)


@pytest.fixture(scope="module")
def weights():
    """Return random weights large enough for a kernel of entries near 1."""
    params = jax.tree.map(np.asarray, GENERATOR(KEY))
    return {name: 20 * weight / np.sqrt(weight.size) / weight.std() for name, weight in params.items()}


@pytest.mark.shared
def test_the_generators_golden_file(shared):
    with np.load(shared / "golden" / "kernelgan_generator.npz") as file:
        data = dict(file)
    params, planes = generator_of(data, "param"), jnp.asarray(data["in/x"][0])

    def penalties(params):
        kernel = compose_kernel(params)
        terms = [f(kernel) for f in (sum_to_one, boundaries, centre, sparsity)]
        return 0.5 * terms[0] + 0.5 * terms[1] + terms[2] + 5 * terms[3], (kernel, terms)

    def square(params):
        output = reduce_by(compose_kernel(params), planes)
        return jnp.mean(jnp.square(output)), output

    (_, (kernel, terms)), gradients = compiled(jax.value_and_grad(penalties, has_aux=True))(params)
    assert_close(kernel, data["out/kernel"])
    np.testing.assert_allclose(terms[0], data["out/loss/sum_to_1"], atol=1e-6)
    for term, name in zip(terms[1:], ("boundaries", "center", "sparse"), strict=True):
        np.testing.assert_allclose(term, data[f"out/loss/{name}"], rtol=1e-5)
    jax.tree.map(assert_close, gradients, generator_of(data, "out/grad_regulariser"))
    (_, output), gradients = compiled(jax.value_and_grad(square, has_aux=True))(params)
    assert_close(output, data["out/y"][0])
    jax.tree.map(assert_close, gradients, generator_of(data, "out/grad_mean_y2"))
    target = bicubic_target(planes, channel_sum=True)
    np.testing.assert_allclose(jnp.mean(jnp.square(output - target)), data["out/loss/bicubic_channel_sum"], rtol=1e-5)


@pytest.mark.shared
def test_the_discriminators_golden_file(shared):
    with np.load(shared / "golden" / "kernelgan_discriminator.npz") as file:
        data = dict(file)
    directions = directions_of(data, "param")

    def square(params, planes):
        vectors, after = iterate(params, directions, 1)
        answer = discriminate(params, spectral_norms(params, vectors), cut_patches(planes[:, None]))
        return jnp.mean(jnp.square(answer)), (answer, after)

    found = compiled(jax.value_and_grad(square, argnums=(0, 1), has_aux=True))
    (_, (answer, after)), gradients = found(discriminator_of(data, "param"), data["in/x"][0])
    assert_close(answer.reshape(1, 1, 20, 20), data["out/y"])
    jax.tree.map(assert_close, after, directions_of(data, "out/state_after"))
    jax.tree.map(assert_close, gradients[0], discriminator_of(data, "out/grad_mean_y2"))
    assert_close(gradients[1], data["out/grad_mean_y2/x"][0])
    for name in ("first_layer", *HIDDEN):  # the biases left out: they get no gradient but rounding
        assert np.abs(data[f"out/grad_mean_y2/{name}.bias"]).max() < 1e-7


def test_one_kernel_is_the_six_layers(weights):
    """The output, and through it and the kernel the gradient of every weight."""
    planes = jax.random.uniform(jax.random.key(1), (3, 20, 24), minval=-1)
    pull = jax.random.normal(jax.random.key(2), (3, 4, 6))

    def ours(params):
        kernel = compose_kernel(params)
        output = reduce_by(kernel, planes)
        return jnp.sum(output * pull) + jnp.sum(kernel**2), (output, kernel)

    def plain(params):
        kernel = reference.extract(params)
        output = reference.generate(params, planes)
        return jnp.sum(output * pull) + jnp.sum(kernel**2), (output, kernel)

    results = [compiled(jax.value_and_grad(f, has_aux=True))(weights) for f in (ours, plain)]
    jax.tree.map(assert_close, *results)


def test_a_batch_has_its_own_weights(weights):
    planes = jax.random.uniform(jax.random.key(1), (2, 3, 20, 24), minval=-1)
    batch = jax.tree.map(lambda weight: np.stack([weight, weight[::-1] * 2]), weights)
    program = compiled(jax.vmap(lambda params, x: reduce_by(compose_kernel(params), x)))
    for i, output in enumerate(program(batch, planes)):
        assert_close(output, reference.generate(jax.tree.map(lambda leaf, i=i: leaf[i], batch), planes[i]))
    assert "convolution" not in program.lower(batch, planes).as_text()


def test_parameter_counts():
    shapes = jax.eval_shape(init_generator, KEY)
    assert sum(leaf.size for leaf in jax.tree.leaves(shapes)) == 150_656
    shapes = jax.eval_shape(init_discriminator, KEY)[0]
    assert sum(leaf.size for leaf in jax.tree.leaves(shapes)) == 30_977 - 6 * 64  # biases before a normalisation


def test_the_first_weights_are_xaviers():
    generator, (discriminator, directions) = jax.tree.map(np.asarray, (GENERATOR(KEY), DISCRIMINATOR(KEY)))
    np.testing.assert_allclose(generator["conv2"].std(), 0.1 * np.sqrt(2 / (25 * 128)), rtol=0.02)
    np.testing.assert_allclose(generator["conv1"].std(), 0.1 * np.sqrt(2 / (49 * 65)), rtol=0.05)
    np.testing.assert_allclose(discriminator["first"].std(), 0.1 * np.sqrt(2 / (49 * 67)), rtol=0.05)
    np.testing.assert_allclose(discriminator["scale"].std(), 0.02, rtol=0.15)
    np.testing.assert_allclose(np.linalg.norm(directions["hidden"], axis=1), 1, rtol=1e-6)


@pytest.mark.slow
def test_a_flat_crop_has_finite_gradients():
    @compiled
    @jax.grad
    def gradient(planes):
        params, directions = init_discriminator(KEY)
        vectors, _ = iterate(params, directions, 1)
        return discriminate(params, spectral_norms(params, vectors), cut_patches(planes[:, None])).sum()

    gradients = gradient(jnp.zeros((3, 26, 26)))
    assert np.isfinite(gradients).all()
