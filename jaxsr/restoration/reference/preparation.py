"""Reference photos for SRNTT: read, checked, turned and scaled where asked for, and their features."""

import os
from collections.abc import Sequence
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

from jaxsr.imaging.patches import modcrop
from jaxsr.imaging.pixels import to_float, to_rgb
from jaxsr.imaging.resize import resize
from jaxsr.models.ops.feature_matching import PATCH
from jaxsr.models.ops.feature_swap import textures
from jaxsr.models.srntt import FACTORS, SCALE
from jaxsr.restoration.array_photos import reference_pixels
from jaxsr.restoration.options import PhotoLike, RestoreOptions
from jaxsr.restoration.reference.features import photo_features
from jaxsr.restoration.reference.reference_features import ReferenceFeatures
from jaxsr.support.errors import UserError
from jaxsr.support.memory import free_memory
from jaxsr.weights.vgg_files import VGGWeights, load_vgg

MIN_REFERENCE = PATCH * SCALE  # pixels a side, for one patch of relu3_1
LAYERS = tuple(FACTORS)
BYTES_PER_PIXEL = 3 * 448  # 64, a quarter of 128 and a sixteenth of 256 features, and copies while they are cut
QUARTER_TURNS = (0, 1, 2, 3)
COPY_SCALES = (1.0, 0.75, 1.25)  # ours: the paper names none


def load_for_matching(vgg: str | Path | VGGWeights = "") -> VGGWeights:
    """Return VGG19's weights up to relu3_1, from the file `vgg` or where `load_vgg` finds them; raises UserError."""
    return vgg if isinstance(vgg, VGGWeights) else load_vgg(LAYERS, vgg, flag="vgg")


def reference_features(options: RestoreOptions) -> ReferenceFeatures:
    """Return the features of the references in `options`; raises UserError as `read_references` and `prepare` do."""
    references = options.references
    if isinstance(references, ReferenceFeatures):
        return references
    return prepare(read_references(references), load_for_matching(options.vgg), copies=options.copies)


def read_references(references: Sequence[PhotoLike]) -> list[np.ndarray]:
    """Return the pixels (H, W, 1 or 3) of arrays, PIL images and files, without alpha.

    Raises UserError where a file is missing or broken, and for a reference that is too small to have a patch.
    """
    photos = [reference_pixels(reference) for reference in references]
    for number, (reference, pixels) in enumerate(zip(references, photos, strict=True), start=1):
        check_reference(pixels, str(reference) if isinstance(reference, str | os.PathLike) else f"reference {number}")
    return photos


def check_reference(pixels: np.ndarray, name: str) -> None:
    """Raise UserError where a reference (H, W, C) is too small to have a patch of relu3_1."""
    height, width = pixels.shape[:2]
    if min(height, width) < MIN_REFERENCE:
        raise UserError(
            f"{name}: a reference of {width}x{height} pixels is tiny; use {MIN_REFERENCE}x{MIN_REFERENCE} or more"
        )


def check_not_ground_truth(hr: np.ndarray, references: Sequence[np.ndarray], names: Sequence[str | Path]) -> None:
    """Raise UserError where a reference is the ground truth `hr` itself, which no user has."""
    for pixels, name in zip(references, names, strict=True):
        if pixels.shape == hr.shape and np.array_equal(pixels, hr):
            raise UserError(f"{name} is the sharp photo itself; give another photo as its reference")


def prepare(references: Sequence[np.ndarray], vgg: VGGWeights, *, copies: bool = False) -> ReferenceFeatures:
    """Return the features of `references` (H, W, 1 or 3), integers or floats in [0, 1], of any sizes.

    With `copies` each is also turned by quarters and scaled to 3/4 and 5/4: 12 references for one. Raises
    UserError for tiny ones, and for more than memory holds.
    """
    for number, pixels in enumerate(references, start=1):
        check_reference(pixels, f"reference {number}")
    photos = [float_rgb(pixels) for pixels in references]
    photos = [copy for photo in photos for copy in (turned_and_scaled(photo) if copies else [photo])]
    photos = [modcrop(photo, SCALE) for photo in photos]
    _check_memory(photos)
    if not photos:
        return ReferenceFeatures(vgg)
    conditions = [photo_features(vgg, reduced_and_enlarged(photo), LAYERS[:1])[LAYERS[0]] for photo in photos]
    features = [photo_features(vgg, photo, LAYERS) for photo in photos]
    blocks = [
        textures([jnp.asarray(maps.pop(layer)) for maps in features], factor=factor)
        for layer, factor in FACTORS.items()
    ]
    return ReferenceFeatures(vgg, conditions, blocks)


def float_rgb(pixels: np.ndarray) -> np.ndarray:
    """Return `pixels` (H, W, 1 or 3), integers or floats in [0, 1], as float32 (H, W, 3) in [0, 1]."""
    return to_rgb(to_float(pixels))


def turned_and_scaled(photo: np.ndarray) -> list[np.ndarray]:
    """Return `photo` (H, W, 3) and its copies, turned by QUARTER_TURNS quarters and scaled by COPY_SCALES.

    Copies that would be tiny are left out.
    """
    scaled = [photo if factor == 1 else _resized(photo, factor) for factor in COPY_SCALES]
    return [np.rot90(x, turn) for x in scaled if min(x.shape[:2]) >= MIN_REFERENCE for turn in QUARTER_TURNS]


def reduced_and_enlarged(photo: np.ndarray) -> np.ndarray:
    """Return `photo` (H, W, 3) reduced and enlarged again, so that it lacks what an enlarged LR photo lacks (3.1)."""
    return _resized(_resized(photo, 1 / SCALE), SCALE)


def _resized(photo: np.ndarray, factor: float) -> np.ndarray:
    return np.clip(np.asarray(resize(jnp.asarray(photo), factor)), 0, 1)


def _check_memory(photos: Sequence[np.ndarray]) -> None:
    pixels = sum(photo.shape[0] * photo.shape[1] for photo in photos)
    required, free = BYTES_PER_PIXEL * pixels, free_memory(jax.local_devices()[0])
    if required > free:
        raise UserError(
            f"references of {pixels / 1e6:.1f} megapixels take {required / 2**30:.1f} GiB, {free / 2**30:.1f} GiB are "
            "free; give fewer or smaller ones"
        )
