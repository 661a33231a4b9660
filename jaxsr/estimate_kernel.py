"""Estimate how photos were blurred: `python -m jaxsr.estimate_kernel PHOTO... --output=DIR [--scale=2] [--seeds=4]`.

PHOTO is a file, a folder or a pattern. KernelGAN trains on each photo for some seconds and finds the kernel that made
it from one --scale times larger: that of the mean of several --seeds, because single runs differ. Of photos/a.png DIR
gets a_x2.npz, a_x2.mat (key Kernel) and the picture a_x2.png. Photos go together, as many as there are cores, or more
on GPUs. Exit status 0: all done; 1: some photos failed, listed at the end; 2: wrong usage.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

from absl import flags

from jaxsr.support import command_line
from jaxsr.support.files import make_folder

_OUTPUT = flags.DEFINE_string("output", None, "Folder for the kernels; made when missing.", required=True)
_SCALE = flags.DEFINE_enum("scale", "2", ["2", "4"], "How many times larger the photo is to become.")
_SEED = flags.DEFINE_integer("seed", 0, "The first seed; the same gives the same kernel.", lower_bound=0)
_SEEDS = flags.DEFINE_integer("seeds", 4, "How many runs, of following seeds, for a photo.", lower_bound=1)
_STEPS = flags.DEFINE_integer("steps", 3000, "Steps of training; the schedule is made for 3000.", lower_bound=1)
_FIDELITY = flags.DEFINE_string("fidelity", None, "mixed, the default, steady, paper or published_code.")
_TRUTH = flags.DEFINE_string("truth", None, "The true kernel, or a folder of them, to print scores.")
_PROGRESS = flags.DEFINE_integer("progress", 0, "Write the pictures anew every so many steps.", lower_bound=0)


def main(arguments: Sequence[str]) -> int:
    """Estimate the kernels of the photos that `arguments` name; return the exit status."""
    from tqdm import tqdm  # after the flags: a typo is answered at once

    from jaxsr.blind.kernelgan.estimation import DEFAULT_FIDELITY, at_once
    from jaxsr.blind.kernelgan.kernel_reports import estimate_files, read_truth, score_table
    from jaxsr.blind.kernelgan.optimization import FIDELITIES
    from jaxsr.data.listing import list_photos, output_paths
    from jaxsr.support.errors import choose

    photos, scale = list_photos(arguments), int(_SCALE.value)
    fidelity = _FIDELITY.value or DEFAULT_FIDELITY
    choose("fidelity", fidelity, FIDELITIES)
    stems = [p.with_suffix("") for p in output_paths(photos, _OUTPUT.value, f"_x{scale}.png")]
    truth = read_truth(photos, _TRUTH.value) if _TRUTH.value else {}
    make_folder(Path(_OUTPUT.value))
    count = max(at_once() // _SEEDS.value, 1)
    kernels, failures = {}, []
    for first in range(0, len(photos), count):
        group = slice(first, first + count)
        with tqdm(desc=", ".join(p.name for p in photos[group][:2]), total=_STEPS.value, disable=None) as bar:
            found, failed = estimate_files(
                dict(zip(photos[group], stems[group], strict=True)),
                scale=scale,
                seeds=range(_SEED.value, _SEED.value + _SEEDS.value),
                fidelity=fidelity,
                steps=_STEPS.value,
                pictures_every=_PROGRESS.value,
                tell=lambda step, bar=bar: bar.update(step - bar.n),
            )
        kernels |= found
        failures += failed
    print(f"{len(kernels)} of {len(photos)} kernels for x{scale} estimated in {_OUTPUT.value}")
    if truth and kernels:
        print(score_table(kernels, truth, scale))
    for failure in failures:
        print(failure, file=sys.stderr)
    return command_line.SOME_FAILED if failures else command_line.DONE


if __name__ == "__main__":
    command_line.run(main)
