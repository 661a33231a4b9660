"""The curves of a run as a picture: training loss, validation PSNR and learning rate over the steps."""

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from jaxsr.support.files import written_whole
from jaxsr.support.types import Json

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INCHES, DOTS_PER_INCH = (8.0, 9.0), 120
SMOOTHED_PART = 15  # a smoothed value is the mean of about one in so many of the records
CLIMB_PART = 4  # the first one in so many validations, where PSNR climbs from nowhere, does not set the axis
DECADE = 10.0  # a learning rate that spans more than this is drawn on a log scale
LOSSES = {"loss": ("training loss", "C0"), "adversary_loss": ("adversary's loss", "C3")}
BASELINES = {"bicubic_psnr": "bicubic", "input_psnr": "blurred input"}
BASELINE_COLOUR, TEXT_COLOUR = "0.35", "0.5"
ABOVE = {"loc": "lower left", "bbox_to_anchor": (0, 1), "ncols": 2, "frameon": False}  # where it hides no curve


class Curve(NamedTuple):
    """Finite `values` (n,) after `steps` (n,), which increase."""

    steps: np.ndarray
    values: np.ndarray


def draw_curves(workdir: Path, title: str) -> None:
    """Write `workdir`/curves.png from the records in metrics.jsonl, under `title`: loss, PSNR and learning rate.

    Records that cannot be read, and values that are not finite, are left out. Nothing is raised: a picture that cannot
    be drawn must not end a run, and is reported in one line.
    """
    try:
        figure = _figure(_records(workdir / "metrics.jsonl"), title)
        with written_whole(workdir / "curves.png") as temporary:
            figure.savefig(temporary, dpi=DOTS_PER_INCH)
    except Exception as error:  # matplotlib, fonts and disks fail in many ways
        reason = " ".join(str(error).split()) or type(error).__name__
        print(f"curves.png is not drawn ({reason}); the run goes on", flush=True)


def _records(path: Path) -> list[dict[str, Json]]:
    """Return the readable records of metrics.jsonl, ordered by step."""
    records = []
    for line in path.read_text(errors="replace").splitlines() if path.exists() else []:
        try:
            record = json.loads(line)
        except ValueError:
            continue
        if isinstance(record, dict) and type(record.get("step")) is int:
            records.append(record)
    return sorted(records, key=lambda record: record["step"])


def _curve(records: Sequence[dict[str, Json]], kind: str, name: str) -> Curve:
    """Return the finite values of the metric `name` in the records of `kind`."""
    points = [(record["step"], record.get(name)) for record in records if record.get("kind") == kind]
    finite = [(step, value) for step, value in points if _is_finite(value)]
    steps, values = zip(*finite, strict=True) if finite else ((), ())
    return Curve(np.array(steps, float), np.array(values, float))


def _is_finite(value: Json) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _figure(records: Sequence[dict[str, Json]], title: str) -> "Figure":
    # Imported when first needed, and without pyplot, which would keep figures and choose a window system
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.ticker import EngFormatter, MaxNLocator

    figure = Figure(figsize=INCHES, layout="constrained")
    FigureCanvasAgg(figure)
    panels = figure.subplots(3, sharex=True, height_ratios=(4, 4, 2))
    _draw_loss(panels[0], records)
    _draw_psnr(panels[1], records, title)
    _draw_rate(panels[2], records)
    for panel in panels:
        panel.grid(alpha=0.25)
        panel.spines[["top", "right"]].set_visible(False)
        if not panel.has_data():
            panel.set_yticks([])
            panel.text(0.5, 0.5, "nothing yet", transform=panel.transAxes, color=TEXT_COLOUR, ha="center", va="center")
    figure.suptitle(title, fontweight="bold", parse_math=False)
    panels[-1].set_xlabel("step")
    panels[-1].set_xlim(0, 1.02 * max([1, *(record["step"] for record in records)]))
    panels[-1].xaxis.set_major_locator(MaxNLocator(integer=True, steps=(1, 2, 5, 10)))
    panels[-1].xaxis.set_major_formatter(EngFormatter(sep=""))  # 200k
    figure.align_ylabels(panels)
    return figure


def _draw_loss(panel: "Axes", records: Sequence[dict[str, Json]]) -> None:
    """Draw the losses, each record light and the running mean strong."""
    curves = {name: _curve(records, "train", name) for name in LOSSES}
    for name, (label, colour) in LOSSES.items():
        curve = curves[name]
        if len(curve.steps):
            panel.plot(*curve, color=colour, alpha=0.3, linewidth=1, marker="." if len(curve.steps) == 1 else "")
            panel.plot(curve.steps, _smoothed(curve.values), color=colour, linewidth=2, label=label)
    values = np.concatenate([curve.values for curve in curves.values()])
    panel.set_ylabel("loss")
    if len(values):
        panel.set_yscale("log" if values.min() > 0 else "linear")  # a critic's loss can be negative
        panel.legend(**ABOVE)


def _draw_psnr(panel: "Axes", records: Sequence[dict[str, Json]], title: str) -> None:
    """Draw the PSNR of each validation, with the baseline's as a labelled line."""
    curve = _curve(records, "validation", "psnr")
    settled = list(curve.values[len(curve.values) // CLIMB_PART :])
    if len(curve.steps):
        best = int(curve.values.argmax())
        label = f"{title}: {curve.values[-1]:.2f} dB, best {curve.values[best]:.2f} dB at step {curve.steps[best]:.0f}"
        panel.plot(*curve, color="C0", linewidth=2, marker="o", markersize=4, label=label)
    for name, label in BASELINES.items():
        baseline = _curve(records, "validation", name).values
        if len(baseline):
            settled.append(baseline[-1])
            dashes = {"color": BASELINE_COLOUR, "linestyle": "--", "linewidth": 1.5}
            panel.axhline(baseline[-1], label=f"{label}: {baseline[-1]:.2f} dB", **dashes)
    panel.set_ylabel("validation PSNR, dB")
    if settled:
        lowest, highest = min(settled), max(*settled, *curve.values)
        margin = 0.1 * (highest - lowest) or 0.5
        panel.set_ylim(lowest - margin, highest + margin)
        panel.legend(**ABOVE)


def _draw_rate(panel: "Axes", records: Sequence[dict[str, Json]]) -> None:
    """Draw the learning rate at each validation."""
    curve = _curve(records, "validation", "learning_rate")
    if len(curve.steps):
        panel.plot(*curve, color="C2", linewidth=2, marker="o", markersize=4)
        lowest, highest = curve.values.min(), curve.values.max()
        if lowest > 0 and highest > DECADE * lowest:
            panel.set_yscale("log")
        else:
            panel.set_ylim(0, 1.1 * highest or 1)
            panel.ticklabel_format(axis="y", scilimits=(-2, 3))
    panel.set_ylabel("learning rate")


def _smoothed(values: np.ndarray) -> np.ndarray:
    """Return the centred running mean of `values` (n,), over fewer of them at both ends."""
    reach = round(len(values) / SMOOTHED_PART / 2)
    window = np.ones(2 * reach + 1)
    return np.convolve(values, window, "same") / np.convolve(np.ones_like(values), window, "same")
