"""Restore photos: `python -m jaxsr.restore PHOTO... --output=DIR [--model=fsrcnn] [--scale=2]`.

PHOTO is a file, a folder or a pattern such as 'photos/*.png'. The result of photos/a.jpg is DIR/a.png (or as --format
says), with the photo's depth, alpha and colour profile; DeblurGAN also keeps its size. Options of one system go with
its name:

  --model=zssr,steps=300,kernel=estimate   a network learns from each photo; its kernel is bicubic's, or in a file
                                           (kernel=FILE), or estimated by KernelGAN. real=True is for real photos with
                                           noise and an unknown, non-ideal downscaling; seed=1 draws other crops
  --model=runs/danv1,rounds=4              alternates 4 times, and keeps the image of each round in DIR/rounds
  --model=runs/srntt,copies=True           takes texture from --reference, also turned and scaled; vgg=FILE names
                                           VGG19's weights, save_matches=True paints the matches in DIR/matches

Estimated blur kernels are DIR/kernels/a.npz. Exit status 0: all done; 1: some photos failed, listed at the end, the
others are written; 2: wrong usage.
"""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from absl import flags

from jaxsr.support import command_line
from jaxsr.support.paths import make_folder, output_folder

if TYPE_CHECKING:
    from jaxsr.api.restorers import Restorer
    from jaxsr.restoration.options import RestoreOptions

_OUTPUT = flags.DEFINE_string("output", None, "Folder for the results; made when missing.", required=True)
_MODEL = flags.DEFINE_string(
    "model", "fsrcnn", "A shipped name (fsrcnn, fsrcnn-x3), a weight file, a run folder, or zssr; with its own options."
)
_SCALE = flags.DEFINE_integer(
    "scale", None, "How many times larger; by default what the model says, or 2 if it has that."
)
_TILE = flags.DEFINE_string(
    "tile",
    "auto",
    "Largest side of a tile in pixels, 'auto', or 'none' for whole photos at once. With a number, DeblurGAN's tiles "
    "approximate the result.",
)
_ENSEMBLE = flags.DEFINE_bool("ensemble", False, "Average over 8 flips and turns: 8 times slower, a little better.")
_REFERENCE = flags.DEFINE_list(
    "reference", None, "srntt: photos of similar content to take texture from; by default the photo itself."
)
_FORMAT = flags.DEFINE_enum("format", "png", ["png", "jpg", "tif", "webp"], "jpg and webp hold 8 bits per channel.")


def main(arguments: Sequence[str]) -> int:
    """Restore the photos that `arguments` name; return the exit status."""
    from jaxsr.api.restorers import open_restorer  # after the flags: a typo is reported at once
    from jaxsr.data.listing import find_photos
    from jaxsr.data.output_names import output_paths

    folder = output_folder(_OUTPUT.value, "--output")
    photos = find_photos(arguments, without=folder).photos
    outputs = dict(zip(photos, output_paths(photos, folder, f".{_FORMAT.value}"), strict=True))
    restorer = open_restorer(_MODEL.value, scale=_SCALE.value, options=_options())
    make_folder(folder)
    failures = _restore(restorer, outputs)
    print(f"{len(photos) - len(failures)} of {len(photos)} photos restored by {restorer.name} in {_OUTPUT.value}")
    for failure in failures.values():
        print(failure, file=sys.stderr)
    return command_line.SOME_FAILED if failures else command_line.DONE


def _options() -> "RestoreOptions":
    """Return the options that the flags set."""
    from jaxsr.restoration.options import RestoreOptions

    tile = int(_TILE.value) if _TILE.value.isdecimal() else None if _TILE.value == "none" else _TILE.value
    return RestoreOptions(tile=tile, ensemble=_ENSEMBLE.value, reference=_REFERENCE.value or ())  # pyright: ignore


def _restore(restorer: "Restorer", outputs: Mapping[Path, Path]) -> dict[Path, str]:
    """Restore files batch by batch, with progress bars; return why some failed."""
    from tqdm import tqdm

    from jaxsr.support.progress import progress_bar

    failures: dict[Path, str] = {}
    with tqdm(total=len(outputs), unit="photo", disable=None) as bar:
        for batch in restorer.batches(list(outputs)):
            with progress_bar(batch, restorer.unit) as progress:
                failures |= restorer.restore_files({path: outputs[path] for path in batch}, progress=progress)
            _print_outputs([outputs[path] for path in batch if path not in failures])
            bar.update(len(batch))
    return failures


def _print_outputs(paths: Sequence[Path]) -> None:
    """Print where photos were written, above the progress bars."""
    from tqdm import tqdm

    for path in paths:
        tqdm.write(str(path))


if __name__ == "__main__":
    command_line.run(main)
