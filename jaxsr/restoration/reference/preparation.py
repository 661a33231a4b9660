"""Reference photos as SRNTT takes them: read, checked, turned and scaled at will, and their features."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxsr.data.images import read_pixels
from jaxsr.imaging.patches import modcrop
from jaxsr.imaging.resize import resize
from jaxsr.models.ops.feature_matching import PATCH
from jaxsr.models.ops.feature_swap import Textures, textures
from jaxsr.models.srntt import FACTORS, SCALE
from jaxsr.restoration.reference.features import photo_features
from jaxsr.support.errors import UserError
from jaxsr.support.memory import free_memory
from jaxsr.weights.vgg_files import VGGWeights, load_vgg

LEAST = PATCH * SCALE  # pixels a side, for one patch of relu3_1
LAYERS = tuple(FACTORS)
VGG_FLAG = "--vgg"
BYTES = 3 * 448  # per pixel: 64, a quarter of 128 and a sixteenth of 256 features, and copies while they are cut
TURNS = (0, 1, 2, 3)
FACTORS_OF_COPIES = (1.0, 0.75, 1.25)


@dataclasses.dataclass(frozen=True)
class Guide:
    """What a photo is matched with: `conditions`, relu3_1 (h, w, 256) of each reference after reduction and
    enlargement, and `textures`, what is taken from the references, at each of LAYERS.

    `sizes` (h, w) are those of the conditions. Without references a photo is its own: all are empty.
    """

    vgg: VGGWeights
    conditions: Sequence[np.ndarray] = ()
    textures: Sequence[Textures] = ()

    @property
    def sizes(self) -> list[tuple[int, ...]]:
        """Rows and columns of the places in each reference."""
        return [x.shape[:2] for x in self.conditions]


def load_for_matching(vgg: str | Path | VGGWeights = "") -> VGGWeights:
    """Return VGG19's weights up to relu3_1, from the file `vgg` or where `load_vgg` finds them; raises UserError."""
    return vgg if isinstance(vgg, VGGWeights) else load_vgg(LAYERS, vgg, flag=VGG_FLAG)


def read_references(paths: Sequence[str | Path]) -> list[np.ndarray]:
    """Return the pixels (H, W, 1 or 3) of reference files; raises UserError where one is missing, broken or tiny."""
    photos = [read_pixels(path) for path in paths]
    for path, pixels in zip(paths, photos, strict=True):
        check_reference(pixels, str(path))
    return photos


def check_reference(pixels: np.ndarray, name: str) -> None:
    """Raise UserError where a reference (H, W, C) has no patch of its own."""
    height, width = pixels.shape[:2]
    if min(height, width) < LEAST:
        raise UserError(f"{name}: a reference of {width}x{height} pixels is tiny; use {LEAST}x{LEAST} or more")


def check_not_the_truth(sharp: np.ndarray, references: Sequence[np.ndarray], names: Sequence[Any]) -> None:
    """Raise UserError where a reference is the `sharp` photo itself, which would score what nobody has."""
    for pixels, name in zip(references, names, strict=True):
        if pixels.shape == sharp.shape and np.array_equal(pixels, sharp):
            raise UserError(f"{name} is the sharp photo itself; give another photo as its reference")


def prepare(references: Sequence[np.ndarray], vgg: VGGWeights, *, copies: bool = False) -> Guide:
    """Return the features of `references` (H, W, 1 or 3), integers or floats in [0, 1], of any sizes.

    With `copies` each is also turned by quarters and at 3/4 and 5/4 of its size: 12 references for one. Raises
    UserError for tiny ones, and for more than memory holds.
    """
    for number, pixels in enumerate(references, start=1):
        check_reference(pixels, f"reference {number}")
    photos = [to_rgb(pixels) for pixels in references]
    photos = [copy for photo in photos for copy in (turned_and_scaled(photo) if copies else [photo])]
    photos = [modcrop(photo, SCALE) for photo in photos]
    _check_memory(photos)
    if not photos:
        return Guide(vgg)
    conditions = [photo_features(vgg, reduced_and_enlarged(photo), LAYERS[:1])[LAYERS[0]] for photo in photos]
    found = [photo_features(vgg, photo, LAYERS) for photo in photos]
    cut = [
        textures([jnp.asarray(maps.pop(layer)) for maps in found], factor=factor) for layer, factor in FACTORS.items()
    ]
    return Guide(vgg, conditions, cut)


def to_rgb(pixels: np.ndarray) -> np.ndarray:
    """Return `pixels` (H, W, 1 or 3), integers or floats in [0, 1], as float32 (H, W, 3) in [0, 1]."""
    levels = np.iinfo(pixels.dtype).max if np.issubdtype(pixels.dtype, np.integer) else 1
    photo = (pixels / levels).astype(np.float32)
    return np.repeat(photo, 3, axis=-1) if photo.shape[-1] == 1 else photo


def turned_and_scaled(photo: np.ndarray) -> list[np.ndarray]:
    """Return `photo` (H, W, 3) and its copies, turned by TURNS quarters and scaled by FACTORS_OF_COPIES.

    Copies that would be tiny are left out. The paper names no factors.
    """
    scaled = [photo if factor == 1 else _resized(photo, factor) for factor in FACTORS_OF_COPIES]
    return [np.rot90(x, turn) for x in scaled if min(x.shape[:2]) >= LEAST for turn in TURNS]


def reduced_and_enlarged(photo: np.ndarray) -> np.ndarray:
    """Return `photo` (H, W, 3) with what an enlarged small photo lacks taken away, too (section 3.1)."""
    small = _resized(photo, 1 / SCALE)
    return _resized(small, SCALE)


def _resized(photo: np.ndarray, factor: float) -> np.ndarray:
    return np.clip(np.asarray(resize(jnp.asarray(photo), factor)), 0, 1)


def _check_memory(photos: Sequence[np.ndarray]) -> None:
    pixels = sum(photo.shape[0] * photo.shape[1] for photo in photos)
    needed, free = BYTES * pixels, free_memory(jax.local_devices()[0])
    if needed > free:
        raise UserError(
            f"references of {pixels / 1e6:.1f} megapixels take {needed / 2**30:.1f} GiB, {free / 2**30:.1f} GiB are "
            "free; give fewer or smaller ones"
        )
