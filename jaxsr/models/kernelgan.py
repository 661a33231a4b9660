"""KernelGAN: a deep linear generator that learns to downscale a photo, and a discriminator of patches.

The generator's output is to have the patch distribution of the photo itself. Bell-Kligler, Shocher, Irani, "Blind
Super-Resolution Kernel Estimation using an Internal-GAN", NeurIPS 2019. Everything here is for one photo; `jax.vmap`
over it gives batched matrix products, never grouped convolutions. Images are three planes (3, H, W) in [-1, 1]: rows of
pixels are then contiguous, which makes patches cheap.
"""

import math

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

PAPER = "Bell-Kligler et al., NeurIPS 2019, arXiv 1909.06581"
FEATURES = 64
GENERATOR_SIZES = (7, 5, 3, 1, 1, 1)
KERNEL_SIZE = 13  # receptive field of the six layers
SCALE = 2
DISCRIMINATOR_SIZE = 7
HIDDEN_LAYERS = 5
EPSILON = 1e-5  # of batch normalisation
SMALLEST_NORM = 1e-12  # that a power iteration divides by

Generator = dict[str, jax.Array]
Discriminator = dict[str, jax.Array]
Directions = dict[str, jax.Array]  # left singular vectors: first (1, 64), hidden (5, 64)
Vectors = dict[str, tuple[jax.Array, ...]]


def _normal(key: jax.Array, shape: tuple[int, ...]) -> jax.Array:
    """Return Xavier's normal initialisation at a tenth of its deviation, for `shape` (height, width, in, out)."""
    fans = math.prod(shape[:-1]) + math.prod(shape[:-2]) * shape[-1]
    return 0.1 * math.sqrt(2 / fans) * jax.random.normal(key, shape)


def init_generator(key: jax.Array) -> Generator:
    """Return the generator's random weights, `conv1` to `conv6`, each (size, size, in, out). No biases."""
    widths = (1, *[FEATURES] * (len(GENERATOR_SIZES) - 1), 1)
    keys = jax.random.split(key, len(GENERATOR_SIZES))
    return {
        f"conv{i + 1}": _normal(keys[i], (size, size, widths[i], widths[i + 1]))
        for i, size in enumerate(GENERATOR_SIZES)
    }


def compose_kernel(params: Generator) -> jax.Array:
    """Return the kernel (13, 13), in correlation orientation, that is equivalent to the generator's six layers.

    It is composed from the single output channel: the 1x1 layers become a vector, the others a kernel of 64 channels
    that grows towards the input. That takes 1.1 M products; the layers on a crop of 64 x 64 pixels take 400 M a plane.
    """
    k = params["conv6"][..., 0]
    for name in ("conv5", "conv4"):
        k = k @ params[name][0, 0].T
    for name in ("conv3", "conv2", "conv1"):
        k = _overlap(jnp.einsum("yxio,vuo->yvxui", params[name], k))
    return k[..., 0]


def _overlap(x: jax.Array) -> jax.Array:
    """Return (A + B - 1, A + B - 1, C): entry (a, b, a', b') of `x` (A, B, A, B, C) added at (a + b, a' + b').

    Computed as products with tables of ones and zeros: a tenth of the operations that shifted sums take.
    """
    table = _band(x.shape[1], x.shape[0], x.shape[0] + x.shape[1] - 1, step=1)
    return jnp.einsum("uqx,pxuc->pqc", table, jnp.einsum("vpy,yvxuc->pxuc", table, x))


