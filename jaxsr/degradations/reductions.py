"""How a small photo is made from a sharp one, on the device."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np

from jaxsr.imaging.color import round_to_levels
from jaxsr.imaging.patches import cut_border
from jaxsr.imaging.resize import resize
from jaxsr.support.errors import choose

BICUBIC_CONTEXT = 2  # small pixels at a patch's edge that MATLAB's bicubic kernel fills from beyond it

BLUR_SIZE, BLUR_SIGMA = 7, 1.6  # of BD
NOISE_SIGMA = 30 / 255  # of DN


def reduce_bicubic(keys: jax.Array, hr: jax.Array, scale: int) -> jax.Array:
    """Return the MATLAB-bicubic reduction (N, H / scale, W / scale, C) of `hr`, not rounded; `keys` are not used."""
    return resize(hr, 1 / scale)


def reduce_blurred(keys: jax.Array, hr: jax.Array, scale: int) -> jax.Array:
    """Return the middle pixel of each `scale` x `scale` block of blurred `hr`, in 8 bits; `keys` are not used.

    The blur is a 7x7 Gaussian of 1.6 pixels with replicated borders.
    """
    offsets = np.arange(BLUR_SIZE) - BLUR_SIZE // 2
    weights = np.exp(-0.5 * (offsets / BLUR_SIGMA) ** 2)
    weights = jnp.asarray(weights / weights.sum(), hr.dtype)
    for axis in (1, 2):
        border = [(0, 0)] * 4
        border[axis] = (BLUR_SIZE // 2, BLUR_SIZE // 2)
        padded = jnp.pad(hr, border, mode="edge")
        shifted = [jax.lax.slice_in_dim(padded, i, i + hr.shape[axis], axis=axis) for i in range(BLUR_SIZE)]
        hr = jnp.tensordot(weights, jnp.stack(shifted), axes=1)
    return round_to_levels(hr)[:, scale // 2 :: scale, scale // 2 :: scale]


def reduce_noisy(keys: jax.Array, hr: jax.Array, scale: int) -> jax.Array:
    """Return the bicubic reduction of `hr` with white noise of 30 levels, in 8 bits; a key of `keys` for each photo."""
    small = round_to_levels(resize(hr, 1 / scale))
    noise = jax.vmap(lambda key: jax.random.normal(jax.random.fold_in(key, 4), small.shape[1:]))(keys)
    return round_to_levels(small + NOISE_SIGMA * noise)


# The names are those of RDN (section 4.1), which takes the last two at x3.
DEGRADATIONS: dict[str, Callable[[jax.Array, jax.Array, int], jax.Array]] = {
    "BI": reduce_bicubic,
    "BD": reduce_blurred,
    "DN": reduce_noisy,
}


def reduced_pair(
    keys: jax.Array, hr: jax.Array, scale: int, *, degradation: str = "BI", enlarged: bool = False, quantize: bool
) -> tuple[jax.Array, jax.Array]:
    """Return a network's input and target, cut from the patches `hr` (N, H, W, C) in [0, 1], with `keys` (N,).

    The input is reduced by the row `degradation` of DEGRADATIONS, with `quantize` rounded to 8 bits, and with
    `enlarged` brought back to HR size by bicubic. `pair_context` small pixels are cut from each side, where a patch
    would differ from the same place of a whole photo. Returns (N, h, w, C) and (N, scale h, scale w, C), or both
    of the latter size.
    """
    lr = choose("degradation", degradation, DEGRADATIONS)(keys, hr, scale)
    lr = round_to_levels(lr) if quantize else lr
    context = pair_context(enlarged)
    hr = cut_border(hr, scale * context)
    return (cut_border(resize(lr, scale), scale * context) if enlarged else cut_border(lr, context)), hr


def pair_context(enlarged: bool) -> int:
    """Return the small pixels that `reduced_pair` cuts from each side: the bicubic taps of one pass, or of two.

    BD's blur reaches no further than bicubic's reduction.
    """
    return 2 * BICUBIC_CONTEXT if enlarged else BICUBIC_CONTEXT
