"""KernelGAN as the paper writes it: six layers on each plane, the discriminator layer by layer, Adam by its formulas.

In JAX, so that gradients can be compared; `params` are those of jaxsr.models.kernelgan, images (3, H, W) in [-1, 1].
"""

import functools

import jax
import jax.numpy as jnp
import numpy as np


def generate(params, planes):
    """Return the reduced planes (3, h, w), by one layer after the other."""
    x = planes[..., None]  # the planes are the batch
    for i in range(1, 7):
        stride = 2 if i == 6 else 1
        x = jax.lax.conv_general_dilated(
            x, params[f"conv{i}"], (stride, stride), "VALID", dimension_numbers=("NHWC", "HWIO", "NHWC")
        )
    return x[..., 0]


def extract(params):
    """Return the generator's kernel: its impulse response, turned around."""
    pixel = jnp.zeros((25, 25, 1, 1)).at[12, 12].set(1).reshape(1, 25, 25, 1)
    for i in range(1, 7):
        pixel = jax.lax.conv_general_dilated(
            pixel, params[f"conv{i}"], (1, 1), "VALID", dimension_numbers=("NHWC", "HWIO", "NHWC")
        )
    return pixel[0, ::-1, ::-1, 0]


def layers(params):
    """Return the discriminator's weight matrices (in, out), first to last."""
    return [params["first"], *params["hidden"], params["last"]]


def normalized(weight, u):
    """Return `weight` over its spectral norm after one power iteration, and its new left vector."""
    v = jax.lax.stop_gradient(weight @ u)
    v = v / jnp.linalg.norm(v)
    u = jax.lax.stop_gradient(v @ weight)
    u = u / jnp.linalg.norm(u)
    return weight / (v @ weight @ u), u


def discriminate(params, vectors, planes):
    """Return the map of probabilities (20, 20), and the new left vectors, those of `layers`."""
    weights, vectors = zip(*map(normalized, layers(params), vectors), strict=True)
    first = weights[0].reshape(3, 7, 7, 64).transpose(1, 2, 0, 3)
    x = jax.lax.conv_general_dilated(
        planes.transpose(1, 2, 0)[None], first, (1, 1), "VALID", dimension_numbers=("NHWC", "HWIO", "NHWC")
    )[0]
    for weight, scale, shift in zip(weights[1:-1], params["scale"], params["shift"], strict=True):
        x = x @ weight
        mean, variance = x.mean(axis=(0, 1), keepdims=True), x.var(axis=(0, 1), keepdims=True)
        x = (x - mean) / jnp.sqrt(variance + 1e-5)
        x = jnp.maximum(x * scale.reshape(1, 1, -1) + shift.reshape(1, 1, -1), 0)
    return jax.nn.sigmoid(x @ weights[-1] + params["bias"].reshape(1, 1, -1))[..., 0], list(vectors)


