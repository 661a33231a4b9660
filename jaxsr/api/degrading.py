"""`jaxsr.degrade`, and what `python -m jaxsr.degrade` does: paired test sets of HR photos."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from jaxsr.data.listing import find_photos
from jaxsr.evaluation.pair_options import PairOptions
from jaxsr.evaluation.paired_sets import make_set
from jaxsr.support.errors import UserError
from jaxsr.support.types import Progress


def degrade(
    photos: str | Path | Sequence[str | Path],
    output: str | Path,
    *,
    kind: str | PairOptions,
    scale: int | None = None,
    progress: Progress | None = None,
    on_failure: Callable[[str], object] | None = None,
) -> int:
    """Write a paired test set of `photos` to the folder `output`, and return the number of its pairs.

    Example: `jaxsr.degrade("photos", "set", kind="gaussian8", scale=2)`; `jaxsr.evaluate(model, "set")` scores on it.

    Args:
        photos: HR photos: files, folders or patterns, or one of these; 8 or 16 bits, grey or RGB.
        output: the folder of the set. HR photos go to `hr`, LR photos to `lr_x<scale>` (by "motion", to `sharp` and
            `blur`), blur kernels to `kernels`, the list of pairs to `pairs.json`. It must not hold a set.
        kind: a row of `jaxsr.degradations.DEGRADATIONS`, or a PairOptions of `jaxsr.evaluation.pair_options`: the row
            with the size of the kernels, the seed, and for "motion" the exposures and jitter.
        scale: how many times smaller; by default 2, and 1 for "motion".
        progress: called with (done, total) after each photo.
        on_failure: called with a line for each photo that cannot be degraded; by default the first one is raised.

    Returns:
        The number of pairs; "gaussian8" makes 8 of each photo.

    Raises:
        UserError: for photos that do not exist, options that do not fit, and a folder that holds a set already, or
            files of others in the place of the set's.
    """
    files = find_photos([photos] if isinstance(photos, str) or not isinstance(photos, Iterable) else [*photos]).photos
    options = kind if isinstance(kind, PairOptions) else PairOptions(kind)
    if scale is None:
        scale = 1 if options.degradation == "motion" else 2
    count, failures = make_set(files, output, scale=scale, options=options, progress=progress)
    for failure in failures:
        if on_failure is None:
            raise UserError(failure)
        on_failure(failure)
    return count
