"""Make a paired test set: `python -m jaxsr.degrade PHOTO... --output=DIR --kind=gaussian8 --scale=2`.

PHOTO is a sharp photo, a folder or a pattern. DIR gets the sharp photos (hr), the small ones (lr_x2), their blur
kernels (kernels) and pairs.json, which lists them; `evaluate --data=DIR` scores on it. The kinds: bicubic, MATLAB's in
8 bits; gaussian8, 8 small ones of each photo by the isotropic Gaussians that IKC and DAN are tested with; div2krk, by
a random anisotropic kernel each, as in KernelGAN's set of that name; motion, at full size (sharp, blur), by a random
camera shake each, as DeblurGAN is trained on. Exit status 0: all done; 1: some photos failed, listed at the end, the
others are written; 2: wrong usage.
"""

import sys
from collections.abc import Sequence
from typing import Any

from absl import flags

from jaxsr.support import command_line
from jaxsr.support.errors import UserError

_OUTPUT = flags.DEFINE_string("output", None, "Folder of the set; it must not hold one.", required=True)
_KIND = flags.DEFINE_enum(
    "kind", None, ["bicubic", "gaussian8", "div2krk", "motion"], "How small photos are made.", required=True
)
_SCALE = flags.DEFINE_integer("scale", None, "How many times smaller; 2 by default, and 1 for motion.", lower_bound=1)
_SEED = flags.DEFINE_integer("seed", 0, "Decides random kernels and noise, with the photo's name.")
_KERNEL_SIZE = flags.DEFINE_integer("kernel_size", None, "motion: side of the kernels in pixels, by default 64.")
_EXPOSURES = flags.DEFINE_list(
    "exposures", None, "motion: shares of the shake's time, one of which each photo takes, by default 0.1,0.5,1."
)
_ANXIETIES = flags.DEFINE_list(
    "anxieties", None, "motion: how nervous the hand is, one of these each time; 0 is a straight line, 0.005 usual."
)


def main(inputs: Sequence[str]) -> int:
    """Degrade the photos that `inputs` name; return the exit status."""
    from tqdm import tqdm  # after the flags: a typo is answered at once

    from jaxsr.data.listing import list_photos
    from jaxsr.evaluation.paired_sets import make_set

    photos = list_photos(inputs)
    count, failures = make_set(
        photos,
        _OUTPUT.value,
        kind=_KIND.value,
        scale=_SCALE.value or (1 if _KIND.value == "motion" else 2),
        seed=_SEED.value,
        progress=lambda items: tqdm(items, unit="photo", disable=None),
        **_shake(),
    )
    print(f"{count} pairs of {len(photos) - len(failures)} photos in {_OUTPUT.value}")
    for failure in failures:
        print(failure, file=sys.stderr)
    return command_line.SOME_FAILED if failures else command_line.DONE


def _shake() -> dict[str, Any]:
    """Return those options of the camera shake that are given."""
    given: dict[str, Any] = {} if _KERNEL_SIZE.value is None else {"kernel_size": _KERNEL_SIZE.value}
    for flag in (_EXPOSURES, _ANXIETIES):
        if flag.value is not None:
            given[flag.name] = _numbers(flag.name, flag.value)
    return given


def _numbers(name: str, values: Sequence[str]) -> tuple[float, ...]:
    """Return the numbers of a list."""
    try:
        return tuple(map(float, values))
    except ValueError:
        raise UserError(f"{name} takes numbers such as 0.1,0.5; got {','.join(values)!r}") from None


if __name__ == "__main__":
    command_line.run(main)
