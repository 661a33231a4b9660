"""Restore photos: `python -m jaxsr.restore PHOTO... --output=DIR [--model=fsrcnn] [--scale=2]`.

PHOTO is a file, a folder or a pattern such as 'photos/*.png'. The result of photos/a.jpg is DIR/a.png (or as --format
says), with the photo's depth, alpha and colour profile; DeblurGAN also keeps its size. DIR mirrors the tree below a
folder (with --recursive) or a pattern; where names would be equal, they are a_jpg.png and a_png.png, or x/a.png and
y/a.png. Other files are never overwritten unless --overwrite says so; results of the same photo are made anew, or kept
with --skip_existing. A hidden file in DIR, .jaxsr-outputs.jsonl, records what they were made of. Options of one system
go with its name:

  --model=zssr,steps=300,kernel=estimate   a network learns from each photo; its kernel is bicubic's, or in a file
                                           (kernel=FILE), or estimated by KernelGAN. real=True is for real photos with
                                           noise and an unknown, non-ideal downscaling; seed=1 draws other crops
  --model=runs/danv1,rounds=4              alternates 4 times, and keeps the image of each round in DIR/rounds
  --model=runs/srntt,copies=True           takes texture from --reference, also turned and scaled; vgg=FILE names
                                           VGG19's weights, save_matches=True paints the matches in DIR/matches

Videos (mp4, mov, mkv, ...; `pip install 'jaxsr[video]'`) are restored frame by frame and keep their time stamps, sound
and tags: clip.mp4 becomes DIR/clip.mp4. Estimated blur kernels are DIR/kernels/a.npz. Exit status 0: all done; 1: some
photos failed, listed at the end, the others are written; 2: wrong usage.

PHOTO and DIR may lie in an object store, as s3://BUCKET/FOLDER or gs://BUCKET/FOLDER (`pip install 'jaxsr[stores]'
s3fs`, or gcsfs). No record is kept there: --skip_existing keeps whatever result is there.
"""

import os
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from absl import flags

from jaxsr.support import command_line
from jaxsr.support.errors import UserError
from jaxsr.support.messages import complain, say
from jaxsr.support.paths import output_folder, user_path

if TYPE_CHECKING:
    from jaxsr.api.restorers import Restorer
    from jaxsr.api.restoring_files import RestoreRun
    from jaxsr.api.videos import VideoRun
    from jaxsr.restoration.options import RestoreOptions
    from jaxsr.restoration.saving import SaveOptions

