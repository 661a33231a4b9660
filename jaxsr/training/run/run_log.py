"""The record of a run: a progress line, metrics.jsonl, TensorBoard events."""

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from tensorboardX import SummaryWriter

from jaxsr.support.files import written_whole


class TrainingFailed(ArithmeticError):
    """Training went where it cannot come back from; the last checkpoint was taken before it."""


class NonFiniteLoss(TrainingFailed):
    """Training met a loss or gradient that is not a number."""


class Collapse(TrainingFailed):
    """The generator's photos have lost their contrast."""


class Meter:
    """Collects the metrics of dispatches without waiting for them, so that the device never idles."""

    def __init__(self, least_contrast: float = 0.0):
        """Start empty. Photos whose contrast falls below `least_contrast`, as a share of the sharp ones', are lost."""
        self._pending: list[tuple[int, Mapping[str, Any]]] = []
        self._least_contrast = least_contrast
        self._had_contrast = False

    def add(self, count: int, metrics: Mapping[str, Any]) -> None:
        """Take the mean `metrics` over `count` steps."""
        self._pending.append((count, metrics))

    def check(self) -> None:
        """Raise NonFiniteLoss, naming the step, if any collected step went wrong, and Collapse."""
        for _, metrics in self._pending:
            if (step := int(metrics["bad_step"])) >= 0:
                raise NonFiniteLoss(
                    f"the loss or its gradient is not finite at step {step}; the last checkpoint was taken before it; "
                    f"lower --config.optimizer.learning_rate or set --config.optimizer.clip_norm, then run again"
                )

        contrasts = [float(metrics["contrast"]) for _, metrics in self._pending if "contrast" in metrics]
        if contrasts and self._had_contrast and np.mean(contrasts) < self._least_contrast:
            raise Collapse(
                f"the generator collapsed: its photos have {np.mean(contrasts):.3f} of the sharp ones' contrast, the "
                f"least allowed is {self._least_contrast}; lower --config.adversarial.weight or the learning rates, or "
                f"set --config.adversarial.least_contrast=0, then run again from the last checkpoint"
            )
        self._had_contrast |= bool(contrasts) and bool(np.mean(contrasts) >= self._least_contrast)

    def mean(self) -> dict[str, float]:
        """Return the mean of every metric over the collected steps, after `check`, and forget them."""
        self.check()
        counts = [count for count, _ in self._pending]
        names = [name for name in self._pending[0][1] if name != "bad_step"]
        values = {name: [float(metrics[name]) for _, metrics in self._pending] for name in names}
        self._pending.clear()
        return {name: float(np.average(each, weights=counts)) for name, each in values.items()}


class RunLog:
    """Writes one record per logged step and keeps the time between them, with what was spent waiting for data."""

    def __init__(self, workdir: Path, *, step: int, steps: int, batch_size: int, silent: bool = False):
        """Begin at `step` of `steps`; records after it, of a run that went on before it was killed, are dropped.

        A `silent` log only measures: one of several processes writes for all.
        """
        self._file = workdir / "metrics.jsonl"
        self._steps, self._batch_size = steps, batch_size
        self._writer = None
        if not silent:
            kept = [line for line in self._lines() if json.loads(line)["step"] <= step]
            with written_whole(self._file) as temporary:
                temporary.write_text("".join(f"{line}\n" for line in kept))
            self._writer = SummaryWriter(str(workdir), purge_step=step + 1)
        self._last = (step, time.monotonic())
        self._waited = 0.0

    def _lines(self) -> list[str]:
        """Return the whole lines so far; a line cut short by a kill is none."""
        if not self._file.exists():
            return []
        return [line for line in self._file.read_text().splitlines() if line.endswith("}")]

    def waited(self, seconds: float) -> None:
        """Count `seconds` spent waiting for data since the last record."""
        self._waited += seconds

    def pause(self, seconds: float) -> None:
        """Leave `seconds`, spent on scoring or saving, out of the speed."""
        step, since = self._last
        self._last = (step, since + seconds)

    def train(self, step: int, metrics: Mapping[str, float]) -> None:
        """Record the mean `metrics` of the steps since the last record, and print the progress line."""
        before, since = self._last
        elapsed = max(time.monotonic() - since, 1e-9)
        speed = (step - before) / elapsed
        facts = {"images_per_second": speed * self._batch_size, "data_wait": self._waited / elapsed}
        self._last, self._waited = (step, time.monotonic()), 0.0
        self._write(step, "train", {**metrics, **facts})
        left = time.strftime("%H:%M:%S", time.gmtime((self._steps - step) / speed))
        shown = "  ".join(f"{name} {value:.4g}" for name, value in metrics.items())
        print(
            f"step {step}/{self._steps}  {shown}  {facts['images_per_second']:.0f} images/s  "
            f"waiting for data {facts['data_wait']:.1%}  left {left}",
            flush=True,
        )

    def validation(self, step: int, scores: Mapping[str, float]) -> None:
        """Record the scores after `step` (numbers go to TensorBoard too) and print them."""
        self._write(step, "validation", scores)
        shown = "  ".join(f"{name} {value:.4g}" for name, value in scores.items())
        print(f"step {step}/{self._steps}  scored: {shown}", flush=True)

    def _write(self, step: int, kind: str, values: Mapping[str, Any]) -> None:
        if self._writer is None:
            return
        with self._file.open("a") as file:
            file.write(json.dumps({"step": step, "kind": kind, **values}) + "\n")
        for name, value in values.items():
            if isinstance(value, int | float):
                self._writer.add_scalar(f"{kind}/{name}", value, step)

    def close(self) -> None:
        """Flush the events."""
        if self._writer is not None:
            self._writer.close()
