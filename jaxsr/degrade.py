"""Make a paired test set: `python -m jaxsr.degrade PHOTO... --output=DIR --kind=gaussian8 --scale=2`.

PHOTO is an HR photo, a folder or a pattern. DIR gets the HR photos (hr), the LR ones (lr_x2), their blur kernels
(kernels) and pairs.json, which lists them; `evaluate --data=DIR` scores on it. The kinds are the degradations of
`train` and of `evaluate --degradation`. The most common: bicubic, MATLAB's in 8 bits; gaussian8, 8 LR photos of each HR
photo by the isotropic Gaussians that IKC and DAN are tested with; div2krk, a random anisotropic kernel for each photo,
as in KernelGAN's set of that name; motion, at full size (sharp, blur), a random camera shake for each photo, as
DeblurGAN is trained on. Exit status 0: all done; 1: some photos failed, listed at the end, the others are written; 2:
wrong usage.
"""

from collections.abc import Sequence

from absl import flags

from jaxsr.support import command_line
from jaxsr.support.errors import UserError
from jaxsr.support.messages import complain, say

_OUTPUT = flags.DEFINE_string("output", None, "Folder for the set; it must not hold a set yet.", required=True)
_KIND = flags.DEFINE_string(
    "kind",
    None,
    "How LR photos are made: bicubic, pillow, bd, dn, isotropic, anisotropic, gaussian8, gaussian8_ikc, div2krk, "
    "real or motion.",
    required=True,
)
_SCALE = flags.DEFINE_integer("scale", None, "How many times smaller; 2 by default, and 1 for motion.", lower_bound=1)
_SEED = flags.DEFINE_integer("seed", 0, "Decides random kernels and noise, with the photo's name.")
_KERNEL_SIZE = flags.DEFINE_integer(
    "kernel_size",
    None,
    "Side of the kernels in pixels; by default 21 for Gaussians and 64 for motion. div2krk has sizes of its own.",
)
_EXPOSURES = flags.DEFINE_list(
    "exposures", None, "motion: shares of the shake's time, one of which each photo takes, by default 0.1,0.5,1."
)
_JITTER = flags.DEFINE_list(
    "jitter",
    None,
    "motion: levels of camera-shake jitter (the paper's anxiety), one of which each photo takes; 0 is a straight line, "
    "0.005 usual.",
)


def main(inputs: Sequence[str]) -> int:
    """Degrade the photos that `inputs` name; return the exit status."""
    from jaxsr.api.degrading import degrade  # after the flags: a typo is answered at once
    from jaxsr.data.listing import find_photos, name_left_out
    from jaxsr.evaluation.pair_options import PairOptions
    from jaxsr.support.paths import output_folder
    from jaxsr.support.progress import progress_bar

    listing, failures = find_photos(inputs), []
    name_left_out(listing.left_out)
    output = output_folder(_OUTPUT.value, "--output")
    options = PairOptions(
        _KIND.value,
        _KERNEL_SIZE.value,
        seed=_SEED.value,
        exposures=_numbers("exposures", _EXPOSURES.value),
        jitter=_numbers("jitter", _JITTER.value),
    )
    with progress_bar([], "photo") as progress:
        count = degrade(
            inputs,
            output,
            scale=_SCALE.value,
            kind=options,
            progress=progress,
            on_failure=failures.append,
        )
    say(f"{count} pairs of {len(listing.photos) - len(failures)} photos in {output}")
    for failure in failures:
        complain(failure)
    return command_line.SOME_FAILED if failures else command_line.DONE


def _numbers(name: str, values: Sequence[str] | None) -> tuple[float, ...] | None:
    """Return the numbers of a list, or None for none."""
    if values is None:
        return None
    try:
        return tuple(map(float, values))
    except ValueError:
        raise UserError(f"{name} takes numbers such as 0.1,0.5; got {','.join(values)!r}") from None


if __name__ == "__main__":
    command_line.run(main)
