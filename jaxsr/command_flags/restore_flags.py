"""The flags of `python -m jaxsr.restore`, and what they ask for: options of restoring, of saving, and their checks."""

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from absl import flags

from jaxsr.command_flags import engine_flags
from jaxsr.command_flags.refusals import refuse
from jaxsr.support.errors import UserError
from jaxsr.support.paths import is_address

if TYPE_CHECKING:
    from jaxsr.restoration.options import RestoreOptions
    from jaxsr.restoration.saving import SaveOptions

# Which photos, by what
MODEL = flags.DEFINE_string(
    "model",
    "fsrcnn",
    "A shipped name (fsrcnn, fsrcnn-x3), a weight file, a run folder, or zssr; with its own options. auto chooses "
    "among the installed ones, and says why.",
)
SCALE = flags.DEFINE_integer(
    "scale", None, "How many times larger; by default what the model says, or 2 if it has that."
)
TILE = flags.DEFINE_string(
    "tile",
    "auto",
    "Largest side of a tile in pixels, 'auto', or 'none' for whole photos at once. With a number, DeblurGAN's tiles "
    "approximate the result.",
)
ENSEMBLE = engine_flags.define_ensemble()
ENGINE = engine_flags.define_engine()
PRECISION = engine_flags.define_precision(
    "auto",
    "What the network computes in; auto is bf16 where that is faster and was measured to change nothing one can see.",
)
REFERENCE = flags.DEFINE_list(
    "reference",
    None,
    "srntt: photos of similar content to take texture from, files, folders or patterns; by default the photo itself.",
)
CRF = flags.DEFINE_integer("crf", 17, "Of videos: x264's constant rate factor; 0 is lossless, larger ones are smaller.")
RECURSIVE = flags.DEFINE_bool(
    "recursive", False, "Also take the photos in the folders of a folder; links are followed."
)
MAX_PIXELS = flags.DEFINE_integer(
    "max_pixels", None, "Photos of more pixels are refused; 500,000,000 by default, which takes several GB."
)

# Where results go
OUTPUT = flags.DEFINE_string(
    "output", None, "Folder for the results, made when missing, or s3://BUCKET/FOLDER.", required=True
)
SKIP_EXISTING = flags.DEFINE_bool(
    "skip_existing",
    False,
    "Keep complete results of the same photo or video, model and options: continue an interrupted run. Object stores "
    "do not know what results were made from: all that are there are kept.",
)
OVERWRITE = flags.DEFINE_bool("overwrite", False, "Replace files in --output that were not made from the same photo.")
RAY = flags.DEFINE_string(
    "ray",
    None,
    "Restore on the machines of a Ray cluster: its ADDRESS, or auto for the one that this machine belongs to (or this "
    "machine's devices alone). All machines see the photos and --output under the same paths, or in an object store "
    "(s3://BUCKET/FOLDER), where each reads and writes its own. "
    "pip install 'jaxsr[ray]'",
)
LIST = flags.DEFINE_bool("list", False, "Print what would be done, and do nothing.")

# What results are
LOSSLESS = ("png", "tif", "webp")
FORMAT = flags.DEFINE_enum(
    "format",
    "png",
    ["same", "png", "jpg", "tif", "webp", "avif"],
    "Format of the results; same is each photo's own, or png where that cannot be written. jpg, webp and avif hold "
    "8 bits.",
)
QUALITY = flags.DEFINE_integer("quality", None, "Quality of jpg and avif, 1 to 100; 95 by default. webp is lossless.")
DEPTH = flags.DEFINE_enum("depth", "same", ["same", "8", "16"], "Bits per channel of the results.")
WIDTH = flags.DEFINE_integer(
    "width",
    None,
    "Width of the results in pixels: the model enlarges by its scale, then Lanczos' filter reduces to this, in "
    "proportion. Photos that would have to be enlarged further fail; choose a larger --scale for them.",
)
HEIGHT = flags.DEFINE_integer("height", None, "Height of the results in pixels, as --width; with both, exactly these.")
SIZE = flags.DEFINE_string(
    "size", None, "Width and height of the results, as in 3000x2000; proportions change where the photo has others."
)


def restore_options() -> "RestoreOptions":
    """Return the options of restoring that the flags set."""
    from jaxsr.data.listing import list_in_order
    from jaxsr.restoration.options import RestoreOptions

    word = TILE.value.lower()
    tile = int(word) if word.isdecimal() else None if word == "none" else word
    return RestoreOptions(
        tile=tile,  # pyright: ignore[reportArgumentType]  # checked there
        ensemble=ENSEMBLE.value,
        engine=ENGINE.value,
        reference=list_in_order(REFERENCE.value or ()),
        precision=PRECISION.value,
    )


def save_options() -> "SaveOptions":
    """Return how results are saved, as the flags say."""
    from jaxsr.data.images import check_writable
    from jaxsr.restoration.saving import SaveOptions

    width, height = _size()
    depth = None if DEPTH.value == "same" else int(DEPTH.value)
    if depth and FORMAT.value != "same":
        check_writable(f"a.{FORMAT.value}", depth=depth)
    given = {"quality": QUALITY.value, "max_pixels": MAX_PIXELS.value}
    given = {name: value for name, value in given.items() if value is not None}
    saving = SaveOptions(width=width, height=height, depth=depth, **given)
    if QUALITY.value is not None and FORMAT.value in LOSSLESS:
        raise UserError(f"--quality is for jpg and avif, {FORMAT.value} is lossless; leave it out, or add --format=jpg")
    return saving


def _size() -> tuple[int | None, int | None]:
    """Return the width and height that were asked for; raises UserError for a --size that is none."""
    if SIZE.value is None:
        return WIDTH.value, HEIGHT.value
    if WIDTH.value is not None or HEIGHT.value is not None:
        raise UserError("--size gives width and height; leave out --width and --height")
    width, cross, height = SIZE.value.lower().partition("x")
    if not (cross and width.isdecimal() and height.isdecimal()):
        raise UserError(f"--size={SIZE.value} is not a size; write width x height, as in --size=3000x2000")
    return int(width), int(height)


def result_suffix(photo: Path) -> str:
    """Return the suffix of the result of `photo`."""
    from jaxsr.data.codecs.photo_formats import WRITTEN, suffix_of

    if FORMAT.value != "same":
        return f".{FORMAT.value}"
    return photo.suffix if suffix_of(photo) in WRITTEN else ".png"


def check_flags_of_photos() -> None:
    """Raise UserError for a flag that videos have and photos have not."""
    refuse((CRF,), "restoring photos", "restore videos")


def check_flags_of_videos(*, alone: bool) -> None:
    """Raise UserError for a flag that photos have and videos have not; some are for the photos if not `alone`."""
    for_photos = (FORMAT, DEPTH, QUALITY, MAX_PIXELS) if alone else ()
    refuse((WIDTH, HEIGHT, SIZE, RAY, *for_photos), "restoring videos", "restore photos")


def check_stores(places: Sequence[str], videos: Collection[Path]) -> None:
    """Raise UserError for what works in folders and not in object stores: videos, --model=auto and --reference."""
    references = [place for place in REFERENCE.value or () if is_address(place)]
    if references:
        raise UserError(f"--reference={references[0]} is in an object store; copy it to a folder")
    if stores := [place for place in places if is_address(place)]:
        if videos:
            raise UserError(f"{stores[0]} is in an object store, which is for photos alone; copy videos to a folder")
        if MODEL.value == "auto":
            raise UserError(f"--model=auto does not look at photos in {stores[0]}; name a model")
