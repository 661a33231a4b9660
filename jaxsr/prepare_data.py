"""Check photos and cut them into a data set: `python -m jaxsr.prepare_data FOLDER... --output=data/div2k`.

Prints what the folders contain, cuts sub-images that cover every photo, and writes them as a TFDS data set, whole or
not at all. A folder that contains the folders blur and sharp, or scenes that do (as GoPro's), gives pairs of sub-images
for --config.data.pairs. Exit status 0: all done; 1: some photos were unreadable, listed at the end, the others are
written; 2: wrong usage.
"""

from collections.abc import Sequence

from absl import flags

from jaxsr.support import command_line
from jaxsr.support.errors import UserError
from jaxsr.support.messages import complain

_OUTPUT = flags.DEFINE_string("output", None, "The folder of the data set; it must be new or empty.")
_OVERWRITE = flags.DEFINE_bool("overwrite", False, "Replace an existing data set at --output.")
_SIZE = flags.DEFINE_integer("size", 480, "Side of a sub-image in pixels, 32 or more.")
_STRIDE = flags.DEFINE_integer("stride", None, "Pixels from one sub-image to the next; half the size by default.")
_RESCALE = flags.DEFINE_list(
    "rescale", ["1.0"], "Factors in (0, 1]; each photo is cut at each of these sizes, reduced by bicubic."
)
_VALIDATION = flags.DEFINE_string(
    "validation", None, "Folder, file or pattern of photos to validate with, for --config.data.validation=SET."
)
_REPORT_ONLY = flags.DEFINE_bool("report_only", False, "Only print what the folders contain.")


def main(inputs: Sequence[str]) -> int:
    """Report, cut and write; return the exit status."""
    from jaxsr.data.sub_images import CropGrid, list_items, prepare, report_splits  # slow to import
    from jaxsr.support.paths import output_folder

    output = output_folder(_OUTPUT.value, "--output") if _OUTPUT.value else None
    grid = CropGrid(_SIZE.value, _SIZE.value // 2 if _STRIDE.value is None else _STRIDE.value, _factors())
    items = {"train": list_items(inputs)}
    if _VALIDATION.value:
        items["validation"] = list_items([_VALIDATION.value])
    if _REPORT_ONLY.value:
        _, failures = report_splits(items, grid)
    elif output:
        failures = prepare(items, grid, output, overwrite=_OVERWRITE.value)
    else:
        raise UserError("--output is missing; name the data set's folder, or pass --report_only")
    for failure in failures:
        complain(failure)
    return command_line.SOME_FAILED if failures else command_line.DONE


def _factors() -> list[float]:
    try:
        return [float(factor) for factor in _RESCALE.value]
    except ValueError:
        raise UserError(f"rescale takes numbers such as 1.0,0.8; got {','.join(_RESCALE.value)!r}") from None


if __name__ == "__main__":
    command_line.run(main)
