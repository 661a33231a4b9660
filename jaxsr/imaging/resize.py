"""MATLAB's `imresize(..., 'bicubic')` as two matrix products: exact to the bit, differentiable, jit-able."""

import functools
import math
from fractions import Fraction

import jax
import numpy as np

from jaxsr.imaging.arrays import Array, check_are_arrays, floats_of, namespace
from jaxsr.imaging.symbolic_sizes import enlarge_by_phases, is_symbolic
from jaxsr.support.errors import UserError

BORDERS = ("symmetric", "clamp")  # MATLAB since about R2015, and before


def resize(
    image: Array,
    scale: float | None = None,
    *,
    size: tuple[int, int] | None = None,
    border: str = "symmetric",
    uint8_stages: bool = False,
) -> Array:
    """Return `image` (..., H, W, C) enlarged or reduced as MATLAB's bicubic imresize does.

    `scale` gives ceil(scale H) by ceil(scale W) pixels; `size` gives its own height and width. Reduction is
    antialiased. NumPy arrays are computed in float64, JAX arrays in their own precision. Values are in [0, 1];
    with `uint8_stages` they are rounded to 8 bits first, and each of the two passes rounds half up and saturates,
    as MATLAB does on uint8 images. Raises UserError without exactly one of `scale` and `size`, above 0, for images
    without pixels, for what is no array, for JAX arrays of integers, whose precision holds no weights, and for integers
    with `uint8_stages`.
    Source: MATLAB documentation; specification of the border and of the stages checked on published LR files.
    """
    check_are_arrays(image=image)
    if image.ndim < 3:
        raise UserError(f"images have the shape (..., H, W, C); got {image.shape}; give a grey one as image[..., None]")
    height, width = image.shape[-3:-1]
    if scale is not None and size is None and (is_symbolic(height) or is_symbolic(width)):
        return _by_phases(image, scale, border)  # pyright: ignore[reportReturnType]  # a JAX array, as the image
    if uint8_stages and np.issubdtype(image.dtype, np.integer):
        raise UserError(f"uint8_stages takes floats in [0, 1]; got {image.dtype}; {floats_of(image.dtype)}")
    scales, size = _scales_and_size(image, scale, size)
    passes = [
        ("mh,...hwc->...mwc", resize_matrix(height, size[0], float(scales[0]), border)),
        ("mw,...hwc->...hmc", resize_matrix(width, size[1], float(scales[1]), border)),
    ]
    if scales[1] < scales[0]:  # MATLAB begins with the dimension that shrinks most, rows when equal
        passes.reverse()
    xp = namespace(image)
    x: Array = xp.rint(image * 255) if uint8_stages else image
    for equation, matrix in passes:
        x = _apply(equation, matrix, x)
        x = xp.clip(xp.floor(x + 0.5), 0, 255) if uint8_stages else x
    return x / 255 if uint8_stages else x


def _scales_and_size(
    image: Array, scale: float | None, size: tuple[int, int] | None
) -> tuple[tuple[float, float], tuple[int, int]]:
    """Return the scale of rows and columns, and the sides of the result; raises UserError as `resize` does."""
    height, width = image.shape[-3:-1]
    if (scale is None) == (size is None):
        raise UserError(f"resize takes one of scale and size; got scale={scale} and size={size}")
    if min(height, width, *(size or ())) < 1 or (scale is not None and not 0 < scale < math.inf):
        given = f"scale={scale}" if size is None else f"size={size}"
        raise UserError(f"resize takes pixels to pixels; got {given} and a photo of {height}x{width}; use more than 0")
    if not isinstance(image, np.ndarray) and np.issubdtype(image.dtype, np.integer):
        raise UserError(f"JAX arrays are resized as floats; got {image.dtype}; {floats_of(image.dtype)}")
    if size is not None:
        return (size[0] / height, size[1] / width), size
    assert scale is not None
    return (scale, scale), (output_size(height, scale), output_size(width, scale))


def _by_phases(image: Array, scale: float, border: str) -> jax.Array:
    """Return `resize` of an image (N, H, W, C) whose sides are symbols, and multiples of the scale's denominator."""
    if not isinstance(image, jax.Array) or border != "symmetric":
        raise UserError(f"border={border!r} takes sides that are numbers; use 'symmetric'")
    ratio = Fraction(scale).limit_denominator(100)
    indices, weights = _taps(ratio.numerator, scale)
    first = int(indices[np.abs(weights) > 1e-12].min())
    last = int(indices[np.abs(weights) > 1e-12].max())
    taps = np.zeros((ratio.numerator, last - first + 1))
    for row, column, weight in zip(*np.nonzero(np.abs(weights) > 1e-12), weights[np.abs(weights) > 1e-12], strict=True):
        taps[row, indices[row, column] - first] += weight
    return enlarge_by_phases(image, taps, first, ratio.denominator)


def output_size(size: int, scale: float) -> int:
    """Return ceil(scale * size), safe against the last bit of a scale such as 1/3."""
    return math.ceil(round(scale * size, 9))


def _apply(equation: str, matrix: np.ndarray, image: Array) -> Array:
    """Return the einsum of `matrix` and `image`, in float64 for NumPy arrays."""
    if isinstance(image, np.ndarray):
        return np.einsum(equation, matrix, image.astype(np.float64), optimize=True)
    matrix = namespace(image).asarray(matrix, image.dtype)
    return namespace(image).einsum(equation, matrix, image, precision=jax.lax.Precision.HIGHEST)


@functools.lru_cache(maxsize=256)
def resize_matrix(size_in: int, size_out: int, scale: float, border: str = "symmetric") -> np.ndarray:
    """Return the float64 matrix (size_out, size_in) that resizes one dimension; its rows sum to 1.

    `scale` is passed beside the sizes because MATLAB places its samples by the scale, not by the ratio of sizes.
    """
    if border not in BORDERS:
        raise UserError(f"unknown border {border!r}; choose one of: {', '.join(BORDERS)}")
    indices, weights = _taps(size_out, scale)
    period = np.concatenate([np.arange(size_in), np.arange(size_in)[::-1]])
    columns = period[indices % (2 * size_in)] if border == "symmetric" else np.clip(indices, 0, size_in - 1)
    matrix = np.zeros((size_out, size_in))
    np.add.at(matrix, (np.arange(size_out)[:, None], columns), weights)
    matrix.setflags(write=False)
    return matrix


def _taps(size_out: int, scale: float) -> tuple[np.ndarray, np.ndarray]:
    """Return for each output sample the 0-based input indices (may lie outside) and their weights."""
    shrink = min(scale, 1.0)  # antialiasing widens the kernel by 1/scale
    support = 4 / shrink
    centres = np.arange(1, size_out + 1) / scale + 0.5 * (1 - 1 / scale)
    left = np.floor(centres - support / 2)
    indices = left[:, None] + np.arange(math.ceil(support) + 2)
    weights = shrink * cubic(shrink * (centres[:, None] - indices))
    return indices.astype(int) - 1, weights / weights.sum(axis=1, keepdims=True)


def cubic(x: np.ndarray) -> np.ndarray:
    """Return Keys' cubic convolution kernel with a = -0.5 at the distances `x`."""
    x = np.abs(x)
    inner = 1.5 * x**3 - 2.5 * x**2 + 1
    outer = -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2
    return np.where(x <= 1, inner, np.where(x <= 2, outer, 0.0))
