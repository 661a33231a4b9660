"""Training pairs: patches cut from degraded HR crops, equal to the same place of whole degraded photos."""

from typing import NamedTuple

import jax

from jaxsr.degradations.photo_batches import degrade_batch
from jaxsr.degradations.reductions import BICUBIC_CONTEXT
from jaxsr.degradations.table import context_of
from jaxsr.imaging.patches import cut_border
from jaxsr.imaging.resize import resize
from jaxsr.support.types import Key


class PatchPair(NamedTuple):
    """Patches `lr` (N, h, w, C), or enlarged to HR size, `hr` (N, scale h, scale w, C), and `kernels` (N, k, k)."""

    lr: jax.Array
    hr: jax.Array
    kernels: jax.Array | None


def patch_pair(
    name: str,
    keys: Key,
    hr: jax.Array,
    *,
    scale: int,
    kernel_size: int | None = None,
    quantize: bool | None = None,
    enlarged: bool = False,
) -> PatchPair:
    """Return the pair that the row `name` of DEGRADATIONS makes of HR crops `hr` (N, H, W, C) in [0, 1].

    `patch_context` LR pixels are cut from each side, where a crop differs from the same place of a whole photo. With
    `enlarged` the degraded photos are brought back to HR size by bicubic. Other arguments, and errors, are those of
    `degrade_batch`.
    """
    lr, kernels = degrade_batch(keys, hr, name, scale=scale, kernel_size=kernel_size, quantize=quantize)
    context = patch_context(name, scale, kernel_size, enlarged=enlarged)
    hr = cut_border(hr, scale * context)
    return PatchPair(
        cut_border(resize(lr, scale), scale * context) if enlarged else cut_border(lr, context), hr, kernels
    )


def patch_context(name: str, scale: int, kernel_size: int | None = None, *, enlarged: bool = False) -> int:
    """Return the LR pixels that `patch_pair` cuts from each side: what the degradation sees, and an enlargement."""
    return context_of(name, scale, kernel_size) + (BICUBIC_CONTEXT if enlarged else 0)
