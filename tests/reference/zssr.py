"""ZSSR as its sources describe it: SciPy's correlation, a line by `polyfit`, sums pixel by pixel."""

import jax
import jax.numpy as jnp
import numpy as np
from scipy.ndimage import correlate

from tests.reference.resize import resize


def downscale(image: np.ndarray, kernel: np.ndarray, scale: int) -> np.ndarray:
    """Return `image` (H, W, C) correlated, SciPy's "reflect" repeating the outermost pixel, and sampled."""
    blurred = np.stack([correlate(channel, kernel, mode="reflect") for channel in np.moveaxis(image, -1, 0)], axis=-1)
    rows, columns = (np.round(np.linspace(0, n - scale, int(np.ceil(n / scale)))).astype(int) for n in image.shape[:2])
    return blurred[rows][:, columns]


def back_project(image: np.ndarray, small: np.ndarray, kernel: np.ndarray, scale: int, rounds: int) -> np.ndarray:
    """Return `image` (H, W, C) after `rounds`, channel by channel."""
    for _ in range(rounds):
        lacking = small - downscale(image, kernel, scale)
        image = image + np.stack([resize(channel, scale) for channel in np.moveaxis(lacking, -1, 0)], axis=-1)
    return image


def loss_map(photo: np.ndarray) -> np.ndarray:
    """Return the sums of the gradient's magnitude over 5x5 pixels, those outside being 0, divided by their mean."""
    grey = photo @ [0.299, 0.587, 0.114] if photo.shape[-1] == 3 else photo[..., 0]
    magnitude = np.hypot(*np.gradient(grey))
    sums = np.zeros_like(grey)
    for row, column in np.ndindex(grey.shape):
        sums[row, column] = magnitude[max(row - 2, 0) : row + 3, max(column - 2, 0) : column + 3].sum()
    return sums / sums.mean()


def rates(errors: list[float], last_step: int = 3000) -> list[float]:
    """Return the learning rate after each step, until it is too low; `errors[i]` is measured at step 50 i + 50."""
    rate, changed, history = 1e-3, 0, []
    for step in range(1, last_step + 1):
        if step % 60 == 0 and step - changed > 256:
            count = step // 50
            (slope, _), covariance = np.polyfit(50 * np.arange(5), errors[count - 5 : count], 1, cov=True)
            if -1.5 * slope < np.sqrt(covariance[0, 0]):
                rate, changed = rate / 10, step
        history.append(rate)
        if rate < 9e-6:
            break
    return history


def loss(kernels: list, father: jax.Array, weights: jax.Array, enlarged_son: jax.Array) -> jax.Array:
    """Return the weighted mean absolute difference of a network of 3x3 layers, `kernels` (3, 3, in, out) in order."""
    h = enlarged_son
    for i, kernel in enumerate(kernels):
        h = jnp.maximum(h, 0) if i else h
        h = jax.lax.conv_general_dilated(h, kernel, (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC"))
    return jnp.mean(weights * jnp.abs(enlarged_son + h - father))
