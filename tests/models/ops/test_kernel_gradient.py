"""The kernel's gradient is XLA's own, whatever parts the photos are taken in."""

import jax
import numpy as np
import pytest

from jaxsr.models.ops import kernel_gradient as module
from jaxsr.models.ops.convolution import _plain
from jaxsr.models.ops.kernel_gradient import kernel_gradient

RNG = np.random.default_rng(3)


def gradients(taps, channels, features, size, padding):
    """Return the gradient for random photos of `size` (N, H, W), and XLA's own."""
    x = RNG.normal(size=(*size, channels)).astype(np.float32)
    g = RNG.normal(size=(*size, features)).astype(np.float32)
    weights = np.zeros((taps, taps, channels, features), np.float32)
    (expected,) = jax.vjp(lambda weights: _plain(x, weights, padding), weights)[1](g)
    return kernel_gradient(x, g, taps, padding), expected


@pytest.mark.parametrize(
    ("channels", "size", "taps", "padding"),
    [
        *(((32, 64), size, 3, (1, 1)) for size in ((3, 5, 6), (4, 9, 4), (2, 13, 7), (6, 2, 3))),
        *(
            ((64, 32), (2, 13, 7), taps, padding)
            for taps, padding in ((2, (0, 1)), (2, (1, 0)), (4, (1, 2)), (5, (2, 2)))
        ),
        *((channels, (3, 5, 6), 4, (1, 2)) for channels in ((32, 32), (32, 64), (3, 40), (40, 3), (48, 48))),
    ],
)
def test_parts_of_the_photos_sum_to_xlas_gradient(channels, size, taps, padding, monkeypatch):
    monkeypatch.setattr(module, "PIXELS", 30)  # a photo, one band of several, or two and three photos
    found, expected = gradients(taps, *channels, size, padding)
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-3)


def test_by_default_small_batches_are_one_part_and_large_photos_bands():
    def loops(size):
        x, g = (np.zeros((*size, 64), np.float32) for _ in range(2))
        return str(jax.make_jaxpr(lambda x, g: kernel_gradient(x, g, 3, (1, 1)))(x, g)).count("scan[")

    assert [loops((4, 24, 24)), loops((16, 24, 24)), loops((1, 96, 96))] == [0, 1, 1]
