"""The log of a run: progress lines, metrics.jsonl, TensorBoard events; and what ends a run that has diverged."""

import contextlib
import json
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
from tensorboardX import SummaryWriter

from jaxsr.support.files import written_whole
from jaxsr.support.types import AnyArray, Json


class TrainingFailed(ArithmeticError):
    """Training diverged; the last checkpoint was saved before that."""


class NonFiniteLoss(TrainingFailed):
    """A loss or a gradient is infinite or not a number."""


class Collapse(TrainingFailed):
    """The generator collapsed: its photos have lost their contrast."""


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
        """Raise NonFiniteLoss, naming the step, or Collapse, if the collected steps have diverged."""
        self._check_finite()
        contrasts = [float(metrics["contrast"]) for _, metrics in self._pending if "contrast" in metrics]
        if not contrasts:
            return
        contrast = float(np.mean(contrasts))
        if self._had_contrast and contrast < self._min_contrast:
            raise Collapse(
                f"the generator collapsed: its photos have {contrast:.3f} of the HR photos' contrast, the least "
                f"allowed is {self._min_contrast}; lower --config.adversarial.weight or the learning rates, or set "
                f"--config.adversarial.min_contrast=0, then run again from the last checkpoint"
            )
        self._had_contrast |= contrast >= self._min_contrast

    def _check_finite(self) -> None:
        for _, metrics in self._pending:
            if (step := int(metrics["bad_step"])) >= 0:
                raise NonFiniteLoss(
                    f"training diverged: the loss or its gradient is not finite at step {step}; the last checkpoint "
                    f"was saved before it; lower --config.optimizer.learning_rate or set --config.optimizer.clip_norm, "
                    f"then run again"
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
            kept = [line for line in self._lines() if json.loads(line)["step"] <= step]
            with written_whole(self._file) as temporary:
                temporary.write_text("".join(f"{line}\n" for line in kept))
            self._writer = SummaryWriter(str(workdir), purge_step=step + 1)
        self._last = (step, time.monotonic())
        self._waited = 0.0

    def _lines(self) -> list[str]:
        """Return the complete lines so far, without one that a kill cut short."""
        if not self._file.exists():
            return []
        return [line for line in self._file.read_text().splitlines() if line.endswith("}")]

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

    def _write(self, step: int, kind: str, values: Mapping[str, Json]) -> None:
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
