"""Photos for KernelGAN and ZSSR, and estimates to compare or to stand in for KernelGAN's."""

import jax
import jax.numpy as jnp
import numpy as np

from jaxsr.blind.kernelgan.parallel_runs import Estimate

SQUARE = 1e-5  # Adam's second moment at the start: from 0, its first moves are signs of gradients, which rounding flips


def block_photo(height: int, width: int, seed: int = 0) -> np.ndarray:
    """Return a photo (height, width, 3) in [0, 1] of blocks and noise."""
    rng = np.random.default_rng(seed)
    blocks = rng.random((height // 8 + 1, width // 8 + 1, 3)).repeat(8, 0).repeat(8, 1)[:height, :width]
    return np.float32(0.8 * blocks + 0.2 * rng.random((height, width, 3)))


def block_levels(height: int, width: int, channels: int = 3, dtype=np.uint8) -> np.ndarray:
    """Return integer levels (height, width, channels) of `block_photo`, and where there are four, of alpha."""
    photo = block_photo(height, width)
    bands = np.concatenate([photo, photo[..., :1]], axis=-1)[..., :channels]
    return np.rint(bands * np.iinfo(dtype).max).astype(dtype)


def settled(state):
    """Return a first state of KernelGAN as if Adam knew how large gradients are, with an output that is not 0."""
    generator = jax.tree.map(lambda leaf: 12 * leaf, state.generator)
    moments = [
        m._replace(nu=jax.tree.map(lambda leaf: jnp.full_like(leaf, SQUARE), m.nu))
        for m in (state.generator_moments, state.discriminator_moments)
    ]
    return state._replace(generator=generator, generator_moments=moments[0], discriminator_moments=moments[1])


def estimates_of_blobs(photos, options, *, progress=None) -> list[list[Estimate]]:
    """Return what `estimate_kernels` could: for each photo a run whose kernel is a blob off its centre."""
    if progress is not None:
        total = len(photos) * options.steps * len(options.all_seeds)
        progress(total, total)
    row, column = np.ogrid[:13, :13]
    blob = np.exp(-((row - 7) ** 2) / 4 - (column - 6) ** 2 / 8)
    return [[Estimate(options.seed, blob / blob.sum(), np.zeros((2, 3)))] for _ in photos]


def assert_same_estimate(first: Estimate, second: Estimate) -> None:
    """Compare bit for bit."""
    np.testing.assert_array_equal(first.losses, second.losses)
    np.testing.assert_array_equal(first.kernel, second.kernel)


def assert_alike(first: Estimate, second: Estimate) -> None:
    """Compare up to rounding."""
    np.testing.assert_allclose(first.losses, second.losses, rtol=1e-3)
    # Adam's first moves are signs, and rounding turns some
    np.testing.assert_allclose(first.kernel, second.kernel, atol=0.1 * np.abs(second.kernel).max())
