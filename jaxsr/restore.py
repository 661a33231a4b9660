"""Restore photos: `python -m jaxsr.restore PHOTO... --output=DIR [--model=fsrcnn] [--scale=2]`.

PHOTO is a file, a folder or a pattern such as 'photos/*.png'. The result of photos/a.jpg is DIR/a.png (or as --format
says), with the photo's depth, alpha and colour profile; the blur kernel that DAN finds is DIR/kernels/a.npz. Exit
status 0: all done; 1: some photos failed, listed at the end, the others are written; 2: wrong usage.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

from absl import flags

from jaxsr.support import app
from jaxsr.support.errors import UserError

_OUTPUT = flags.DEFINE_string("output", None, "Folder for the results; made when missing.", required=True)
_MODEL = flags.DEFINE_string("model", "fsrcnn", "A shipped name (fsrcnn, fsrcnn-x3), a weight file or a run folder.")
_SCALE = flags.DEFINE_integer(
    "scale", None, "How many times larger; by default what the model says, or 2 if it has that."
)
_TILE = flags.DEFINE_string("tile", "auto", "Largest window in pixels, 'auto', or 'none' for whole photos at once.")
_ENSEMBLE = flags.DEFINE_bool("ensemble", False, "Average over 8 flips and turns: 8 times slower, a little better.")
_ROUNDS = flags.DEFINE_integer(
    "rounds", None, "DAN: alternate so often, and keep each round's picture in DIR/rounds.", lower_bound=1
)
_FORMAT = flags.DEFINE_enum("format", "png", ["png", "jpg", "tif", "webp"], "jpg and webp hold 8 bits per channel.")


def main(arguments: Sequence[str]) -> int:
    """Restore the photos that `arguments` name; return the exit status."""
    from tqdm import tqdm  # after the flags: a typo is answered at once

    from jaxsr.data.listing import list_photos, output_paths
    from jaxsr.restoration.photo import restore_file
    from jaxsr.weights import load

    photos = list_photos(arguments)
    outputs = output_paths(photos, _OUTPUT.value, f".{_FORMAT.value}")
    tile = _tile()
    model = load(_MODEL.value, scale=_SCALE.value)
    options = {"tile": tile, "ensemble": _ENSEMBLE.value}
    if _ROUNDS.value is not None:
        model, options["all_rounds"] = model.with_options(rounds=_ROUNDS.value), True
    _make_folder(Path(_OUTPUT.value))
    failures = []
    for photo, output in tqdm(list(zip(photos, outputs, strict=True)), unit="photo", disable=None):
        try:
            restore_file(model, photo, output, **options)
            tqdm.write(str(output))
        except (UserError, OSError) as error:
            failures.append(str(error))
    print(f"{len(photos) - len(failures)} of {len(photos)} photos restored by {model.name} in {_OUTPUT.value}")
    for failure in failures:
        print(failure, file=sys.stderr)
    return app.SOME_FAILED if failures else app.DONE


def _tile() -> int | str | None:
    """Return --tile as `enlarge` takes it."""
    if _TILE.value in ("auto", "none"):
        return None if _TILE.value == "none" else "auto"
    if not _TILE.value.isdecimal() or int(_TILE.value) == 0:
        raise UserError(f"tile={_TILE.value!r} is no number of pixels; use 128, 'auto' or 'none'")
    return int(_TILE.value)


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"cannot make the output folder {folder} ({error.strerror}); choose another") from None


if __name__ == "__main__":
    app.run(main)
