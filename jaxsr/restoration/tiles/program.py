"""The compiled program: a network on windows of a photo, with the colour and rounding around it."""

import dataclasses
import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax.sharding import Mesh

from jaxsr.devices.meshes import map_shares, shares_rows, split_rows
from jaxsr.imaging.pixels import to_float, to_levels
from jaxsr.models.forward import ForwardSpec, run_network

Found = dict[str, Any]  # what a network says of a photo besides its image, such as its blur kernel


@dataclasses.dataclass(frozen=True)
class Recipe:
    """What a program depends on besides shapes and dtype. The weights are no part of it: training changes them."""

    forward: ForwardSpec
    quantize: bool
    ensemble: bool


@functools.partial(jax.jit, static_argnums=(0, 1))
def enlarge_windows(
    recipe: Recipe, mesh: Mesh, variables: Any, windows: jax.Array, needed: Any = ()
) -> tuple[jax.Array, jax.Array, Found]:
    """Return `windows` (N, h, w, 1 or 3) as (N, scale h, scale w, 1 or 3), which are finite (N,), and what was found.

    Integer levels or floats in [0, 1] give the same dtype with `recipe.quantize`, else float32, not clipped.
    Of a self-ensemble, what is found is found on the upright photo. `needed` are the network's further inputs, arrays
    (N, ...) in a tuple or a tree in it.
    The devices of `mesh` share the windows evenly, or the rows of one: then they exchange what they see beyond theirs.
    """
    if shares_rows(mesh):
        return _enlarge(recipe, mesh, variables, windows, needed)
    return map_shares(functools.partial(_enlarge, recipe, None), mesh, whole=1)(variables, windows, needed)


def _enlarge(
    recipe: Recipe, rows: Mesh | None, variables: Any, windows: jax.Array, needed: Any
) -> tuple[jax.Array, jax.Array, Found]:
    """Return what `enlarge_windows` does, its network on the devices that share the photo's `rows`."""
    photos, more = run_network(
        recipe.forward,
        variables,
        to_float(windows),
        needed,
        wrap=(lambda apply: functools.partial(_self_ensemble, apply)) if recipe.ensemble else (lambda apply: apply),
        place=lambda x: x if rows is None else split_rows(x, rows),  # here: no sharding gets through `resize`
    )
    finite = jnp.isfinite(photos).all(axis=(1, 2, 3))  # rounding would turn NaN into black
    return (to_levels(photos, windows.dtype) if recipe.quantize else photos), finite, more


def _self_ensemble(apply: Callable[[jax.Array], tuple[jax.Array, Found]], x: jax.Array) -> tuple[jax.Array, Found]:
    """Return the mean of `apply` over the 8 flips and quarter turns of `x` (N, h, w, C), each undone."""

    def over_flips(x: jax.Array) -> tuple[jax.Array, Found]:
        flipped = jnp.stack([x, x[:, ::-1], x[:, :, ::-1], x[:, ::-1, ::-1]])
        y, more = apply(flipped.reshape(-1, *x.shape[1:]))
        y = jnp.split(y, 4)
        upright = jax.tree.map(lambda part: part[: len(x)], more)
        return y[0] + y[1][:, ::-1] + y[2][:, :, ::-1] + y[3][:, ::-1, ::-1], upright

    (upright, more), (turned, _) = over_flips(x), over_flips(x.swapaxes(1, 2))
    return (upright + turned.swapaxes(1, 2)) / 8, more
