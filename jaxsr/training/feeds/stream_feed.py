"""The feed of a data set that `prepare_data` made, read from disk while the devices compute."""

from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import jax

from jaxsr.devices import parallel, processes
from jaxsr.support.types import Device, Json
from jaxsr.training.config import Config
from jaxsr.training.run.events import longest_dispatch

READ_AHEAD = 4  # batches read before they are needed, so that a slow one does not delay a step


class StreamFeed:
    """Crops read by grain. Those of pairs have six channels: the HR photo's, then the blurred one's.

    Each process reads its own part of every batch. A thread reads the next batches and copies them to the devices
    while these work.
    """

    sharded = True

    def __init__(self, source: Sequence, config: Config, crop: int, devices: list[Device], *, fields: tuple[str, ...]):
        """Open an endless shuffled stream over `source`, whose crops join `fields` of each record."""
        from jaxsr.data.streaming import StreamOptions, stream  # grain takes a second to import

        self._devices = devices
        self._steps = longest_dispatch(config)
        options = StreamOptions(
            patch_size=crop, batch_size=config.batch_size, seed=config.seed, crops=config.data.crops, fields=fields
        )
        self._batches = stream(source, options, shard=(processes.index(), processes.count()))
        self.draw = lambda batches, i, _: batches[i]
        self._reader, self._futures = ThreadPoolExecutor(1), deque[Future]()
        self._in_use = deque[jax.Array]()
        self._state = self._batches.get_state()

    def data(self, count: int) -> jax.Array:
        """Return the next `count` batches (devices, steps, share, ...), padded to a full dispatch for one program."""
        self._read_ahead(count)
        batches = [self._futures.popleft().result() for _ in range(count)]
        self._read_ahead(max(self._steps, READ_AHEAD))
        self._state = batches[-1][1]
        self._in_use.append(parallel.dispatch_of([batch for batch, _ in batches], self._steps))
        return self._in_use[-1]

    def _read_ahead(self, count: int) -> None:
        """Ensure that at least `count` batches are read or being read."""
        while len(self._futures) < count:
            self._futures.append(self._reader.submit(self._read))

    def _read(self) -> tuple[jax.Array, Json]:
        """Return the next batch, on the devices, and grain's state after it; free batches that are done with."""
        while len(self._in_use) > 2:  # the loop's own and, until it takes that, the one before
            self._in_use.popleft()  # which releases Python's lock; in the loop, this would wait for the reader
        batch = parallel.put_sharded(next(self._batches), self._devices)
        return batch, self._batches.get_state()

    def position(self) -> Json:
        """Return grain's state after the last batch that `data` returned, in each process."""
        return processes.gathered(self._state)

    def seek(self, position: Json) -> None:
        """Go to grain's state; with another number of processes, to the place in the data that those had reached."""
        from jaxsr.data.streaming import resumed_state

        states = position if isinstance(position, list) else [position]
        same = len(states) == processes.count()
        self._state = states[processes.index()] if same else resumed_state(states, count=processes.count())
        while self._futures:  # what was read ahead belongs to the former position
            self._futures.pop().result()
        self._batches.set_state(self._state)