def reduce_by(kernel: jax.Array, planes: jax.Array) -> jax.Array:
    """Return `planes` (3, H, W) correlated with `kernel` (k, k) at every second valid position (3, h, w).

    Rows of pixels times a band matrix of the kernel: h = (H - k) // 2 + 1.
    """
    size = kernel.shape[0]
    height, width = ((side - size) // SCALE + 1 for side in planes.shape[1:])
    rows = np.arange(height)[:, None] * SCALE + np.arange(size)
    return jnp.einsum(
        "cyvi,vix->cyx",
        planes[:, rows],
        jnp.einsum("vu,uix->vix", kernel, _band(size, width, planes.shape[2], step=SCALE)),
    )


def _band(size: int, count: int, length: int, *, step: int) -> np.ndarray:
    """Return (size, length, count), 1 where tap u of output x meets input i: i = `step` x + u."""
    tap, i, x = np.ogrid[:size, :length, :count]
    return np.asarray(i == step * x + tap, np.float32)


def init_discriminator(key: jax.Array) -> tuple[Discriminator, Directions]:
    """Return the discriminator's random weights, and the initial vectors of the power iterations.

    `first` (147, 64) maps a 3x7x7 patch, `hidden` (5, 64, 64), each followed by batch normalisation with `scale` and
    `shift` (5, 64), `last` (64, 1) and its `bias` (1,). The published layers before a normalisation also have biases,
    which the normalisation cancels.
    """
    keys = jax.random.split(key, 5)
    patch = (DISCRIMINATOR_SIZE, DISCRIMINATOR_SIZE, 3, FEATURES)
    hidden = [_normal(k, (1, 1, FEATURES, FEATURES)) for k in jax.random.split(keys[1], HIDDEN_LAYERS)]
    params = {
        "first": _normal(keys[0], patch).reshape(-1, FEATURES),
        "hidden": jnp.stack(hidden)[:, 0, 0],
        "scale": 1 + 0.02 * jax.random.normal(keys[2], (HIDDEN_LAYERS, FEATURES)),
        "shift": jnp.zeros((HIDDEN_LAYERS, FEATURES)),
        "last": _normal(keys[3], (1, 1, FEATURES, 1))[0, 0],
        "bias": jnp.zeros((1,)),
    }
    u = jax.random.normal(keys[4], (HIDDEN_LAYERS + 1, FEATURES))
    u = u / jnp.linalg.norm(u, axis=1, keepdims=True)
    return params, {"first": u[:1], "hidden": u[1:]}


def iterate(params: Discriminator, directions: Directions, passes: int) -> tuple[Vectors, Directions]:
    """Return the singular vectors for the next `passes` of the discriminator, and the directions after them.

    Each pass has one power iteration: v from the left vector u of the previous pass, u from v. The vectors are pairs
    (v, u), of the `first` layer (passes, 1, 147) and (passes, 1, 64), of the `hidden` (passes, 5, 64), without
    gradients. `last` has one output, hence no iteration.
    """
    vectors, after = {}, {}
    for name, weights in (("first", params["first"][None]), ("hidden", params["hidden"])):
        weights, u, pairs = jax.lax.stop_gradient(weights), directions[name], []
        for _ in range(passes):  # at most three, so norms may grow in between
            v = jnp.einsum("lio,lo->li", weights, u)
            u = jnp.einsum("lio,li->lo", weights, v)
            pairs.append((v, u))
        vectors[name] = tuple(_normalize(jnp.stack(side)) for side in zip(*pairs, strict=True))
        after[name] = vectors[name][1][-1]
    return vectors, after


def _normalize(x: jax.Array) -> jax.Array:
    return x / jnp.maximum(jnp.sqrt(jnp.sum(x * x, axis=-1, keepdims=True)), SMALLEST_NORM)


def spectral_norms(params: Discriminator, vectors: Vectors) -> jax.Array:
    """Return the largest singular values (passes, 6) of the first and hidden layers, with `iterate`'s `vectors`.

    Gradients pass through the weights alone. The singular value of the last layer, of one output, is its length.
    """
    norms = [
        jnp.einsum("pli,lio,plo->pl", vectors[name][0], weights, vectors[name][1])
        for name, weights in (("first", params["first"][None]), ("hidden", params["hidden"]))
    ]
    return jnp.concatenate(norms, axis=1)


@jax.custom_vjp
def cut_patches(planes: jax.Array) -> jax.Array:
    """Return all 7x7 patches of `planes` (3, passes, H, W) as columns (147, passes, P), entries ordered (c, y, x).

    P = (H - 6) (W - 6), rows first.
    """
    size = DISCRIMINATOR_SIZE
    height, width = (side - size + 1 for side in planes.shape[2:])
    x = jnp.stack([planes[..., i : i + width] for i in range(size)], axis=1)
    x = jnp.stack([x[..., i : i + height, :] for i in range(size)], axis=1)
    return x.reshape(3 * size**2, planes.shape[1], height * width)


def _cut_forward(planes: jax.Array) -> tuple[jax.Array, tuple[int, ...]]:
    return cut_patches(planes), planes.shape[2:]


def _cut_backward(sides: tuple[int, ...], g: jax.Array) -> tuple[jax.Array]:
    size = DISCRIMINATOR_SIZE
    counts = [side - size + 1 for side in sides]
    rows, columns = (_band(size, n, side, step=1) for n, side in zip(counts, sides, strict=True))
    g = g.reshape(3, size, size, -1, *counts)
    return (jnp.einsum("vhy,cvpyw->cphw", rows, jnp.einsum("uwx,cvupyx->cvpyw", columns, g)),)


cut_patches.defvjp(_cut_forward, _cut_backward)


def discriminate(params: Discriminator, norms: jax.Array, patches: jax.Array) -> jax.Array:
    """Return the probability (passes, P) in [0, 1] that each of `patches` (147, passes, P) is the photo's own.

    Each pass has its own batch statistics, and its own `norms` (passes, 6). Spectral normalisation divides each weight
    matrix by its norm; batch normalisation cancels that except in its epsilon, which is multiplied instead. The first
    two layers are linear, hence computed as one.
    """
    hidden, scales, shifts = (_apart(params[name]) for name in ("hidden", "scale", "shift"))
    y = jnp.einsum("kpn,kf->pnf", patches, params["first"] @ hidden[0])
    squares = jnp.concatenate([norms[:, :1] * norms[:, 1:2], norms[:, 2:]], axis=1) ** 2
    for i in range(HIDDEN_LAYERS):
        y = y if i == 0 else y @ hidden[i]
        mean = y.mean(axis=1, keepdims=True)
        variance = jnp.square(y - mean).mean(axis=1, keepdims=True)
        gain = scales[i].reshape(1, 1, -1) * jax.lax.rsqrt(variance + EPSILON * squares[:, i, None, None])
        y = nn.relu((y - mean) * gain + shifts[i].reshape(1, 1, -1))
    shrink = jax.lax.rsqrt(jnp.sum(jnp.square(params["last"])))  # multiplied; compilers may rewrite a division
    return nn.sigmoid((y @ params["last"])[..., 0] * shrink + params["bias"][None])


def _apart(stacked: jax.Array) -> list[jax.Array]:
    """Return the layers of `stacked` (layers, ...); their gradients are concatenated, not padded and added."""
    return [layer[0] for layer in jax.lax.split(stacked, (1,) * len(stacked))]
