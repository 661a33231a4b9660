"""The gradient of a convolution by its kernel, on a CPU: a convolution too, with the roles of its arrays exchanged.

Of the photo and the gradient of the result, one is the kernel, as large as a photo, and the other is what it moves
over, by as many steps as the kernel has weights; channels become photos, and photos channels. Measured for jax 0.10
(benchmarks/README.md): XLA's own takes 25 times longer inside a loop, and with 64 channels the time for a pixel is
least up to about two thousand pixels, and up to three times as long with 32 thousand, which no cache holds.
"""

import jax
import jax.numpy as jnp

PIXELS = 2400  # at most, of a part of the photos
NARROW = 32  # fewer channels than that, or no multiple of it: XLA needs the whole batch to work along
LARGE = 1 << 19  # weights from which turning the result costs more than its columns save
WIDE = 1 << 18  # channels times features from which products beat convolutions


def kernel_gradient(x: jax.Array, g: jax.Array, taps: int, padding: tuple[int, int]) -> jax.Array:
    """Return the gradient (T, T, C, O) of the kernel from that of the result, `g` (N, H, W, O).

    `x` (N, H, W, C) is what was convolved, with zeros as `padding` that keep the size.
    """
    channels, features = x.shape[-1], g.shape[-1]
    if channels * features >= WIDE:
        return _by_products(x, g, taps, padding)
    least = min(channels, features)
    if least < NARROW:
        photo_is_kernel = features < channels
    else:
        photo_is_kernel = channels < features and taps**2 * channels * features < LARGE
    sums = _sums if least % NARROW else _sums_in_parts
    if photo_is_kernel:
        mirrored = (taps - 1 - padding[0], taps - 1 - padding[1])
        return sums(g, x, mirrored)[:, ::-1, ::-1].transpose(1, 2, 3, 0)
    return sums(x, g, padding).transpose(1, 2, 0, 3)


def _sums(
    outer: jax.Array, inner: jax.Array, rows: tuple[int, int], columns: tuple[int, int] | None = None
) -> jax.Array:
    """Return (A, T, T, B): for each shift the sum over all pixels of `outer` (N, H', W', A) times `inner` (N, H, W, B).

    Zeros are added to `outer`, so many before and after its `rows` and, by default as many, its `columns`.
    """
    return jax.lax.conv_general_dilated(
        outer.transpose(3, 1, 2, 0),
        inner.transpose(1, 2, 0, 3),
        (1, 1),
        (rows, columns or rows),
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
    )


def _sums_in_parts(outer: jax.Array, inner: jax.Array, padding: tuple[int, int]) -> jax.Array:
    """Return `_sums` as the sum over parts of at most PIXELS pixels: a few photos, or a band of one."""
    n, height, width, _ = inner.shape
    bands = -(-height * width // PIXELS)
    if bands > 1:
        outer, inner = _bands(outer, padding, bands, sum(padding)), _bands(inner, (0, 0), bands, 0)
        rows, count = (0, 0), 1
    else:
        rows, count = padding, max(i for i in range(1, n + 1) if n % i == 0 and i * height * width <= PIXELS)
    parts = len(inner) // count
    if parts == 1:
        return _sums(outer, inner, rows, padding)
    outer, inner = (x.reshape(parts, count, *x.shape[1:]) for x in (outer, inner))
    sides = sum(padding) + 1
    zeros = jnp.zeros((outer.shape[-1], sides, sides, inner.shape[-1]), outer.dtype)
    return jax.lax.scan(lambda total, part: (total + _sums(*part, rows, padding), None), zeros, (outer, inner))[0]


def _bands(x: jax.Array, padding: tuple[int, int], bands: int, shared: int) -> jax.Array:
    """Return (N bands, h + `shared`, W, C), the rows of `x` (N, H, W, C) in bands that overlap by `shared`.

    So many zeros as `padding` stand before and after them, and more after the last, since all bands are of one height.
    """
    n, height = x.shape[0], x.shape[1] + sum(padding) - shared
    rows = -(-height // bands)
    x = jnp.pad(x, ((0, 0), (padding[0], padding[1] + bands * rows - height), (0, 0), (0, 0)))
    parts = [x[:, i * rows : (i + 1) * rows + shared] for i in range(bands)]
    return jnp.stack(parts, axis=1).reshape(n * bands, rows + shared, *x.shape[2:])


def _by_products(x: jax.Array, g: jax.Array, taps: int, padding: tuple[int, int]) -> jax.Array:
    """Return the gradient (T, T, C, O) as one matrix product per tap, of the pixels that it meets."""
    height, width = x.shape[1:3]
    x = jnp.pad(x, ((0, 0), padding, padding, (0, 0)))
    pixels = (x[:, i : i + height, j : j + width] for i in range(taps) for j in range(taps))
    products = [part.reshape(-1, part.shape[-1]).T @ g.reshape(-1, g.shape[-1]) for part in pixels]
    return jnp.stack(products).reshape(taps, taps, *products[0].shape)
