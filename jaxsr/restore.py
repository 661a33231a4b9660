"""Restore photos: `python -m jaxsr.restore PHOTO... --output=DIR [--model=fsrcnn] [--scale=2]`.

PHOTO is a file, a folder or a pattern such as 'photos/*.png'. The result of photos/a.jpg is DIR/a.png (or as --format
says), with the photo's depth, alpha and colour profile; deblurgan keeps its size too. Blur kernels that are found on
the way are DIR/kernels/a.npz. --model=zssr learns from each photo for some minutes, with the kernel in a file,
--kernel=estimate by KernelGAN, or bicubic's. A model of srntt takes texture from --reference=FILE[,FILE...]. Exit
status 0: all done; 1: some photos failed, listed at the end, the others are written; 2: wrong usage.
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from absl import flags

from jaxsr.support import command_line
from jaxsr.support.errors import UserError
from jaxsr.support.files import make_folder

if TYPE_CHECKING:
    from jaxsr.models import Model
    from jaxsr.restoration.tiles.placement import Tile

_OUTPUT = flags.DEFINE_string("output", None, "Folder for the results; made when missing.", required=True)
_MODEL = flags.DEFINE_string(
    "model", "fsrcnn", "A shipped name (fsrcnn, fsrcnn-x3), a weight file, a run folder, or zssr."
)
_SCALE = flags.DEFINE_integer(
    "scale", None, "How many times larger; by default what the model says, or 2 if it has that."
)
_TILE = flags.DEFINE_string(
    "tile",
    "auto",
    "Largest window in pixels, 'auto', or 'none' for whole photos at once; deblurgan's differ by a number.",
)
_ENSEMBLE = flags.DEFINE_bool("ensemble", False, "Average over 8 flips and turns: 8 times slower, a little better.")
_ROUNDS = flags.DEFINE_integer(
    "rounds", None, "DAN: alternate so often, and keep each round's picture in DIR/rounds.", lower_bound=1
)
_KERNEL = flags.DEFINE_string("kernel", "", "zssr: a kernel file (.npz, .mat), 'estimate', or bicubic's if left out.")
_REAL = flags.DEFINE_bool("real", False, "zssr: a noisy photo that no known kernel made; no back-projection.")
_SEED = flags.DEFINE_integer("seed", 0, "zssr: the same seed gives the same result.", lower_bound=0)
_STEPS = flags.DEFINE_integer("steps", 3000, "zssr: at most so many steps for a photo.", lower_bound=1)
_REFERENCE = flags.DEFINE_list(
    "reference", None, "srntt: photos of the same things to take texture from; without, the photo itself."
)
_VGG = flags.DEFINE_string("vgg", "", "srntt: VGG19's weights; by default the file in JAXSR_VGG19 or the cache.")
_COPIES = flags.DEFINE_bool("copies", False, "srntt: also references turned by quarters, at 3/4 and 5/4 of their size.")
_SAVE_MATCHES = flags.DEFINE_bool("save_matches", False, "srntt: DIR/matches shows where each patch came from.")
_OF_REFERENCES = (_REFERENCE, _VGG, _COPIES, _SAVE_MATCHES)
_FORMAT = flags.DEFINE_enum("format", "png", ["png", "jpg", "tif", "webp"], "jpg and webp hold 8 bits per channel.")


def main(arguments: Sequence[str]) -> int:
    """Restore the photos that `arguments` name; return the exit status."""
    from jaxsr.data.listing import list_photos, output_paths  # after the flags: a typo is answered at once

    photos = list_photos(arguments)
    outputs = dict(zip(photos, output_paths(photos, _OUTPUT.value, f".{_FORMAT.value}"), strict=True))
    name, failures = _learning(outputs) if _MODEL.value == "zssr" else _with_weights(outputs)
    print(f"{len(photos) - len(failures)} of {len(photos)} photos restored by {name} in {_OUTPUT.value}")
    for failure in failures.values():
        print(failure, file=sys.stderr)
    return command_line.SOME_FAILED if failures else command_line.DONE


def _with_weights(outputs: dict[Path, Path]) -> tuple[str, dict[Path, str]]:
    """Restore photos by a network with weights; return its name and why some failed."""
    from tqdm import tqdm

    from jaxsr.data.images import photo_size
    from jaxsr.restoration.photo_files import groups_at_once, restore_files
    from jaxsr.restoration.tiles.placement import Folder
    from jaxsr.weights import load

    _refuse("--model=zssr", _KERNEL, _REAL)
    tile = _tile()
    model = load(_MODEL.value, scale=_SCALE.value)
    options: dict[str, Any] = {"tile": tile, "ensemble": _ENSEMBLE.value}
    options |= _references(model)
    if _ROUNDS.value is not None:
        model, options["all_rounds"] = model.with_options(rounds=_ROUNDS.value), True
    make_folder(Path(_OUTPUT.value))
    sizes = {photo: photo_size(photo) for photo in outputs}
    folder = options["folder"] = Folder([size for size in sizes.values() if size])
    failures = {}
    with tqdm(total=len(outputs), unit="photo", disable=None) as bar:
        for group in groups_at_once(model, sizes, tile, folder):
            failures |= restore_files(model, {path: outputs[path] for path in group}, **options)
            _tell(outputs, group, failures)
            bar.update(len(group))
    return model.name, failures


def _tell(outputs: dict[Path, Path], group: Sequence[Path], failures: dict[Path, str]) -> None:
    """Print where the photos of `group` were written."""
    from tqdm import tqdm

    for path in group:
        if path not in failures:
            tqdm.write(str(outputs[path]))


def _references(model: "Model") -> dict[str, Any]:
    """Return what SRNTT takes from its references, the same for all photos, and {} for other models."""
    if "reference" not in model.needs:
        _refuse("a model of srntt", *_OF_REFERENCES)
        return {}
    if _ENSEMBLE.value:
        raise UserError(f"{model.name} matches an upright photo with references; leave --ensemble out")
    from jaxsr.restoration.reference.preparation import load_for_matching, prepare, read_references

    photos = read_references(_REFERENCE.value or [])
    guide = prepare(photos, load_for_matching(_VGG.value), copies=_COPIES.value)
    return {"reference": guide, "save_matches": _SAVE_MATCHES.value}


def _refuse(model: str, *flags: Any) -> None:
    """Raise UserError where one of the `flags`, which are for `model` alone, is given."""
    for flag in flags:
        if flag.value:
            raise UserError(f"--{flag.name} is for {model}; leave it out, or choose that model")


def _learning(outputs: dict[Path, Path]) -> tuple[str, dict[Path, str]]:
    """Restore photos by networks that each learn from one, as many at once as there are devices."""
    import jax

    from jaxsr.blind.zssr.zssr_files import check_request, restore_files
    from jaxsr.support.progress import progress_bar

    _refuse("a model of srntt", *_OF_REFERENCES)
    scale, options = _SCALE.value or 2, {"real": _REAL.value, "ensemble": _ENSEMBLE.value, "steps": _STEPS.value}
    check_request(scale, _KERNEL.value)
    make_folder(Path(_OUTPUT.value))
    failures, count = {}, jax.local_device_count()
    groups = [list(outputs)[i : i + count] for i in range(0, len(outputs), count)]
    for group in groups:
        with progress_bar(group, "step") as progress:
            parts = {path: outputs[path] for path in group}
            failures |= restore_files(
                parts, scale=scale, kernel=_KERNEL.value, seed=_SEED.value, progress=progress, **options
            )
        _tell(outputs, group, failures)
    return f"zssr-x{scale}", failures


def _tile() -> "Tile":
    """Return --tile as `enlarge` takes it."""
    if _TILE.value in ("auto", "none"):
        return None if _TILE.value == "none" else "auto"
    if not _TILE.value.isdecimal() or int(_TILE.value) == 0:
        raise UserError(f"tile={_TILE.value!r} is no number of pixels; use 128, 'auto' or 'none'")
    return int(_TILE.value)


if __name__ == "__main__":
    command_line.run(main)
