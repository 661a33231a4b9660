"""The compiled program: a network on windows of a photo, with the colour and rounding around it."""

import dataclasses
import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from jaxsr.imaging.color import from_range, rgb_to_ycbcr, to_range, ycbcr_to_rgb
from jaxsr.imaging.resize import resize
from jaxsr.models import found, restored

WINDOWS, ROWS = "windows", "rows"  # what the devices of a mesh share: several windows, or the rows of one
LEAST_ROWS = 24  # of a device; with fewer, telling the neighbours of them takes longer than they save
Found = dict[str, Any]  # what a network says of a photo besides its image, such as its blur kernel


@dataclasses.dataclass(frozen=True)
class Recipe:
    """What a program depends on besides shapes and dtype. The weights are no part of it: training changes them."""

    module: Any
    scale: int
    pre_upsampled: bool
    value_range: tuple[float, float]
    quantize: bool
    ensemble: bool
    arguments: tuple[str, ...] = ()  # of the network's call, set to True


def mesh_for(count: int, rows: int) -> Mesh:
    """Return the mesh of `count` devices that share windows or, where one has all work, of those that share its `rows`.

    Each device then gets the same number, LEAST_ROWS or more. 0 rows are not shared.
    """
    devices = np.array(jax.local_devices())
    if count > 1:
        return Mesh(devices[:count], (WINDOWS,))
    even = [n for n in range(2, len(devices) + 1) if rows % n == 0 and rows >= n * LEAST_ROWS]
    return Mesh(devices[: max(even, default=1)], (ROWS,))


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
    if mesh.axis_names == (ROWS,):
        return _enlarge(recipe, NamedSharding(mesh, PartitionSpec(None, ROWS)), variables, windows, needed)
    shared = PartitionSpec(WINDOWS)
    share = jax.shard_map(
        functools.partial(_enlarge, recipe, None),
        mesh=mesh,
        in_specs=(PartitionSpec(), shared, shared),
        out_specs=shared,
        check_vma=False,
    )
    return share(variables, windows, needed)


def _enlarge(
    recipe: Recipe, rows: NamedSharding | None, variables: Any, windows: jax.Array, needed: Any
) -> tuple[jax.Array, jax.Array, Found]:
    """Return what `enlarge_windows` does, its network on the devices that `rows` places the photo's rows on."""
    photos = _to_float(windows)
    network = functools.partial(_run_network, recipe, rows, variables, needed)
    if recipe.module.channels == 1 and photos.shape[-1] == 3:
        ycbcr = rgb_to_ycbcr(photos)
        chroma = resize(ycbcr[..., 1:], recipe.scale)
        y, more = network(ycbcr[..., :1])
        photos = ycbcr_to_rgb(jnp.concatenate([y, chroma], axis=-1))
    elif recipe.module.channels == 3 and photos.shape[-1] == 1:
        photos, more = network(jnp.repeat(photos, 3, axis=-1))
        photos = photos.mean(axis=-1, keepdims=True)
        more = {name: x.mean(axis=-1, keepdims=True) if name == "images" else x for name, x in more.items()}
    else:
        photos, more = network(photos)
    finite = jnp.isfinite(photos).all(axis=(1, 2, 3))  # rounding would turn NaN into black
    return (_to_dtype(photos, windows.dtype) if recipe.quantize else photos), finite, more


def _run_network(
    recipe: Recipe, rows: NamedSharding | None, variables: Any, needed: Any, x: jax.Array
) -> tuple[jax.Array, Found]:
    """Return the network's result (N, scale h, scale w, C) for `x` (N, h, w, C), both in [0, 1], and what it found."""
    x = resize(x, recipe.scale) if recipe.pre_upsampled else x
    x = x if rows is None else jax.lax.with_sharding_constraint(x, rows)  # here: no sharding gets through `resize`

    def apply(x: jax.Array) -> tuple[jax.Array, Found]:
        output = recipe.module.apply(variables, x, *needed, **dict.fromkeys(recipe.arguments, True))
        return restored(output), found(output)

    network = functools.partial(_self_ensemble, apply) if recipe.ensemble else apply
    y, more = network(to_range(x, recipe.value_range))
    return from_range(y, recipe.value_range), more


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


def _to_float(window: jax.Array) -> jax.Array:
    """Return integer levels, or floats, as float32 in [0, 1]."""
    levels = jnp.iinfo(window.dtype).max if jnp.issubdtype(window.dtype, jnp.integer) else 1
    return window.astype(jnp.float32) / levels


def _to_dtype(photo: jax.Array, dtype: Any) -> jax.Array:
    """Return `photo` clipped to [0, 1], and for an integer `dtype` as its levels, rounded half up."""
    photo = jnp.clip(photo, 0, 1)
    if jnp.issubdtype(dtype, jnp.integer):
        photo = jnp.floor(photo * jnp.iinfo(dtype).max + 0.5)
    return photo.astype(dtype)
