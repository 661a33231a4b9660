"""VGG19's features of a whole photo, tile by tile, and their matches with those of references, on all devices."""

import functools
from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh

from jaxsr.devices.meshes import TILES_AXIS, local_mesh, map_shares, place_replicated, place_split
from jaxsr.imaging.patches import sub_image_starts
from jaxsr.models.ops.feature_matching import BORDER, LARGEST_BLOCK, Matches, best_of, block_rows, match
from jaxsr.models.srntt import FACTORS
from jaxsr.models.vgg import VGG19
from jaxsr.restoration.tiles.geometry import TilePlacement, best_tile, spans
from jaxsr.support.memory import free_memory
from jaxsr.support.types import Params
from jaxsr.weights.vgg_files import VGGWeights

SCALE = 4  # pixels of the photo for one of relu3_1
HALO = 16  # pixels of context that relu3_1 needs: 13, rounded up to a multiple of SCALE
MAX_TILE = 512


def photo_features(vgg: VGGWeights, photo: np.ndarray, layers: Sequence[str]) -> dict[str, np.ndarray]:
    """Return {layer: features (h, w, F)} of `photo` (H, W, 3) in [0, 1], for `layers` of relu1_1, relu2_1, relu3_1.

    h is H, H / 2 or H / 4; H and W are multiples of 4. Beside the result, one tile for each device is in memory.
    """
    pixels = np.asarray(photo, np.float32)
    height, width = (best_tile(side, HALO, largest=MAX_TILE, multiple=SCALE) for side in pixels.shape[:2])
    rows, columns = (spans(side, tile, HALO) for side, tile in zip(pixels.shape, (height, width), strict=False))
    placements = [TilePlacement(row, column) for row in rows for column in columns]
    mesh, features = local_mesh(len(placements), TILES_AXIS), {}
    params = place_replicated(vgg.params, mesh)
    for i in range(0, len(placements), mesh.size):
        group = placements[i : i + mesh.size]
        filled = group + group[-1:] * (mesh.size - len(group))
        tiles = np.stack([pixels[r.start : r.start + height, c.start : c.start + width] for r, c in filled])
        for layer, maps in _extract(tuple(layers), vgg.convention, mesh, params, tiles).items():
            size = tuple(FACTORS[layer] * side // SCALE for side in pixels.shape[:2])
            whole = features.setdefault(layer, np.empty((*size, maps.shape[-1]), np.float32))
            for placement, part in zip(group, np.asarray(maps), strict=False):
                _paste(whole, part, placement, FACTORS[layer])
    return features


def _paste(whole: np.ndarray, part: np.ndarray, placement: TilePlacement, factor: int) -> None:
    """Write what is kept of the features `part` of a tile into those of the photo, `factor` times relu3_1's size."""

    def of_map(pixel: int) -> int:
        return factor * pixel // SCALE

    keep = (slice(of_map(span.keep_start - span.start), of_map(span.keep_stop - span.start)) for span in placement)
    target = tuple(slice(of_map(span.keep_start), of_map(span.keep_stop)) for span in placement)
    whole[target] = part[tuple(keep)]


@functools.partial(jax.jit, static_argnums=(0, 1, 2))
def _extract(
    layers: tuple[str, ...], convention: str, mesh: Mesh, params: Params, tiles: jax.Array
) -> dict[str, jax.Array]:
    """Return the features of `tiles` (N, h, w, 3), which the devices of `mesh` share evenly."""
    network = VGG19(layers, convention=convention)
    return map_shares(lambda params, x: network.apply({"params": params}, x), mesh, whole=1)(params, tiles)


def match_shared(photo: np.ndarray, references: Sequence[np.ndarray], *, rows: int | None = None) -> Matches:
    """Return the most similar patch of all `references` (h, w, C) for each of `photo` (H, W, C), both features.

    All devices share the photo's rows. Each matches `rows` at a time; None takes as many as memory allows.
    """
    count = photo.shape[0] - BORDER
    share = -(-count // min(jax.local_device_count(), count))
    starts = sub_image_starts(count, share, share)
    mesh = local_mesh(len(starts), TILES_AXIS)
    stripes = place_split(np.stack([photo[start : start + share + BORDER] for start in starts]), mesh)
    matches = [_match_stripes(mesh, rows or _rows(mesh, photo, x), stripes, x) for x in references]
    parts = [[_joined(leaf, starts, count) for leaf in each] for each in matches]
    return best_of([Matches(*map(jnp.asarray, part)) for part in parts])


def _rows(mesh: Mesh, photo: np.ndarray, reference: np.ndarray) -> int:
    device = mesh.devices[0]
    shared_by = mesh.size if device.platform == "cpu" else 1
    rows = block_rows(photo.shape[1], reference.shape[1], memory=free_memory(device) / shared_by)
    return 1 << (rows.bit_length() - 1) if rows < LARGEST_BLOCK else rows  # few programs, whatever else runs


@functools.partial(jax.jit, static_argnums=(0, 1))
def _match_stripes(mesh: Mesh, rows: int, stripes: jax.Array, reference: jax.Array) -> Matches:
    def match_share(reference: jax.Array, stripes: jax.Array) -> Matches:
        return jax.lax.map(lambda x: match(x, reference, rows=rows), stripes)

    return map_shares(match_share, mesh, whole=1)(reference, stripes)


def _joined(stripes: jax.Array, starts: Sequence[int], count: int) -> np.ndarray:
    """Return the `count` rows that `stripes` (N, R, ...) have from `starts` on; they agree where they overlap."""
    parts = np.asarray(stripes)
    whole = np.empty((count, *parts.shape[2:]), parts.dtype)
    for start, part in zip(starts, parts, strict=True):
        whole[start : start + len(part)] = part
    return whole
