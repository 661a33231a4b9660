"""The compiled program: a network on tiles of a photo, with self-ensemble, and levels to floats and back."""

import dataclasses
import functools

import jax
import jax.numpy as jnp
from jax.sharding import Mesh

from jaxsr.devices.meshes import map_shares, shares_rows, split_rows
from jaxsr.imaging.pixels import to_float, to_levels
from jaxsr.models.forward import Apply, Extras, ForwardSpec, run_network
from jaxsr.support.types import Tree, Variables

TileResults = tuple[Tree, jax.Array, Extras]  # images (None where they stay), which are finite (N,), the extras


@dataclasses.dataclass(frozen=True)
class ProgramSpec:
    """What a program depends on beside shapes, dtype and devices. Weights are arguments, so that they may change."""

    forward: ForwardSpec
    quantize: bool
    ensemble: bool


@functools.partial(jax.jit, static_argnums=(0, 1))
def run_tiles(
    spec: ProgramSpec, mesh: Mesh, variables: Variables, tiles: jax.Array, extra_inputs: Tree = ()
) -> TileResults:
    """Return `tiles` (N, h, w, 1 or 3) as (N, scale h, scale w, 1 or 3), which are finite (N,), and the extras.

    Integer levels or floats in [0, 1] give the same dtype with `spec.quantize`, else float32, not clipped. With a
    self-ensemble the extras are those of the upright photo. `extra_inputs` are the network's further inputs, arrays
    (N, ...) in a tuple or a tree in it. The devices of `mesh` share the tiles evenly, or the rows of a single tile,
    with a halo exchange.
    """
    if shares_rows(mesh):
        return _run(spec, mesh, variables, tiles, extra_inputs)
    return map_shares(functools.partial(_run, spec, None), mesh, whole=1)(variables, tiles, extra_inputs)


def _run(
    spec: ProgramSpec, rows: Mesh | None, variables: Variables, tiles: jax.Array, extra_inputs: Tree
) -> TileResults:
    """Return what `run_tiles` does, on the devices of `rows` that share a tile's rows where that is not None."""
    photos, extras = run_network(
        spec.forward,
        variables,
        to_float(tiles),
        extra_inputs,
        wrap=_self_ensemble if spec.ensemble else lambda apply: apply,
        place=lambda x: x if rows is None else split_rows(x, rows),  # here: `resize` would lose the sharding
    )
    finite = jnp.isfinite(photos).all(axis=(1, 2, 3))  # rounding would turn NaN into black
    return (to_levels(photos, tiles.dtype) if spec.quantize else photos), finite, extras


def whole_tile(spec: ProgramSpec, variables: Variables, tiles: jax.Array, extra_inputs: Tree = ()) -> TileResults:
    """Return what `run_tiles` does on one device, as a function that other engines compile."""
    return _run(spec, None, variables, tiles, extra_inputs)


def _self_ensemble(apply: Apply) -> Apply:
    """Return a function that averages `apply` over the 8 flips and quarter turns of (N, h, w, C), each undone."""

    def over_flips(x: jax.Array) -> tuple[jax.Array, Extras]:
        flipped = jnp.stack([x, jnp.flip(x, 1), jnp.flip(x, 2), jnp.flip(x, (1, 2))])
        y, extras = apply(flipped.reshape(-1, *x.shape[1:]))
        y = y.reshape(4, -1, *y.shape[1:])
        upright = jax.tree.map(lambda part: part.reshape(4, -1, *part.shape[1:])[0], extras)
        return y[0] + jnp.flip(y[1], 1) + jnp.flip(y[2], 2) + jnp.flip(y[3], (1, 2)), upright

    def average(x: jax.Array) -> tuple[jax.Array, Extras]:
        (upright, extras), (turned, _) = over_flips(x), over_flips(x.swapaxes(1, 2))
        return (upright + turned.swapaxes(1, 2)) / 8, extras

    return average
