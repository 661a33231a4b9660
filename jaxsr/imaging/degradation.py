"""How a small photo is made from a sharp one, on the device."""

import jax

from jaxsr.imaging.color import round_to_levels
from jaxsr.imaging.resize import resize

BICUBIC_CONTEXT = 2  # small pixels at a patch's edge that MATLAB's bicubic kernel fills from beyond it


def bicubic_pair(hr: jax.Array, scale: int, *, enlarged: bool, quantize: bool) -> tuple[jax.Array, jax.Array]:
    """Return a network's input and target, cut from the patches `hr` (N, H, W, C) in [0, 1].

    The input is the MATLAB-bicubic reduction, with `quantize` rounded to 8 bits, and with `enlarged` brought
    back to HR size. `pair_context` small pixels are cut from each side, where a patch would differ from the
    same place of a whole photo. Returns (N, h, w, C) and (N, scale h, scale w, C), or both of the latter size.
    """
    lr = resize(hr, 1 / scale)
    lr = round_to_levels(lr) if quantize else lr
    context = pair_context(enlarged)
    hr = _cut(hr, scale * context)
    return (_cut(resize(lr, scale), scale * context) if enlarged else _cut(lr, context)), hr


def pair_context(enlarged: bool) -> int:
    """Return the small pixels that `bicubic_pair` cuts from each side: the bicubic taps of one pass, or of two."""
    return 2 * BICUBIC_CONTEXT if enlarged else BICUBIC_CONTEXT


def _cut(image: jax.Array, border: int) -> jax.Array:
    return image[:, border:-border, border:-border]