def bicubic(planes):
    """Return the bicubic reduction by MATLAB's 8 weights, every second pixel, without 3 pixels on each side."""
    distance = np.abs(np.arange(8) - 3.5) / 2
    near = 1.5 * distance**3 - 2.5 * distance**2 + 1
    far = -0.5 * distance**3 + 2.5 * distance**2 - 4 * distance + 2
    weights = np.where(distance <= 1, near, far) / 2
    height, width = (side // 2 for side in planes.shape[1:])
    padded = jnp.pad(planes, ((0, 0), (3, 3), (3, 3)))
    rows = sum(w * padded[:, i : i + 2 * height : 2] for i, w in enumerate(weights))
    return sum(w * rows[:, :, i : i + 2 * width : 2] for i, w in enumerate(weights))[:, 3:-3, 3:-3]


def regularizers(kernel):
    """Return |1 - Σk|, the frame's penalty, the centre's and the sparsity's."""
    row, column = np.mgrid[:13, :13]
    frame = 30 * (1 - np.exp(-((row - 6) ** 2 + (column - 6) ** 2) / (2 * 13**2)))
    frame[2:11, 2:11] = 0
    mass = kernel.sum()
    centre = [(axis * kernel).sum() / mass - 6.5 for axis in (row, column)]
    return (
        jnp.abs(1 - mass),
        jnp.abs(kernel * frame).mean(),
        (centre[0] ** 2 + centre[1] ** 2) / 2,
        (jnp.abs(kernel) ** 0.2).mean(),
    )


def adam(params, gradients, moments, count, rate):
    """Return the next parameters and moments, those after `count` steps before."""
    first = jax.tree.map(lambda m, g: 0.5 * m + 0.5 * g, moments[0], gradients)
    second = jax.tree.map(lambda m, g: 0.999 * m + 0.001 * g * g, moments[1], gradients)

    def move(p, m, v):
        m, v = m / (1 - 0.5 ** (count + 1)), v / (1 - 0.999 ** (count + 1))
        return p - rate * m / (jnp.sqrt(v) + 1e-8)

    return jax.tree.map(move, params, first, second), (first, second)


def generator_loss(params, discriminator, vectors, crop, weight, *, late, channel_sum, sparsity):
    """Return the loss, and what else a step needs: kernel, bicubic loss and the discriminator's new left vectors."""
    output, kernel, target = generate(params, crop), extract(params), bicubic(crop)
    target = jnp.stack([target.sum(axis=0)] * 3) if channel_sum else target
    score, vectors = discriminate(discriminator, vectors, output)
    distance, terms = jnp.mean((output - target) ** 2), regularizers(kernel)
    loss = jnp.mean(jnp.abs(score - 1)) + weight * distance + 0.5 * (terms[0] + terms[1])
    return loss + (terms[2] + sparsity * terms[3] if late else 0), (kernel, distance, vectors)


def discriminator_loss(params, vectors, real, fake):
    """Return the loss and the new left vectors."""
    real_score, vectors = discriminate(params, vectors, real)
    fake_score, vectors = discriminate(params, vectors, fake)
    return 0.5 * (jnp.mean(jnp.abs(real_score - 1)) + jnp.mean(jnp.abs(fake_score))), vectors


@functools.cache
def programs(compiled, late, channel_sum, sparsity):
    """Return both losses with their gradients; `compiled` speeds up a function."""
    of_generator = functools.partial(generator_loss, late=late, channel_sum=channel_sum, sparsity=sparsity)
    return compiled(jax.value_and_grad(of_generator, has_aux=True)), *shared_programs(compiled)


@functools.cache
def shared_programs(compiled):
    """Return the discriminator's loss with its gradient, `generate` and `adam`."""
    return compiled(jax.value_and_grad(discriminator_loss, has_aux=True)), compiled(generate), compiled(adam)


def run(generator, discriminator, vectors, photo, noise, *, compiled, corners, weight, late, square, recipe):
    """Return the kernel before the last step, the photo, both networks and the losses (steps, 3).

    `weight` is that of the bicubic loss; `late` says whether centre and sparsity count; `noise` (steps, 2, 3, 26, 26)
    is standard normal; `square` is Adam's second moment at the start. `compiled` speeds up a function.
    """
    of_generator, of_discriminator, reduced, update = programs(compiled, late, recipe.channel_sum, recipe.sparsity)
    states = [
        tuple(jax.tree.map(lambda leaf, x=x: np.full_like(leaf, x), p) for x in (0, square))
        for p in (generator, discriminator)
    ]
    photo, losses, kernel = photo.copy(), [], None
    for i, ((row, column), (y, x)) in enumerate(zip(*corners, strict=True)):
        crop = photo[:, row : row + 64, column : column + 64].copy()
        real = photo[:, y : y + 26, x : x + 26] + recipe.real_noise * noise[i, 0]
        if recipe.accumulates:
            photo[:, y : y + 26, x : x + 26] = real
        (loss, extras), gradients = of_generator(generator, discriminator, vectors, crop, weight)
        kernel, distance, vectors = extras
        generator, states[0] = update(generator, gradients, states[0], i, 2e-4)
        fake = np.asarray(reduced(generator, crop)) + noise[i, 1] / 255
        (own_loss, vectors), gradients = of_discriminator(discriminator, vectors, real, fake)
        discriminator, states[1] = update(discriminator, gradients, states[1], i, 2e-4)
        losses.append([loss, distance, own_loss])
    return kernel, photo, generator, discriminator, np.asarray(losses)
