"""Restore photos: `python -m jaxsr.restore PHOTO... --output=DIR [--model=fsrcnn] [--scale=2]`.

PHOTO is a file, a folder or a pattern such as 'photos/*.png'. The result of photos/a.jpg is DIR/a.png (or as --format
says), with the photo's depth, alpha and colour profile; DeblurGAN also keeps its size. DIR mirrors the tree below a
folder (with --recursive) or a pattern; where names would be equal, they are a_jpg.png and a_png.png, or x/a.png and
y/a.png. Other files are never overwritten unless --overwrite says so; results of the same photo are made anew, or kept
with --skip_existing. A hidden file in DIR, .jaxsr-outputs.jsonl, knows what they were made of. Options of one system
go with its name:

  --model=zssr,steps=300,kernel=estimate   a network learns from each photo; its kernel is bicubic's, or in a file
                                           (kernel=FILE), or estimated by KernelGAN. real=True is for real photos with
                                           noise and an unknown, non-ideal downscaling; seed=1 draws other crops
  --model=runs/danv1,rounds=4              alternates 4 times, and keeps the image of each round in DIR/rounds
  --model=runs/srntt,copies=True           takes texture from --reference, also turned and scaled; vgg=FILE names
                                           VGG19's weights, save_matches=True paints the matches in DIR/matches

Estimated blur kernels are DIR/kernels/a.npz. Exit status 0: all done; 1: some photos failed, listed at the end, the
others are written; 2: wrong usage.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from absl import flags

from jaxsr.support import command_line
from jaxsr.support.errors import UserError
from jaxsr.support.messages import complain, say
from jaxsr.support.paths import output_folder, user_path

if TYPE_CHECKING:
    from jaxsr.api.restoring_files import RestoreRun
    from jaxsr.restoration.options import RestoreOptions
    from jaxsr.restoration.saving import SaveOptions

# Which photos, by what
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
_RECURSIVE = flags.DEFINE_bool("recursive", False, "Also take the photos in the folders of a folder.")
_MAX_PIXELS = flags.DEFINE_integer(
    "max_pixels", None, "Photos of more pixels are refused; 500,000,000 by default, which takes several GB."
)

# Where results go
_OUTPUT = flags.DEFINE_string("output", None, "Folder for the results; made when missing.", required=True)
_SKIP_EXISTING = flags.DEFINE_bool(
    "skip_existing", False, "Keep whole results of the same photo, model and options: continue an interrupted run."
)
_OVERWRITE = flags.DEFINE_bool("overwrite", False, "Replace files in --output that were not made of the same photo.")
_LIST = flags.DEFINE_bool("list", False, "Print what would be done, and do nothing.")

# What results are
_FORMAT = flags.DEFINE_enum(
    "format",
    "png",
    ["same", "png", "jpg", "tif", "webp", "avif"],
    "Of the results; same is each photo's own, or png where that is only read. jpg, webp and avif hold 8 bits.",
)
_QUALITY = flags.DEFINE_integer("quality", None, "1 to 100, of jpg and avif; 95 by default. webp is lossless.")
_DEPTH = flags.DEFINE_enum("depth", "same", ["same", "8", "16"], "Bits per channel of the results.")
_WIDTH = flags.DEFINE_integer(
    "width",
    None,
    "Width of the results in pixels: the model enlarges by its scale, then Lanczos' filter reduces to this, in "
    "proportion. Photos that would have to be enlarged further fail; choose a larger --scale for them.",
)
_HEIGHT = flags.DEFINE_integer("height", None, "Height of the results, likewise. With --width: exactly these.")
_SIZE = flags.DEFINE_string(
    "size", None, "Both, as in 3000x2000 (width x height); proportions change where the photo has others."
)


def main(arguments: Sequence[str]) -> int:
    """Restore the photos that `arguments` name; return the exit status."""
    run = _plan(arguments)
    if _LIST.value:
        return _print_plan(run)
    _restore(run)
    total = len(run.todo) + len(run.skipped)
    say(f"{len(run.todo) - len(run.failures)} of {total} photos restored by {run.restorer.name} in {run.folder}")
    say(run.summary())
    for failure in run.failures.values():
        complain(failure)
    return command_line.SOME_FAILED if run.failures else command_line.DONE


def _plan(arguments: Sequence[str]) -> "RestoreRun":
    """Return what is to be done; everything that can be checked without reading the photos is."""
    from jaxsr.api.restorers import open_restorer  # after the flags: a typo is reported at once
    from jaxsr.api.restoring_files import plan_run
    from jaxsr.data.listing import find_photos, left_out_line
    from jaxsr.data.output_names import output_paths

    folder = output_folder(_OUTPUT.value, "--output")
    saving = _saving()
    listing = find_photos(arguments, recursive=_RECURSIVE.value, without=folder)
    names = output_paths(listing.photos, folder, _suffix)
    restorer = open_restorer(_MODEL.value, scale=_SCALE.value, options=_options())
    if listing.left_out:
        complain(left_out_line(listing.left_out))
    return plan_run(
        restorer,
        dict(zip(listing.photos, names, strict=True)),
        folder,
        saving=saving,
        skip_existing=_SKIP_EXISTING.value,
        overwrite=_OVERWRITE.value,
    )


def _suffix(photo: Path) -> str:
    """Return the suffix of the result of `photo`."""
    from jaxsr.data.codecs.photo_formats import WRITTEN, suffix_of

    if _FORMAT.value != "same":
        return f".{_FORMAT.value}"
    return photo.suffix if suffix_of(photo) in WRITTEN else ".png"


def _options() -> "RestoreOptions":
    """Return the options of restoring that the flags set."""
    from jaxsr.restoration.options import RestoreOptions

    tile = int(_TILE.value) if _TILE.value.isdecimal() else None if _TILE.value == "none" else _TILE.value
    reference = tuple(map(user_path, _REFERENCE.value or ()))
    return RestoreOptions(tile=tile, ensemble=_ENSEMBLE.value, reference=reference)  # pyright: ignore


def _saving() -> "SaveOptions":
    """Return how results are saved, as the flags say."""
    from jaxsr.data.images import check_writable
    from jaxsr.restoration.saving import SaveOptions

    width, height = _size()
    depth = None if _DEPTH.value == "same" else int(_DEPTH.value)
    if depth and _FORMAT.value != "same":
        check_writable(f"a.{_FORMAT.value}", depth=depth)
    given = {"quality": _QUALITY.value, "max_pixels": _MAX_PIXELS.value}
    given = {name: value for name, value in given.items() if value is not None}
    return SaveOptions(width=width, height=height, depth=depth, **given)


def _size() -> tuple[int | None, int | None]:
    """Return the width and height that were asked for; raises UserError for a --size that is none."""
    if _SIZE.value is None:
        return _WIDTH.value, _HEIGHT.value
    if _WIDTH.value is not None or _HEIGHT.value is not None:
        raise UserError("--size gives width and height; leave out --width and --height")
    width, cross, height = _SIZE.value.lower().partition("x")
    if not (cross and width.isdecimal() and height.isdecimal()):
        raise UserError(f"--size={_SIZE.value} is no size; write width x height, as in --size=3000x2000")
    return int(width), int(height)


def _print_plan(run: "RestoreRun") -> int:
    """Print what would be done; return the exit status."""
    from jaxsr.api.restoring_files import planned_lines

    for line in planned_lines(run):
        say(line)
    say(f"{len(run.todo)} photos to restore by {run.restorer.name}, {len(run.skipped)} to skip; nothing was done")
    return command_line.DONE


def _restore(run: "RestoreRun") -> None:
    """Restore batch by batch, with progress bars; print where results were written."""
    from tqdm import tqdm

    with tqdm(total=len(run.todo), unit="photo", disable=None) as bar:
        for batch in run.batches():
            for path in batch:
                if path not in run.failures:
                    say(run.todo[path])
            bar.update(len(batch))


if __name__ == "__main__":
    command_line.run(main)
