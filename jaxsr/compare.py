"""Compare models on photos: `python -m jaxsr.compare PHOTO... --models=bicubic,fsrcnn --output=compare.html`.

PHOTO is a file, a folder or a pattern. The page is one file that works without a network: a divider between any two
results, one magnifier over all of them, the blur kernels that were estimated, the image of each of DAN's rounds, where
SRNTT took texture from, and scores where --hr names the sharp photos. It is used by mouse, touch or keyboard.

--models is a list of shipped names, weight files, run folders, bicubic and zssr. Options of one system follow its name:

  --models=bicubic,fsrcnn-x2,zssr,steps=300,kernel=estimate,runs/danv1,rounds=4

is four models. The flag may be repeated; a file whose name has commas has a --models of its own. bicubic, zssr and
other names that leave the scale open get --scale, or the scale of the first model that does not. Models of several
scales are magnified at the same place; with --scale, those that were made for another one fail.

Pictures have up to --side pixels a side. Of a larger photo a part is restored and shown, around --at; the page says
which. A page holds up to 60 MB of pictures. Exit status 0: all done; 1: some photos or models failed, listed on the
page and at the end, the others are shown; 2: wrong usage.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from absl import flags

from jaxsr.command_flags import engine_flags
from jaxsr.support import command_line
from jaxsr.support.errors import UserError
from jaxsr.support.messages import complain, say

if TYPE_CHECKING:
    from jaxsr.api.comparisons.compare_options import CompareOptions

_OUTPUT = flags.DEFINE_string("output", None, "The page, a file that ends in .html.", required=True)
_MODELS = flags.DEFINE_multi_string(
    "models", ["bicubic,fsrcnn"], "Models with their options, separated by commas; may be repeated."
)
_SCALE = flags.DEFINE_integer("scale", None, "How many times larger; models of another scale fail.")
_HR = flags.DEFINE_string("hr", None, "The sharp photo, or a folder of sharp photos by name or in order; for scores.")
_PROTOCOL = flags.DEFINE_string("protocol", "y", "Of the scores: y8, y, y-full or rgb.")
_REFERENCE = flags.DEFINE_list("reference", None, "srntt: photos to take texture from; by default the photo itself.")
_ENGINE = engine_flags.define_engine()
_PRECISION = engine_flags.define_precision("float32", "What networks compute in; the page says which, under scores.")
_SIDE = flags.DEFINE_integer("side", 1024, "Longest side of a picture in pixels; of larger photos a part is shown.")
_AT = flags.DEFINE_list("at", ["0.5", "0.5"], "Middle of the part that is shown, as X,Y from 0 to 1.")


def main(arguments: Sequence[str]) -> int:
    """Write the page; return the exit status."""
    from jaxsr.api.comparisons.comparing import compare  # after the flags: a typo is reported at once
    from jaxsr.api.comparisons.comparison_models import split_models
    from jaxsr.data.listing import list_photos
    from jaxsr.support.progress import progress_bar

    photos, models, options = list_photos(arguments), split_models(_MODELS.value), _options()
    failures: list[str] = []
    with progress_bar([], "result") as progress:
        shown = compare(photos, models, _OUTPUT.value, options=options, progress=progress, on_failure=failures.append)
    for comparison in shown:
        say(f"{comparison.name}: {comparison.facts[0]}")
    where = f"in {_OUTPUT.value}" if shown else f"({_OUTPUT.value} is not written)"
    say(f"{len(shown)} of {len(photos)} photos compared {where}")
    for failure in failures:
        complain(failure)
    return command_line.SOME_FAILED if failures else command_line.DONE


def _options() -> "CompareOptions":
    """Return the options that the flags set."""
    from jaxsr.api.comparisons.compare_options import CompareOptions

    try:
        at = tuple(map(float, _AT.value))
    except ValueError:
        raise UserError(
            f"--at={','.join(_AT.value)} is not a place in a photo; write for example --at=0.5,0.5"
        ) from None
    return CompareOptions(
        scale=_SCALE.value,
        sharp=_HR.value,
        reference=tuple(_REFERENCE.value or ()),
        side=_SIDE.value,
        engine=_ENGINE.value,
        at=at,  # pyright: ignore[reportArgumentType]  # its length is checked there
        protocol=_PROTOCOL.value,
        precision=_PRECISION.value,
    )


if __name__ == "__main__":
    command_line.run(main)
