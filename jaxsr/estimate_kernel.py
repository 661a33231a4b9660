"""Estimate how photos were blurred: `python -m jaxsr.estimate_kernel PHOTO... --output=DIR [--scale=2] [--seeds=4]`.

PHOTO is a file, a folder or a pattern. KernelGAN trains on each photo, for under a minute on two cores, and estimates
the kernel that made it from one --scale times larger: the mean over several --seeds, because single runs vary. Names
are those of `restore`: for photos/a.png DIR gets a_x2.npz, a_x2.mat (key Kernel) and the picture a_x2.png; losses.jsonl
has the losses of all runs. Photos whose kernel is in DIR already are skipped unless they have changed or --overwrite is
given; without it, files that were not made from the same photo are refused. Several photos are estimated at the same
time. Exit status 0: all done; 1: some photos failed, listed at the end; 2: wrong usage.
"""

from collections.abc import Sequence

from absl import flags

from jaxsr.support import command_line
from jaxsr.support.messages import complain, say

_OUTPUT = flags.DEFINE_string("output", None, "Folder for the kernels; made when missing.", required=True)
_SCALE = flags.DEFINE_enum("scale", "2", ["2", "4"], "How many times larger the photo is to become.")
_SEED = flags.DEFINE_integer("seed", 0, "Seed of the first run; the same gives the same kernel.", lower_bound=0)
_SEEDS = flags.DEFINE_integer("seeds", 4, "How many runs, with consecutive seeds, per photo.", lower_bound=1)
_STEPS = flags.DEFINE_integer("steps", 3000, "Training steps; the schedules are made for 3000.", lower_bound=1)
_FIDELITY = flags.DEFINE_string(
    "fidelity",
    "mixed",
    "How closely the original is followed: paper; published_code; steady, at a constant learning rate; or mixed, whose "
    "runs take published_code and steady in turn.",
)
_TRUTH = flags.DEFINE_string("truth", None, "The true kernel, or a folder of them, to print scores.")
_LOG_EVERY = flags.DEFINE_integer("log_every", 100, "Steps between two lines of losses; 0: no log.", lower_bound=0)
_PICTURES_EVERY = flags.DEFINE_integer(
    "pictures_every", 0, "Draw the kernels every so many steps; 0: never.", lower_bound=0
)
_OVERWRITE = flags.DEFINE_bool("overwrite", False, "Estimate anew the photos whose kernels are in --output already.")


def main(arguments: Sequence[str]) -> int:
    """Estimate the kernels of the photos that `arguments` name; return the exit status."""
    # Imported after the flags are parsed, so that a typo is answered at once
    from jaxsr.blind.kernelgan.kernel_files_run import estimate_kernels_of_files
    from jaxsr.blind.kernelgan.kernel_reports import read_truth, score_table
    from jaxsr.blind.kernelgan.kernelgan_options import KernelGANOptions
    from jaxsr.data.listing import find_photos, name_left_out
    from jaxsr.support.paths import output_folder
    from jaxsr.support.progress import progress_bar

    listing, scale = find_photos(arguments), int(_SCALE.value)
    photos = listing.photos
    name_left_out(listing.left_out)
    output = output_folder(_OUTPUT.value, "--output")
    options = KernelGANOptions(
        scale=scale,
        seed=_SEED.value,
        seeds=_SEEDS.value,
        steps=_STEPS.value,
        fidelity=_FIDELITY.value,
        log_every=_LOG_EVERY.value,
        pictures_every=_PICTURES_EVERY.value,
    )
    truth = read_truth(list(photos), _TRUTH.value, scale) if _TRUTH.value else {}
    with progress_bar([output], "step") as progress:
        result = estimate_kernels_of_files(photos, output, options, overwrite=_OVERWRITE.value, progress=progress)
    estimated, kept = len(result.kernels) - len(result.skipped), len(result.skipped)
    say(f"{estimated} of {len(photos)} kernels for x{scale} estimated in {output}")
    if kept:
        print(f"{kept} kept from before; --overwrite estimates them anew")
    if truth and result.kernels:
        print(score_table(result.kernels, truth, scale))
    for failure in result.failures.values():
        complain(failure)
    return command_line.SOME_FAILED if result.failures else command_line.DONE


if __name__ == "__main__":
    command_line.run(main)
