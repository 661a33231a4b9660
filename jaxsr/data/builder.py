"""The data set of sub-images on disk: a TFDS builder that writes it, and the random-access source that reads it.

Records hold raw pixels in array_record files. Reading a random one takes less than a millisecond, 20 times less than
decoding a PNG, and needs no TensorFlow.
"""

import contextlib
import errno
import glob
import io
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow_datasets as tfds
from absl import logging

from jaxsr.data.listing import is_data_set
from jaxsr.support.errors import UserError, short_reason
from jaxsr.support.files import RANDOM_CHARACTERS, says_full, try_to_lock
from jaxsr.support.types import Record

UNFINISHED = {"hr_photos", "blurred_photos", "downloads"}  # what TFDS makes in the temporary folder

Examples = Iterable[tuple[str, np.ndarray]]


class HrPhotos(tfds.core.GeneratorBasedBuilder):
    """Sub-images of high-resolution photos: `hr` (H, W, 3) uint8 of any size, and their `name`."""

    FIELDS = ("hr",)
    VERSION = tfds.core.Version("1.0.0")
    code_path = None  # where TFDS would look for checksums of downloads, with a package that it does not install

    def __init__(self, *, examples: Mapping[str, Examples], data_dir: str):
        """Take the (name, pixels) pairs of each split; they are iterated over once."""
        self._examples = examples
        super().__init__(file_format="array_record", data_dir=data_dir)

    def _info(self) -> tfds.core.DatasetInfo:
        pixels = tfds.features.Tensor(shape=(None, None, 3), dtype=np.uint8, encoding="bytes")
        features = tfds.features.FeaturesDict({**dict.fromkeys(self.FIELDS, pixels), "name": tfds.features.Text()})
        return tfds.core.DatasetInfo(builder=self, features=features, disable_shuffling=True)

    def _split_generators(self, dl_manager) -> dict[str, Iterator]:
        return {split: self._generate_examples(examples) for split, examples in self._examples.items()}

    def _generate_examples(self, examples: Examples) -> Iterator[tuple[int, dict[str, np.ndarray | str]]]:
        for index, (name, pixels) in enumerate(examples):
            parts = np.split(pixels, len(self.FIELDS), axis=-1)
            text = name.encode(errors="backslashreplace").decode()  # the name of a file may be no UTF-8
            yield index, {**dict(zip(self.FIELDS, parts, strict=True)), "name": text}


class BlurredPhotos(HrPhotos):
    """Sub-images of sharp photos, `hr`, and the same sub-images of the blurred photos, `blur`."""

    FIELDS = ("hr", "blur")


def check_output(folder: str | os.PathLike, *, overwrite: bool = False) -> None:
    """Raise UserError unless `write_data_set` may write a data set to `folder`.

    It must be new, empty, or with `overwrite` an older data set, in a folder that can be written to.
    """
    folder = Path(folder)
    if is_data_set(folder):
        if not overwrite:
            raise UserError(f"{folder} already holds a data set; choose another output, or pass --overwrite")
    elif folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UserError(f"{folder} holds other files; choose a new or empty folder for the output")
    parent = next(parent for parent in folder.resolve().parents if parent.exists())
    if not (parent.is_dir() and os.access(parent, os.W_OK)):
        raise UserError(f"cannot write to {parent}; choose another output, or change its permissions")


def write_data_set(
    folder: str | os.PathLike, examples: Mapping[str, Examples], *, overwrite: bool = False, blurred: bool = False
) -> None:
    """Write `examples`, (name, pixels (H, W, 3) uint8) by split, as the data set `folder`, whole or not at all.

    With `blurred`, pixels are (H, W, 6): RGB of the sharp photo, then of the blurred one. Raises UserError as
    `check_output` does, and OSError when the disk is full.
    """
    check_output(folder, overwrite=overwrite)
    folder = Path(folder).resolve()
    folder.parent.mkdir(parents=True, exist_ok=True)
    with _temporary_folder(folder) as temporary:
        builder = (BlurredPhotos if blurred else HrPhotos)(examples=examples, data_dir=str(temporary))
        with _silent_tfds(), _full_disk_named(folder):
            builder.download_and_prepare()
        if folder.exists():
            folder.rename(temporary / "replaced")
        Path(builder.data_dir).rename(folder)


