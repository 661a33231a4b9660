"""Names for what a restorer does: equal where it gives the same results, from its weights and options."""

import dataclasses
import hashlib
import os
from importlib.metadata import version
from pathlib import Path

import jax
import numpy as np

from jaxsr.api.restorers import NetworkRestorer, Restorer, ZSSRRestorer
from jaxsr.data.output_record import digest_or_nothing
from jaxsr.restoration.reference.reference_features import ReferenceFeatures
from jaxsr.restoration.saving import SaveOptions
from jaxsr.support.types import Json


def fingerprint(restorer: Restorer, saving: SaveOptions) -> str:
    """Return a digest of everything but the photo that decides what is in an output: weights, options, version."""
    parts: list[object] = [version("jaxsr"), restorer.name, dataclasses.replace(saving, max_pixels=1)]
    if isinstance(restorer, NetworkRestorer):
        parts += [sorted(restorer.model.options.items()), restorer.model.variables]
        fields = dataclasses.fields(restorer.options)
        parts += _option_parts({field.name: getattr(restorer.options, field.name) for field in fields})
    elif isinstance(restorer, ZSSRRestorer):
        parts += [restorer.settings, digest_or_nothing(Path(restorer.settings.kernel)), restorer.options.ensemble]
    digest = hashlib.sha256()
    for leaf in jax.tree.leaves(parts):
        data = np.asarray(leaf) if isinstance(leaf, np.ndarray | jax.Array) else None
        digest.update(repr(leaf).encode() if data is None else str(data.shape).encode() + data.tobytes())
    return digest.hexdigest()


def _option_parts(options: dict[str, Json]) -> list[object]:
    """Return the values of RestoreOptions as trees of arrays and values; files by what is in them."""
    reference, vgg = options.pop("reference"), options.pop("vgg")
    parts: list[object] = [sorted(options.items(), key=lambda item: item[0])]
    if isinstance(reference, ReferenceFeatures):
        parts += [dict(reference.vgg.params), list(reference.conditions), list(reference.textures)]
    if isinstance(vgg, str | os.PathLike):
        parts.append(digest_or_nothing(Path(vgg)))
    return parts
