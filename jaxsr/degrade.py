"""Make a paired test set: `python -m jaxsr.degrade PHOTO... --output=DIR --kind=gaussian8 --scale=2`.

PHOTO is a sharp photo, a folder or a pattern. DIR gets the sharp photos (hr), the small ones (lr_x2), their blur
kernels (kernels) and pairs.json, which lists them; `evaluate --data=DIR` scores on it. The kinds: bicubic, MATLAB's in
8 bits; gaussian8, 8 small ones of each photo by the isotropic Gaussians that IKC and DAN are tested with; div2krk, by
a random anisotropic kernel each, as in KernelGAN's set of that name. Exit status 0: all done; 1: some photos failed,
listed at the end, the others are written; 2: wrong usage.
"""

import sys
from collections.abc import Sequence

from absl import flags

from jaxsr.support import app

_OUTPUT = flags.DEFINE_string("output", None, "Folder of the set; it must not hold one.", required=True)
_KIND = flags.DEFINE_enum(
    "kind", None, ["bicubic", "gaussian8", "div2krk"], "How small photos are made.", required=True
)
_SCALE = flags.DEFINE_integer("scale", 2, "How many times smaller.", lower_bound=2)
_SEED = flags.DEFINE_integer("seed", 0, "Decides random kernels and noise, with the photo's name.")


def main(inputs: Sequence[str]) -> int:
    """Degrade the photos that `inputs` name; return the exit status."""
    from tqdm import tqdm  # after the flags: a typo is answered at once

    from jaxsr.data.listing import list_photos
    from jaxsr.restoration.paired_set import make_set

    photos = list_photos(inputs)
    count, failures = make_set(
        photos,
        _OUTPUT.value,
        kind=_KIND.value,
        scale=_SCALE.value,
        seed=_SEED.value,
        progress=lambda items: tqdm(items, unit="photo", disable=None),
    )
    print(f"{count} pairs of {len(photos) - len(failures)} photos in {_OUTPUT.value}")
    for failure in failures:
        print(failure, file=sys.stderr)
    return app.SOME_FAILED if failures else app.DONE


if __name__ == "__main__":
    app.run(main)