@contextlib.contextmanager
def _temporary_folder(folder: Path) -> Iterator[Path]:
    """Yield a new folder beside `folder`, removed afterwards; those that killed writers of `folder` left go first."""
    prefix = f".{folder.name}-"
    for remains in folder.parent.glob(f"{glob.escape(prefix)}{'?' * RANDOM_CHARACTERS}"):
        if remains.is_dir() and {path.name for path in remains.iterdir()} <= UNFINISHED:
            with _lock_tried(remains) as abandoned:
                if abandoned:
                    shutil.rmtree(remains, ignore_errors=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=prefix) as name, _lock_tried(Path(name)):
        yield Path(name)


@contextlib.contextmanager
def _lock_tried(folder: Path) -> Iterator[bool | None]:
    """Yield what `try_to_lock` says of `folder`, which stays locked while the block runs."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        yield try_to_lock(handle)
    finally:
        os.close(handle)


@contextlib.contextmanager
def _full_disk_named(folder: Path) -> Iterator[None]:
    """Turn what array_record raises in this block for a full disk into an OSError of the data set `folder`."""
    try:
        yield
    except RuntimeError as error:
        if not says_full(error):
            raise
        raise OSError(errno.ENOSPC, "no space left for the data set", str(folder)) from None


@contextlib.contextmanager
def _silent_tfds() -> Iterator[None]:
    """Suppress what TFDS prints about a download, though nothing is downloaded, and about the temporary folder."""
    tfds.disable_progress_bar()
    verbosity = logging.get_verbosity()
    logging.set_verbosity(logging.WARNING)
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            yield
    finally:
        logging.set_verbosity(verbosity)


def open_source(folder: str | os.PathLike, split: str = "train", *, blurred: bool = False) -> Sequence[Record]:
    """Return the random-access source of a split: `len(source)`, and `source[i]` with `hr` (H, W, 3) uint8 and `name`.

    With `blurred`, each record has `blur` (H, W, 3) too. Raises UserError if `folder` holds no data set, a damaged one,
    one without such RGB pixels, or not this split; and later, for a record that is damaged.
    """
    if not is_data_set(folder):
        raise UserError(
            f"{folder} holds no data set; make one of photos: python -m jaxsr.prepare_data PHOTOS --output={folder}"
        )
    with _reading(folder):
        builder: Any = tfds.builder_from_directory(os.fspath(folder))
    features = dict(builder.info.features.items())
    for field in (BlurredPhotos if blurred else HrPhotos).FIELDS:
        pixels = features.get(field)
        if pixels is None or pixels.np_dtype != np.uint8 or len(pixels.shape) != 3 or pixels.shape[-1] != 3:
            raise UserError(
                f"{folder} holds the data set {builder.name!r} without uint8 RGB images named {field!r}; "
                f"make one with python -m jaxsr.prepare_data{' of a folder with blur and sharp' if blurred else ''}"
            )
    if split not in builder.info.splits:
        raise UserError(
            f"the data set {folder} holds no photos for {split}, only for {', '.join(builder.info.splits)}; name "
            "photos, or make a set of both: python -m jaxsr.prepare_data PHOTOS --validation=OTHERS --output=DIR"
        )
    with _reading(folder):
        records = _Records(builder.as_data_source(split=split), folder)
    if len(records):
        records[0]  # which opens the files
    return records


class _Records(Sequence[Record]):
    """The records of the data set `folder`."""

    def __init__(self, source: Sequence[Record], folder: str | os.PathLike):
        self._source, self._folder = source, folder

    def __len__(self):
        return len(self._source)

    def __getitem__(self, i):
        if i >= len(self):
            raise IndexError(i)  # where iterating ends
        with _reading(self._folder):
            return self._source[i]


@contextlib.contextmanager
def _reading(folder: str | os.PathLike) -> Iterator[None]:
    """Turn what TFDS raises in this block for files that are damaged, missing or of another format into a UserError."""
    try:
        yield
    except Exception as error:  # of JSON, versions, features and records, each of its own kind
        raise UserError(
            f"cannot read the data set {folder} ({short_reason(error)}); make it again: python -m jaxsr.prepare_data "
            f"PHOTOS --output={folder} --overwrite"
        ) from error
