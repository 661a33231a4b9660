"""The page of results, made from the record alone: every figure in its tables is in the JSON file."""

from collections.abc import Iterator, Sequence

from benchmarks.results.markdown import groups_of, table
from benchmarks.results.published import differences
from benchmarks.results.record import Record, Row
from jaxsr.metrics.protocols import PROTOCOLS

HEAD = """# Results

Scores of every system beside its paper's figures: of published weights where a file of them was given, of the weights
that ship with this package, and of bicubic. PSNR (dB) and SSIM are better when higher, NIQE when lower; *difference* is
our PSNR minus the paper's. Seconds are for one photo, without compiling, and rough: other work may have run at the same
time. Written by `python -m benchmarks.quality`, which [benchmarks/](../benchmarks/README.md) explains; do not edit it
by hand.
"""
SET_NOTES = {
    "Gaussian8": "Set5, blurred by eight isotropic Gaussian kernels.",
    "Real14": "Set14 through blur, resizing, noise and JPEG, twice over, as `jaxsr degrade --kind=real` makes it.",
    "DIV2KRK": "ZSSR learns from the photo itself, with `kernel=estimate` by the kernel that KernelGAN estimates, with "
    "`kernel=FILE` by the true one. The papers' figures are of all 100 photos.",
    "GoPro": "Blurred photos, restored at their own size; bicubic stands for the blurred photo itself.",
    "views": "Photos of one scene from several views: the most similar one gives texture to SRNTT, whose shipped "
    "weights learned from all but `entry_1` and `fountain_1`; on these they have 28.49 dB, bicubic 27.58.",
}
LEAST_DIFFERENCE = 0.05  # dB, below which there is nothing to explain


def page(record: Record) -> str:
    """Return the page as Markdown."""
    parts = [HEAD, *_pictures(record), *_sets(record), *_differences(record.rows)]
    parts += [*_skipped(record), *_method(record.rows)]
    return "\n".join(parts)


def _sets(record: Record) -> Iterator[str]:
    named = ""
    for (name, scale), group in groups_of(record).items():
        if name != named:
            note = SET_NOTES.get(name, "")
            yield f"## {name}\n" + (f"\n{note}\n" if note else "")
            named = name
        made = {row["made"] for row in group if "made" in row}
        photos = max((len(row["photos"]) for row in group), default=0)
        title = f"{name} x{scale}" if scale > 1 else name
        inputs = f"; {'LR' if scale > 1 else 'blurred'} photos: {', '.join(sorted(made))}" if made else ""
        yield f"### {title}, {photos} photos{inputs}\n\n{table(group)}"


def _differences(rows: Sequence[Row]) -> Iterator[str]:
    """Yield a line for each system whose scores differ from its paper's."""
    differing = {row["system"] for row in rows if abs(row.get("difference") or 0) >= LEAST_DIFFERENCE}
    lines = [f"- **{system}**: {text}" for system, text in differences().items() if system in differing]
    if lines:
        yield "## Why figures differ from the papers'\n\n" + "\n".join(lines) + "\n"


def _pictures(record: Record) -> Iterator[str]:
    for picture in record.pictures:
        yield f"![{picture['title']}]({picture['file']})\n\n*{picture['title']}. {picture['note']}*\n"


def _skipped(record: Record) -> Iterator[str]:
    if record.skipped:
        lines = [f"- `{name}`: {reason}" for name, reason in record.skipped.items()]
        yield "## What could not be read\n\n" + "\n".join(lines) + "\n"


def _method(rows: Sequence[Row]) -> Iterator[str]:
    used = sorted({row["protocol"] for row in rows})
    lines = [f"- `{name}`: {PROTOCOLS[name].channel}; {PROTOCOLS[name].rounding}" for name in used]
    lines += [
        "- As many pixels as the scale are cut from each side, none from deblurred photos. SSIM is Wang's, "
        "with an 11x11 Gaussian window.",
        "- NIQE is of the whole photo, rounded to 8 bits; photos of fewer than two blocks of 96x96 pixels have none.",
        "- The papers' figures and their sources are in `benchmarks/results/published.csv`; those marked *unchecked* "
        "were not seen in the source itself.",
    ]
    machines = sorted({row["machine"] for row in rows if "machine" in row})
    lines += [f"- Computed on: {machine}." for machine in machines]
    yield "## How it was measured\n\n" + "\n".join(lines) + "\n"
