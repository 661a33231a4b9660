"""When a run logs, scores and saves: after numbers of steps, and after minutes."""

import time

from jaxsr.devices import parallel, processes
from jaxsr.training.config import Config


def longest_dispatch(config: Config) -> int:
    """Return how many steps a dispatch has at most: as many as the config says, and none beyond the next event."""
    return min(parallel.steps_per_dispatch(config.steps_per_dispatch), *_intervals(config))


def steps_to_next_event(config: Config, step: int) -> int:
    """Return how many steps the next dispatch runs: to the next log, checkpoint, score or stage, at most a full one."""
    ends = [end - step for end in (config.pretraining.steps, config.steps) if end > step]
    return min(longest_dispatch(config), *ends, *(every - step % every for every in _intervals(config)))


def _intervals(config: Config) -> tuple[int, ...]:
    return config.log_every, config.checkpoint_every, config.validate_every


def is_due(config: Config, step: int, every: int) -> bool:
    """Return whether an event of every `every` steps happens after `step`; all happen at the end."""
    return step % every == 0 or step == config.steps


class SaveClock:
    """Tells when the last checkpoint is `minutes` ago, on all processes at once."""

    def __init__(self, minutes: float):
        """Start the clock; with 0 minutes it never rings."""
        self._seconds = 60 * minutes
        self.restart()

    def restart(self) -> None:
        """Count from now."""
        self._since = time.monotonic()

    def is_due(self, *, may_ask_others: bool) -> bool:
        """Return whether the time is up. Several processes ask the first one, only where they `may_ask_others`."""
        if not self._seconds or (processes.count() > 1 and not may_ask_others):
            return False
        return processes.from_first(lambda: time.monotonic() - self._since >= self._seconds)
