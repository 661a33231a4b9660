"""What made each output of a folder: a hidden file beside the outputs, by which a later run knows what it may skip."""

import contextlib
import dataclasses
import json
import os
from collections.abc import Mapping
from pathlib import Path

from jaxsr.data.stores.object_stores import existing
from jaxsr.data.stores.store_paths import shown
from jaxsr.support.errors import UserError
from jaxsr.support.files import file_digest, written_whole
from jaxsr.support.paths import exists

NAME = ".jaxsr-outputs.jsonl"
FIELDS = ("output", "input", "digest", "settings", "result")  # of a line


@dataclasses.dataclass(frozen=True)
class Entry:
    """What made one output.

    Attributes:
        input: the absolute path of the photo that it was made from.
        digest: of that photo's file.
        settings: of the model and the options.
        result: the digest of the output's file; "" while it is not whole.
    """

    input: str
    digest: str
    settings: str
    result: str = ""


class OutputRecord:
    """The entries of the outputs in `folder`, by their path in it.

    A line is added when work on an output begins, and another when it is whole: whatever ends the process, an output
    that a line calls whole is. `close` leaves one line for each output, in order.
    """

    def __init__(self, folder: Path, settings: str) -> None:
        """Read the entries that are there."""
        self._folder, self._settings = folder, settings
        self._entries, self._own = self._on_disk(), set[str]()

    def is_whole(self, output: Path, photo: Path) -> bool:
        """Return whether `output` is there, whole, and was made from what is in `photo` now with the same settings."""
        entry = self._entries.get(self._key(output))
        return (
            entry is not None
            and entry.settings == self._settings
            and bool(entry.result)
            and entry.digest == digest_or_nothing(photo)
            and entry.result == digest_or_nothing(output)
        )

    def knows(self, output: Path) -> bool:
        """Return whether there is an entry of `output`."""
        return self._key(output) in self._entries

    def is_of(self, output: Path, photo: Path) -> bool:
        """Return whether `output` was made from the file `photo`, whatever was in it, or from one that equals it."""
        entry = self._entries.get(self._key(output))
        return entry is not None and (entry.input == str(photo.absolute()) or entry.digest == digest_or_nothing(photo))

    def refusal(self, output: Path, photo: Path) -> str:
        """Return why `output`, which is there and not of `photo`, stays as it is."""
        return refused(output, photo)

    def begin(self, output: Path, photo: Path) -> None:
        """Note that `output` will be made from `photo`."""
        self._add(output, Entry(str(photo.absolute()), digest_or_nothing(photo), self._settings))

    def finish(self, output: Path) -> None:
        """Note that `output`, which was begun, is whole."""
        self._add(output, dataclasses.replace(self._entries[self._key(output)], result=digest_or_nothing(output)))

    def close(self) -> None:
        """Write the entries whose outputs are there in order, each once; without any there is no file.

        Those that other runs into the same folder have added meanwhile are kept.
        """
        self._entries = self._on_disk() | {key: self._entries[key] for key in self._own}
        lines = [self._line(key) for key in sorted(self._entries) if os.path.lexists(self._folder / key)]
        with contextlib.suppress(OSError):
            if not lines:
                (self._folder / NAME).unlink(missing_ok=True)
                return
            with written_whole(self._folder / NAME) as temporary:
                temporary.write_text("".join(lines), "ascii")

    def _add(self, output: Path, entry: Entry) -> None:
        key = self._key(output)
        self._entries[key] = entry
        self._own.add(key)
        with contextlib.suppress(OSError), (self._folder / NAME).open("a", encoding="ascii") as file:
            file.write("\n" + self._line(key))  # the line before may be broken off

    def _on_disk(self) -> dict[str, Entry]:
        """Return the entries in the file; lines that a killed run has broken off are left out."""
        entries: dict[str, Entry] = {}
        with contextlib.suppress(OSError):
            for line in (self._folder / NAME).read_text("ascii", "replace").splitlines():
                with contextlib.suppress(ValueError, TypeError, KeyError):
                    output, *fields = map(json.loads(line).__getitem__, FIELDS)
                    entries[str(output)] = Entry(*map(str, fields))
        return entries

    def _line(self, key: str) -> str:
        return json.dumps({"output": key, **dataclasses.asdict(self._entries[key])}) + "\n"

    def _key(self, output: Path) -> str:
        return output.relative_to(self._folder).as_posix()


class NoRecord(OutputRecord):
    """In the place of a record where photos or outputs are in an object store, which nothing can be added to.

    An output that is there counts as whole, for a store shows no part of one; of which photo it was made, by which
    model and with which options is not known.
    """

    def __init__(self, folder: Path) -> None:
        """Read nothing."""
        self._folder, self._settings, self._entries = folder, "", {}

    def is_whole(self, output: Path, photo: Path) -> bool:
        """Return True."""
        return True

    def is_of(self, output: Path, photo: Path) -> bool:
        """Return False."""
        return False

    def refusal(self, output: Path, photo: Path) -> str:
        """Return why `output`, which is there and made from nobody knows what, stays as it is."""
        return f"{shown(output)} is there already; --skip_existing to keep it, --overwrite it, or choose another folder"

    def begin(self, output: Path, photo: Path) -> None:
        """Do nothing."""

    def finish(self, output: Path) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""


def outputs_to_keep(
    outputs: Mapping[Path, Path], record: OutputRecord, *, skip_existing: bool = False, overwrite: bool = False
) -> dict[Path, Path]:
    """Return those of `outputs`, the output of each photo or video, that need not be made.

    With `skip_existing` these are the ones that are whole and were made from the same file with the same settings, as
    the `record` says. Raises UserError for a folder in the place of an output, and, unless `overwrite` says so, for a
    file that was made from something else; in a store, of which there is no record, for any.
    """
    kept, in_stores = {}, existing(outputs.values())
    for source, output in outputs.items():
        if not (output in in_stores or exists(output)):
            continue
        if skip_existing and record.is_whole(output, source):
            kept[source] = output
        elif output.is_dir():
            raise UserError(
                f"{output} is a folder, in the place of the result of {shown(source)}; choose another output folder"
            )
        elif not (overwrite or record.is_of(output, source)):
            raise UserError(record.refusal(output, source))
    return kept


def refused(file: Path, photo: Path) -> str:
    """Return why `file`, which is there and was not made from `photo`, stays as it is."""
    return (
        f"{shown(file)} is there already and was not made from {shown(photo)}; choose another output folder, or "
        "--overwrite it"
    )


def digest_or_nothing(path: Path) -> str:
    """Return the SHA-256 of the file `path`; "" where it cannot be read."""
    try:
        return file_digest(path)
    except OSError:
        return ""
