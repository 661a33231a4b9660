"""Where the patches of a step come from: photos on the device, or records streamed from disk."""

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, Protocol

import jax
import numpy as np

from jaxsr.data.blurred_pairs import folder_pairs
from jaxsr.data.resident import draw_crops, pack, rescaled
from jaxsr.data.samples import folder_photos, sample_photos
from jaxsr.devices import parallel, processes
from jaxsr.support.errors import UserError
from jaxsr.training.config import Config
from jaxsr.training.feeds.blurred_feed import BlurredFeed
from jaxsr.training.feeds.reference_feed import ReferenceFeed
from jaxsr.training.pairs import is_deblurring

AHEAD = 4  # batches read before they are asked for, so that a slow one is not felt
RESIDENT_LIMIT = 1 << 30  # bytes of photos that may live on each device


class Feed(Protocol):
    """What the loop asks of a source. `draw` runs inside the compiled step, `data` on the host before it."""

    sharded: Any  # whether each device has its own part of the data; of several by name, a dictionary
    draw: Callable[[Any, jax.Array, jax.Array], Any]

    def data(self, count: int) -> Any:
        """Return the argument for `count` further steps."""
        ...

    def position(self) -> Any:
        """Return the place in the data as JSON, for the checkpoint."""
        ...

    def seek(self, position: Any) -> None:
        """Go to a place that `position` gave."""
        ...


class ResidentFeed:
    """Photos that stay on every device; the crops follow from the step alone, so there is no place to save."""

    sharded = False

    def __init__(self, photos: Mapping[str, np.ndarray], config: Config, crop: int, devices: list[Any]):
        """Pack `photos` for crops of `crop` pixels and move them to the devices."""
        self._photos = parallel.replicate(pack(rescaled(photos, config.data.rescale), crop), devices)
        self.draw = lambda photos, _, keys: draw_crops(photos, keys, crop)

    def data(self, count: int) -> Any:
        """Return the packed photos."""
        return self._photos

    def position(self) -> None:
        """Return None."""

    def seek(self, position: None) -> None:
        """Do nothing."""


class StreamFeed:
    """Crops read by grain from a data set that prepare_data made; `blurred` ones have 3 channels more.

    Each process reads its own part of every batch. A thread reads the next dispatch's and moves them to the devices
    while these work.
    """

    sharded = True

    def __init__(self, source: Any, config: Config, crop: int, devices: list[Any], *, blurred: bool = False):
        """Open an endless shuffled stream over `source`."""
        from jaxsr.data.streaming import stream  # grain takes a second to import

        self._devices = devices
        self._steps = parallel.steps_per_dispatch(config.steps_per_dispatch)
        fields = ("hr", "blur") if blurred else ("hr",)
        self._batches = stream(
            source,
            patch_size=crop,
            batch_size=config.batch_size,
            seed=config.seed,
            shard=(processes.index(), processes.count()),
            crops=config.data.crops,
            fields=fields,
        )
        self.draw = lambda batches, i, _: batches[i]
        self._reader, self._ahead = ThreadPoolExecutor(1), deque[Future]()
        self._given = deque[jax.Array]()
        self._state = self._batches.get_state()

    def data(self, count: int) -> Any:
        """Return the next `count` batches, padded to a full dispatch so that one program fits all."""
        self._read_ahead(count)
        batches = [self._ahead.popleft().result() for _ in range(count)]
        self._read_ahead(max(self._steps, AHEAD))
        self._state = batches[-1][1]
        self._given.append(parallel.dispatch_of([batch for batch, _ in batches], self._steps))
        return self._given[-1]

    def _read_ahead(self, count: int) -> None:
        """See to it that at least `count` batches are read or being read."""
        while len(self._ahead) < count:
            self._ahead.append(self._reader.submit(self._read))

    def _read(self) -> tuple[Any, Any]:
        """Return the next batch, on the devices, and grain's state after it; free what the loop no longer has."""
        while len(self._given) > 2:  # the loop's own and, until it takes that, the one before
            self._given.popleft()  # which lets go of Python's lock: the loop would wait for the reader to return it
        batch = parallel.put_sharded(next(self._batches), self._devices)
        return batch, self._batches.get_state()

    def position(self) -> Any:
        """Return grain's state after the last batch that was taken, in each process."""
        return processes.gathered(self._state)

    def seek(self, position: Any) -> None:
        """Go to grain's state, or with another number of processes to where those were."""
        from jaxsr.data.streaming import place_for

        states = position if isinstance(position, list) else [position]
        same = len(states) == processes.count()
        self._state = states[processes.index()] if same else place_for(states, count=processes.count())
        while self._ahead:  # read from where the stream was
            self._ahead.pop().result()
        self._batches.set_state(self._state)


def open_feed(config: Config, crop: int, devices: list[Any]) -> Feed:
    """Return the feed of `config.data.train`: the samples, folders of photos, or one prepared data set.

    With references it is that of `config.data.references`; for deblurring that of `config.data.pairs`, of photos
    blurred by random shake, or of both.
    """
    data = config.data
    if data.references:
        return ReferenceFeed(config, crop, devices)
    if not is_deblurring(config):
        return _open("train", config, crop, devices)
    pairs = _open("pairs", config, crop, devices) if data.pairs else None
    photos = None if data.pairs and not data.synthetic_share else _open("train", config, crop, devices)
    return BlurredFeed(photos, pairs, config, devices)


def _open(field: str, config: Config, crop: int, devices: list[Any]) -> Feed:
    """Return the feed of `config.data.train`, or of the blurred photos of `config.data.pairs`."""
    names, blurred = [name.strip() for name in config.data[field].split(",") if name.strip()], field == "pairs"
    if not names:
        raise UserError(f'data.{field} is empty; name folders of photos, a prepared data set, or "samples"')
    if len(names) == 1 and (Path(names[0]) / "dataset_info.json").is_file():
        from jaxsr.data.builder import open_source  # TFDS takes seconds to import

        return StreamFeed(open_source(names[0], blurred=blurred), config, crop, devices, blurred=blurred)
    photos: dict[str, np.ndarray] = {}
    total = 0
    for name in names:
        for photo, pixels in folder_pairs(name) if blurred else _photos_of(name):
            photos[f"{name}/{photo}"] = pixels
            total += pixels.size
            if total > RESIDENT_LIMIT:
                raise UserError(
                    f"the photos of data.{field} exceed the {RESIDENT_LIMIT / 2**30:.0f} GiB kept on a device; "
                    f"make a streamed data set of them: python -m jaxsr.prepare_data {' '.join(names)} --output=DIR"
                )
    return ResidentFeed(photos, config, crop, devices)


def _photos_of(name: str) -> Iterable[tuple[str, np.ndarray]]:
    return (sample_photos("train") if name == "samples" else folder_photos(name)).items()
