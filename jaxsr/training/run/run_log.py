"""The log of a run: progress lines, metrics.jsonl, TensorBoard events; and what ends a run that has diverged."""

import contextlib
import datetime
import json
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
from tensorboardX import SummaryWriter

from jaxsr.evaluation.score_tables import finite_or_null
from jaxsr.support.files import written_whole
from jaxsr.support.types import AnyArray, Json

RUNAWAY = -50.0  # dB of training PSNR, an error of 300 times the range of photos, which no network starts with


class TrainingFailed(ArithmeticError):
    """Training diverged. Checkpoints are of steps before that."""


class NonFiniteLoss(TrainingFailed):
    """A loss or a gradient is infinite or not a number."""


class Runaway(TrainingFailed):
    """The output is finite, but so far from any photo that nothing leads back."""


class Collapse(TrainingFailed):
    """The network got worse again: its photos have lost their contrast, or its scores fell below the input's."""


class LostScores(Collapse):
    """The scores fell below the input's: checkpoints after the best one hold a network that is lost."""


class Meter:
    """Collects the metrics of dispatches without waiting for them, so that the device never idles."""

    def __init__(self, min_contrast: float = 0.0):
        """Start empty. A run has collapsed when its photos, which had `min_contrast` of the HR ones', fall below it."""
        self._pending: list[tuple[int, Mapping[str, AnyArray]]] = []
        self._min_contrast = min_contrast
        self._had_contrast = False

    def add(self, count: int, metrics: Mapping[str, AnyArray]) -> None:
        """Add the mean `metrics` of `count` steps."""
        self._pending.append((count, metrics))

    def check(self) -> None:
        """Raise NonFiniteLoss, naming the step, Runaway or Collapse, if the collected steps have diverged."""
        self._check_finite()
        contrasts = [float(metrics["contrast"]) for _, metrics in self._pending if "contrast" in metrics]
        if not contrasts:
            return
        contrast = float(np.mean(contrasts))
        if self._had_contrast and contrast < self._min_contrast:
            raise Collapse(
                f"the generator collapsed: its photos have {contrast:.3f} of the HR photos' contrast, the least "
                f"allowed is {self._min_contrast}; lower --config.adversarial.weight or the learning rates, or set "
                f"--config.adversarial.min_contrast=0"
            )
        self._had_contrast |= contrast >= self._min_contrast

    def _check_finite(self) -> None:
        """Raise NonFiniteLoss or Runaway for the first steps that deserve it."""
        for _, metrics in self._pending:
            if (step := int(metrics["bad_step"])) >= 0:
                raise NonFiniteLoss(
                    f"training diverged: the loss or its gradient is not finite at step {step}; lower "
                    f"--config.optimizer.learning_rate or set --config.optimizer.clip_norm"
                )
            if (psnr := float(metrics.get("psnr", 0.0))) < RUNAWAY:
                raise Runaway(
                    f"training diverged: the output's error is {10 ** (-psnr / 20):.3g} times the range of photos; "
                    f"lower --config.optimizer.learning_rate or set --config.optimizer.clip_norm"
                )

    def mean(self) -> dict[str, float]:
        """Return the mean of every metric over the collected steps, after `check`, and forget them."""
        self.check()
        counts = [count for count, _ in self._pending]
        names = [name for name in self._pending[0][1] if name != "bad_step"]
        values = {name: [float(metrics[name]) for _, metrics in self._pending] for name in names}
        self._pending.clear()
        return {name: float(np.average(each, weights=counts)) for name, each in values.items()}


