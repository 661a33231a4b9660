"""Restored photos that `evaluate` saves: where they go, and which files of others in their folder stay as they are."""

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from jaxsr.data.images import Photo, write_photo
from jaxsr.data.output_names import output_paths
from jaxsr.data.output_record import OutputRecord
from jaxsr.evaluation.pair_options import PairOptions
from jaxsr.evaluation.pairs import Pair
from jaxsr.evaluation.sources import Source
from jaxsr.imaging.pixels import to_levels
from jaxsr.models import Model
from jaxsr.support.errors import UserError
from jaxsr.support.paths import exists


class SavedPhotos:
    """The restored photos of one run in a folder, whose record of outputs says which files are of an earlier run.

    As a context it puts that record in order at its end.
    """

    def __init__(
        self, sources: Sequence[Source], folder: str | Path | None, model: Model, options: PairOptions
    ) -> None:
        """Plan where the photo that `model` restores of each pair of `sources` goes; without a `folder` none is kept.

        Raises UserError where a file is there that was not made from the same photo, and for a folder of inputs.
        """
        if folder is None:
            sources, folder = [], os.devnull
        self._files = _planned(sources, folder, model.scale, options)
        self._record = OutputRecord(Path(folder), f"evaluate {model.name}")
        for (source, _), file in self._files.items():
            if exists(file) and (file.is_dir() or not self._record.is_of(file, source.file)):
                raise UserError(
                    f"{file} is there already and was not made from {source.file}; choose another folder to save in, "
                    f"or move it away"
                )

    def save(self, source: Source, pair: Pair, restored: np.ndarray) -> None:
        """Write the `restored` photo (H, W, C), not clipped, of a `pair` of `source`; raises OSError on a full disk."""
        file = self._files.get((source, pair.name))
        if file is None:
            return
        file.parent.mkdir(parents=True, exist_ok=True)
        self._record.begin(file, source.file)
        write_photo(file, Photo(to_levels(restored)))
        self._record.finish(file)

    def __enter__(self) -> "SavedPhotos":
        """Return this."""
        return self

    def __exit__(self, *exception: object) -> None:
        """Put the record of outputs in order."""
        if self._files:
            self._record.close()


def _planned(
    sources: Sequence[Source], folder: str | Path, scale: int, options: PairOptions
) -> dict[tuple[Source, str], Path]:
    """Return the file of each pair, by its source and name."""
    names = {source.file: Path(source.stem + source.file.suffix) for source in sources}
    outputs = dict(zip(names, output_paths(names, folder), strict=True))
    return {
        (source, name): outputs[source.file].with_stem(outputs[source.file].stem + name.removeprefix(source.stem))
        for source in sources
        for name in source.names(scale, options)
    }
