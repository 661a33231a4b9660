"""A network on a batch of photos in [0, 1]: the enlargement, colour and value range that its paper has around it.

Every way to run a network goes through `run_network`: `Model.__call__`, and the compiled programs of tiles.
"""

import dataclasses
from collections.abc import Callable, Sequence
from typing import TypeAlias

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxsr.imaging.color import from_range, rgb_to_ycbcr, to_range, ycbcr_to_rgb
from jaxsr.imaging.resize import resize
from jaxsr.imaging.symbolic_sizes import is_symbolic, reflect_to_multiples
from jaxsr.models.precision import computing_in, to_dtype
from jaxsr.support.errors import UserError
from jaxsr.support.types import Params, Tree, Variables

Extras: TypeAlias = dict[str, jax.Array]  # what a network returns beside the image, by name: (N, ...)
Apply: TypeAlias = Callable[[jax.Array], tuple[jax.Array, Extras]]
IMAGE_EXTRAS = "image"  # extras whose name begins so are images (..., H, W, C)


@dataclasses.dataclass(frozen=True)
class ForwardSpec:
    """What a forward pass depends on beside the variables and the photos; hashable, so it may be static under jit.

    `call_options` are keywords of the network's call that are set to True, such as "all_rounds"; `precision` is a row
    of PRECISIONS that the network alone computes in, between its input and its output.
    """

    module: nn.Module
    scale: int
    channels: int
    pre_upsampled: bool = False
    value_range: tuple[float, float] = (0.0, 1.0)
    call_options: tuple[str, ...] = ()
    precision: str = "float32"


def restore_batch(
    spec: ForwardSpec,
    variables: Variables,
    photos: jax.Array,
    extra_inputs: Sequence[Tree] = (),
    *,
    multiple_of: int = 1,
) -> tuple[jax.Array, Extras]:
    """Return `photos` (N, H, W, 1 or 3) in [0, 1] restored, (N, scale H, scale W, 1 or 3) in [0, 1], and the extras.

    Sides are padded by reflection to `multiple_of`. Values are clipped, with the gradient of the identity.
    """
    height, width = (spec.scale * side for side in photos.shape[1:3])
    image, beside = run_network(spec, variables, _padded(photos, multiple_of), extra_inputs)
    return clip_straight_through(image[:, :height, :width]), beside


def _padded(photos: jax.Array, multiple_of: int) -> jax.Array:
    """Return `photos` (N, H, W, C) reflected at the bottom and right to sides that are `multiple_of`."""
    sides = photos.shape[1:3]
    if any(map(is_symbolic, sides)):
        return photos if multiple_of == 1 else reflect_to_multiples(photos, multiple_of)
    rest = [(0, -side % multiple_of) for side in sides]
    return jnp.pad(photos, ((0, 0), *rest, (0, 0)), mode="reflect") if any(map(any, rest)) else photos


@jax.custom_jvp
def clip_straight_through(x: jax.Array) -> jax.Array:
    """Return `x` clipped to [0, 1]; its derivative is that of `x`, so that values outside are still learned."""
    return jnp.clip(x, 0, 1)


@clip_straight_through.defjvp
def _clip_derivative(primals: tuple[jax.Array], tangents: tuple[jax.Array]) -> tuple[jax.Array, jax.Array]:
    return clip_straight_through(*primals), tangents[0]


def run_network(
    spec: ForwardSpec,
    variables: Variables,
    photos: jax.Array,
    extra_inputs: Sequence[Tree] = (),
    *,
    wrap: Callable[[Apply], Apply] = lambda apply: apply,
    place: Callable[[jax.Array], jax.Array] = lambda x: x,
) -> tuple[jax.Array, Extras]:
    """Return `photos` (N, h, w, 1 or 3) in [0, 1] restored, (N, scale h, scale w, 1 or 3), not clipped, and the extras.

    A luma network restores Y of a colour photo, Cb and Cr are enlarged by bicubic; an RGB network gets a grey photo
    three times, and its outputs are averaged. `extra_inputs` are further arguments of the network, such as SRNTT's
    maps. `wrap` changes what is applied to the network's input, as a self-ensemble does; `place` where that input lies.
    """

    def network(x: jax.Array) -> tuple[jax.Array, Extras]:
        x = place(resize(x, spec.scale) if spec.pre_upsampled else x)

        def apply(x: jax.Array) -> tuple[jax.Array, Extras]:
            output = _output(spec, variables, x, extra_inputs)
            return restored_image(output), extras(output)

        y, beside = wrap(apply)(to_range(x, spec.value_range))
        _check_size(spec, x, y)
        return from_range(y, spec.value_range), beside

    if spec.channels == 1 and photos.shape[-1] == 3:
        ycbcr = rgb_to_ycbcr(photos)
        chroma = resize(ycbcr[..., 1:], spec.scale)
        luma, beside = network(ycbcr[..., :1])
        return ycbcr_to_rgb(jnp.concatenate([luma, chroma], axis=-1)), beside
    if spec.channels == 3 and photos.shape[-1] == 1:
        image, beside = network(jnp.repeat(photos, 3, axis=-1))
        return _grey(image), {name: _grey(x) if name.startswith(IMAGE_EXTRAS) else x for name, x in beside.items()}
    return network(photos)


def _output(spec: ForwardSpec, variables: Variables, x: jax.Array, extra_inputs: Sequence[Tree]) -> Tree:
    """Return all that the network returns, float32, computed in the precision of `spec`."""

    def apply(params: Params, x: jax.Array) -> Tree:
        options: dict[str, Tree] = dict.fromkeys(spec.call_options, True)
        return spec.module.apply({**variables, "params": params}, x, *to_dtype(extra_inputs, x.dtype), **options)

    return computing_in(spec.precision, apply)(variables.get("params", {}), x)


def _grey(image: jax.Array) -> jax.Array:
    return image.mean(axis=-1, keepdims=True)


def _check_size(spec: ForwardSpec, x: jax.Array, y: jax.Array) -> None:
    factor = 1 if spec.pre_upsampled else spec.scale
    if y.shape[1:3] != (factor * x.shape[1], factor * x.shape[2]):
        raise UserError(
            f"{type(spec.module).__name__} makes {y.shape[1]}x{y.shape[2]} pixels of {x.shape[1]}x{x.shape[2]}, not "
            f"{factor} times as many a side: padding='valid' is for training; restore with another padding"
        )


def restored_image(output: Tree) -> jax.Array:
    """Return the image in what a network returned: the field `sr` of a named tuple, or all of it."""
    return output.sr if isinstance(output, tuple) else output  # type: ignore[attr-defined]


def extras(output: Tree) -> Extras:
    """Return what a network returned beside the image, {name: (N, ...)}; {} for most."""
    return output.extras() if hasattr(output, "extras") else {}