class RunLog:
    """Writes a record per logged step, with the speed since the last one and the time spent waiting for data."""

    def __init__(self, workdir: Path, *, step: int, steps: int, batch_size: int, silent: bool = False):
        """Begin at `step` of `steps`; later records, of a run that was killed after its last checkpoint, are dropped.

        A `silent` log writes nothing: one of several processes writes for all.
        """
        self._file = workdir / "metrics.jsonl"
        self._steps, self._batch_size = steps, batch_size
        self._writer = None
        if not silent:
            kept = self._lines_until(step)
            with written_whole(self._file) as temporary:
                temporary.write_text("".join(f"{line}\n" for line in kept))
            self._writer = SummaryWriter(str(workdir), purge_step=step + 1)
        self._last = (step, time.monotonic())
        self._waited = 0.0

    def _lines_until(self, step: int) -> list[str]:
        """Return the lines so far up to `step`. Damaged ones are dropped: a kill cuts the last one short."""
        if not self._file.exists():
            return []
        lines = self._file.read_text(errors="replace").splitlines()
        steps = [_step_of(line) for line in lines]
        damaged = sum(each is None for each in steps)
        if damaged > 1 or (damaged and steps[-1] is not None):
            print(f"{self._file}: {damaged} of {len(lines)} lines are damaged and left out", flush=True)
        return [line for line, each in zip(lines, steps, strict=True) if each is not None and each <= step]

    def waited(self, seconds: float) -> None:
        """Count `seconds` spent waiting for data since the last record."""
        self._waited += seconds

    def pause(self, seconds: float) -> None:
        """Leave `seconds` that scoring or saving took out of the speed."""
        step, since = self._last
        self._last = (step, since + seconds)

    @contextlib.contextmanager
    def waiting(self) -> Iterator[None]:
        """Count the time inside the block as spent waiting for data."""
        began = time.monotonic()
        yield
        self.waited(time.monotonic() - began)

    @contextlib.contextmanager
    def pausing(self) -> Iterator[None]:
        """Leave the time inside the block out of the speed."""
        began = time.monotonic()
        yield
        self.pause(time.monotonic() - began)

    def restart_clock(self, step: int) -> None:
        """Measure the speed from `step` on: what came before was compiling."""
        self._last, self._waited = (step, time.monotonic()), 0.0

    def train(self, step: int, metrics: Mapping[str, float]) -> None:
        """Record the mean `metrics` of the steps since the last record, and print the progress line.

        The speed is left out where no step since then was without compiling.
        """
        before, since = self._last
        shown = "  ".join(f"{name} {value:.4g}" for name, value in metrics.items())
        facts, speed_shown = {}, ""
        if step > before:
            elapsed = max(time.monotonic() - since, 1e-9)
            speed = (step - before) / elapsed
            facts = {"images_per_second": speed * self._batch_size, "data_wait": self._waited / elapsed}
            left = datetime.timedelta(seconds=round((self._steps - step) / speed))
            speed_shown = (
                f"  {facts['images_per_second']:.0f} images/s  waiting for data {facts['data_wait']:.1%}  left {left}"
            )
        self.restart_clock(step)
        self._write(step, "train", {**metrics, **facts})
        print(f"step {step}/{self._steps}  {shown}{speed_shown}", flush=True)

    def validation(self, step: int, scores: Mapping[str, float]) -> None:
        """Record the scores after `step` (numbers go to TensorBoard too) and print them."""
        self._write(step, "validation", scores)
        shown = "  ".join(f"{name} {value:.4g}" for name, value in scores.items())
        print(f"step {step}/{self._steps}  scored: {shown}", flush=True)

    def _write(self, step: int, kind: str, values: Mapping[str, Json]) -> None:
        if self._writer is None:
            return
        values = finite_or_null(values)  # JSON has no infinite PSNR, which flat photos give
        with self._file.open("a") as file:
            file.write(json.dumps({"step": step, "kind": kind, **values}) + "\n")
        for name, value in values.items():
            if isinstance(value, int | float):
                self._writer.add_scalar(f"{kind}/{name}", value, step)

    def close(self) -> None:
        """Flush the events."""
        if self._writer is not None:
            self._writer.close()


def _step_of(line: str) -> int | None:
    """Return the step of a line of metrics.jsonl; None for one that is damaged."""
    try:
        record = json.loads(line)
        return record["step"] if isinstance(record["step"], int) and isinstance(record["kind"], str) else None
    except (ValueError, KeyError, TypeError):
        return None