# Which photos, by what
_MODEL = flags.DEFINE_string(
    "model",
    "fsrcnn",
    "A shipped name (fsrcnn, fsrcnn-x3), a weight file, a run folder, or zssr; with its own options. auto chooses "
    "among the installed ones, and says why.",
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
_ENGINE = flags.DEFINE_string(
    "engine",
    "auto",
    "What computes: xla, openvino or onnxruntime (extras of those names), or auto: on CPUs the one measured fastest.",
)
_PRECISION = flags.DEFINE_enum(
    "precision",
    "auto",
    ["auto", "float32", "bf16"],
    "What the network computes in; auto is bf16 where that is faster and was measured to change nothing one can see.",
)
_REFERENCE = flags.DEFINE_list(
    "reference",
    None,
    "srntt: photos of similar content to take texture from, files, folders or patterns; by default the photo itself.",
)
_CRF = flags.DEFINE_integer(
    "crf", 17, "Of videos: x264's constant rate factor; 0 is lossless, larger ones are smaller."
)
_RECURSIVE = flags.DEFINE_bool("recursive", False, "Also take the photos in the folders of a folder.")
_MAX_PIXELS = flags.DEFINE_integer(
    "max_pixels", None, "Photos of more pixels are refused; 500,000,000 by default, which takes several GB."
)

# Where results go
_OUTPUT = flags.DEFINE_string(
    "output", None, "Folder for the results, made when missing, or s3://BUCKET/FOLDER.", required=True
)
_SKIP_EXISTING = flags.DEFINE_bool(
    "skip_existing",
    False,
    "Keep whole results of the same photo or video, model and options: continue an interrupted run. Object stores do "
    "not know what results were made of: all that are there are kept.",
)
_OVERWRITE = flags.DEFINE_bool("overwrite", False, "Replace files in --output that were not made of the same photo.")
_RAY = flags.DEFINE_string(
    "ray",
    None,
    "Restore on the machines of a Ray cluster: its ADDRESS, or auto for the one that this machine belongs to (or this "
    "machine's devices alone). All machines see the photos and --output under the same paths, or in an object store "
    "(s3://BUCKET/FOLDER), where each reads and writes its own. "
    "pip install 'jaxsr[ray]'",
)
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
    """Restore the photos and videos that `arguments` name; return the exit status."""
    from jaxsr.api.restorers import open_restorer  # after the flags: a typo is reported at once
    from jaxsr.data.stores.store_paths import is_address, store_path
    from jaxsr.data.videos.video_files import split_videos

    output = _OUTPUT.value
    folder = store_path(output) if is_address(output) else output_folder(output, "--output")
    videos, others = split_videos(arguments, recursive=_RECURSIVE.value, without=folder)
    if videos:
        _check_flags_of_videos(alone=not others)
    _check_stores([*arguments, output], videos)
    if _RAY.value is not None:
        from jaxsr.api.cluster_restoring import prepare_driver

        prepare_driver(_RAY.value, [*arguments, _OUTPUT.value])
    options = _options()
    model, scale = _model(others, videos, folder)
    restorer = open_restorer(model, scale=scale, options=options)
    run = _plan(restorer, others, folder, videos) if others or not videos else None
    moving = _plan_videos(restorer, videos, folder)
    if _LIST.value:
        return _print_plan(run, moving)
    failures = (_restore_photos(run) if run else {}) | (_restore_videos(moving) if moving else {})
    for failure in failures.values():
        complain(failure)
    return command_line.SOME_FAILED if failures else command_line.DONE


def _model(arguments: Sequence[str], videos: Collection[Path], folder: Path) -> tuple[str, int | None]:
    """Return the model and the scale that the flags name; print why where --model=auto leaves the choice."""
    from jaxsr.api.automatic_choice import AUTO, choose_for_files
    from jaxsr.data.listing import find_photos

    if _MODEL.value != AUTO:
        return _MODEL.value, _SCALE.value
    photos = list(find_photos(arguments, recursive=_RECURSIVE.value, without=folder).photos) if arguments else []
    choice = choose_for_files(photos, list(videos), _SCALE.value)
    say(choice.reason)
    return choice.model, choice.scale


def _plan(restorer: "Restorer", arguments: Sequence[str], folder: Path, videos: Collection[Path]) -> "RestoreRun":
    """Return what is to be done with photos; everything that can be checked without reading them is.

    What is left out is said, but for `videos`, which are restored too.
    """
    from jaxsr.api.restoring_files import plan_run
    from jaxsr.data.listing import find_photos, left_out_line
    from jaxsr.data.output_names import output_paths

    saving = _saving()
    listing = find_photos(arguments, recursive=_RECURSIVE.value, without=folder, stores=True)
    names = output_paths(listing.photos, folder, _suffix)
    if left_out := [path for path in listing.left_out if Path(os.path.normpath(path)) not in videos]:
        complain(left_out_line(left_out))
    run = plan_run(
        restorer,
        dict(zip(listing.photos, names, strict=True)),
        folder,
        saving=saving,
        skip_existing=_SKIP_EXISTING.value,
        overwrite=_OVERWRITE.value,
    )
    if _RAY.value is None:
        return run
    from jaxsr.api.cluster_restoring import on_cluster

    return on_cluster(run, _RAY.value)


def _check_flags_of_videos(*, alone: bool) -> None:
    """Raise UserError for a flag that photos have and videos have not; some are for the photos if not `alone`."""
    for_photos = (_FORMAT, _DEPTH, _QUALITY, _MAX_PIXELS) if alone else ()
    for flag in (_WIDTH, _HEIGHT, _SIZE, _RAY, *for_photos):
        if flag.present and flag.value:
            raise UserError(f"--{flag.name} is for photos alone; restore videos without it")


def _check_stores(places: Sequence[str], videos: Collection[Path]) -> None:
    """Raise UserError for what works in folders and not in object stores: videos, --model=auto and --reference."""
    from jaxsr.data.stores.store_paths import is_address

    references = [place for place in _REFERENCE.value or () if is_address(place)]
    if references:
        raise UserError(f"--reference={references[0]} is in an object store; copy it to a folder")
    if stores := [place for place in places if is_address(place)]:
        if videos:
            raise UserError(f"{stores[0]} is in an object store, which is for photos alone; copy videos to a folder")
        if _MODEL.value == "auto":
            raise UserError(f"--model=auto does not look at photos in {stores[0]}; name a model")


def _plan_videos(restorer: "Restorer", videos: Mapping[Path, Path], folder: Path) -> "VideoRun | None":
    """Return what is to be done with videos, if there are any; raises UserError as `plan_videos` does."""
    from jaxsr.api.videos import plan_videos
    from jaxsr.data.videos.video_files import video_outputs

    if not videos:
        return None
    replacing = {"skip_existing": _SKIP_EXISTING.value, "overwrite": _OVERWRITE.value}
    return plan_videos(restorer, video_outputs(videos, folder), folder, crf=_CRF.value, **replacing)


def _suffix(photo: Path) -> str:
    """Return the suffix of the result of `photo`."""
    from jaxsr.data.codecs.photo_formats import WRITTEN, suffix_of

    if _FORMAT.value != "same":
        return f".{_FORMAT.value}"
    return photo.suffix if suffix_of(photo) in WRITTEN else ".png"


def _options() -> "RestoreOptions":
    """Return the options of restoring that the flags set."""
    from jaxsr.data.listing import list_photos
    from jaxsr.restoration.options import RestoreOptions

    word = _TILE.value.lower()
    tile = int(word) if word.isdecimal() else None if word == "none" else word
    references = tuple(path for item in _REFERENCE.value or () for path in list_photos([user_path(item)]))
    return RestoreOptions(
        tile=tile,  # pyright: ignore[reportArgumentType]  # checked there
        ensemble=_ENSEMBLE.value,
        engine=_ENGINE.value,
        reference=references,
        precision=_PRECISION.value,
    )


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
        raise UserError(f"--size={_SIZE.value} is not a size; write width x height, as in --size=3000x2000")
    return int(width), int(height)


def _print_plan(run: "RestoreRun | None", moving: "VideoRun | None") -> int:
    """Print what would be done; return the exit status."""
    from jaxsr.api.restoring_files import planned_lines

    for line in (*(planned_lines(run) if run else ()), *(moving.lines() if moving else ())):
        say(line)
    if run:
        say(f"{len(run.todo)} photos to restore by {run.restorer.name}, {len(run.skipped)} to skip; nothing was done")
    return command_line.DONE


def _restore_photos(run: "RestoreRun") -> dict[Path, str]:
    """Restore batch by batch, with progress bars; print where results were written. Return why some failed."""
    from tqdm import tqdm

    from jaxsr.data.stores.store_paths import shown

    with tqdm(total=len(run.todo), unit="photo", disable=None) as bar:
        for batch in run.batches():
            for path in batch:
                if path not in run.failures:
                    say(shown(run.todo[path]))
            bar.update(len(batch))
    total = len(run.todo) + len(run.skipped)
    say(f"{len(run.todo) - len(run.failures)} of {total} photos restored by {run.restorer.name} in {shown(run.folder)}")
    say(run.summary())
    return run.failures


def _restore_videos(run: "VideoRun") -> dict[Path, str]:
    """Restore videos one by one; return why some failed."""
    failures = run.restore()
    restored = f"{len(run.todo) - len(failures)} of {len(run.todo) + len(run.skipped)} videos restored"
    say(f"{restored} by {run.restorer.name} in {run.folder}, {len(run.skipped)} skipped")
    return failures


if __name__ == "__main__":
    command_line.run(main)
