"""Videos from file to file: batches of frames through one compiled program, the other streams copied."""

import dataclasses
from collections import deque
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path

import numpy as np
from absl import logging
from jax.errors import JaxRuntimeError

from jaxsr.data.videos.read_ahead import read_ahead, write_behind
from jaxsr.data.videos.video_reader import Frame, Item, open_video
from jaxsr.data.videos.video_writer import CRF, create_video
from jaxsr.models import Model
from jaxsr.restoration.options import DEFAULT_OPTIONS, RestoreOptions
from jaxsr.restoration.tiles.engine_tiles import Results
from jaxsr.restoration.tiles.placement import TileCache
from jaxsr.restoration.tiles.program import TileResults
from jaxsr.restoration.tiles.tiled_photos import pipelined, reduce_tiles
from jaxsr.restoration.tiles.tiled_run import Group, Result, TiledRun
from jaxsr.support.errors import UserError
from jaxsr.support.files import written_whole
from jaxsr.support.types import Progress

BATCH_PIXELS = 1 << 22  # of restored frames in a batch, unless a single one has more
MAX_BATCH = 16
AHEAD = 4  # frames and packets that the threads hold, for each frame of a batch


def check_video_model(model: Model) -> None:
    """Raise UserError for a network that restores no videos: one that needs more than the frame."""
    if model.needs:
        raise UserError(f"{model.name} needs {' and '.join(model.needs)} for each photo; videos take another model")


def restore_video(
    model: Model,
    source: Path,
    target: Path,
    options: RestoreOptions = DEFAULT_OPTIONS,
    *,
    crf: int = CRF,
    cache: TileCache | None = None,
    progress: Progress | None = None,
) -> int:
    """Write the video in the file `source`, each frame restored by `model`, to `target`; return the number of frames.

    Frames are what `restore_pixels` gives for them, encoded as H.264; their time stamps, the display matrix, the tags
    of colours and pixel shape, and all other streams stay. `crf` is that of `create_video`. Reading and writing go on
    in threads beside the devices' work, a bounded number of frames away. The file appears whole or not at all. A source
    that ends early or has damaged frames is restored with a warning.

    Raises:
        UserError: for a file that is not a video or cannot be read to its end, for frames too small for the network,
            for one that needs more than the frame, and for results that are not finite.
    """
    check_video_model(model)
    options.check(model)
    options = dataclasses.replace(options, quantize=True, all_rounds=False)
    cache = TileCache() if cache is None else cache
    count = 0
    with open_video(source, model.scale) as reader, written_whole(target) as temporary:
        size = batch_size(model.scale**2 * reader.first.width * reader.first.height)
        with (
            create_video(temporary, reader, model.scale, crf=crf) as writer,
            write_behind(writer.write, AHEAD * size) as write,
            read_ahead(reader.items(), AHEAD * size) as items,
        ):
            for item in restore_items(model, items, options, size, cache):
                write(item)
                if isinstance(item, Frame):
                    count += 1
                    if progress:
                        progress(count, max(reader.frames, count))
        if damage := reader.damage():
            logging.warning("%s: %s", source, damage)
    return count


def batch_size(pixels: int) -> int:
    """Return how many frames of `pixels`, when restored, are restored together."""
    return max(1, min(MAX_BATCH, BATCH_PIXELS // pixels))


def restore_items(
    model: Model, items: Iterable[Item], options: RestoreOptions, size: int, cache: TileCache
) -> Iterator[Item]:
    """Yield `items` in their order, with frames restored in batches of `size`; the next batch is begun meanwhile.

    Where an accelerator's memory does not suffice, what was begun is begun again with smaller tiles.
    """
    yield from _restored_items(model, _batches(items, size), options, cache)


def _restored_items(
    model: Model, batches: Iterator[list[Item]], options: RestoreOptions, cache: TileCache
) -> Iterator[Item]:
    """Yield what `restore_items` does for `batches`."""
    begun: deque[list[Item]] = deque()  # those of which nothing was yielded yet
    try:
        for run, is_last, (group, results) in pipelined(_dispatched(model, batches, options, cache, begun)):
            run.collect(group, results)
            if is_last:
                yield from _restored(begun.popleft(), run.outputs)
    except JaxRuntimeError as error:
        if not reduce_tiles(error, cache):
            raise
    else:
        yield from chain.from_iterable(begun)  # after the last frame
        return
    yield from _restored_items(model, chain(begun, batches), options, cache)


def _dispatched(
    model: Model, batches: Iterable[list[Item]], options: RestoreOptions, cache: TileCache, begun: deque[list[Item]]
) -> Iterator[tuple[TiledRun, bool, tuple[Group, TileResults | Results]]]:
    """Yield the run of each batch, whether it is the last group of its tiles, and that group with its results.

    Batches are added to `begun`, also one without frames, of which nothing is yielded.
    """
    for batch in batches:
        begun.append(batch)
        if frames := [item.pixels for item in batch if isinstance(item, Frame)]:
            run = TiledRun(model, frames, options, None, cache)
            for group in run.groups:
                yield run, group is run.groups[-1], run.dispatch(group)


def _restored(batch: list[Item], outputs: Iterable[Result | UserError]) -> Iterator[Item]:
    """Yield the items of a `batch`, the frames with their outputs as pixels."""
    images = map(_image, outputs)
    for item in batch:
        yield item._replace(pixels=next(images)) if isinstance(item, Frame) else item


def _batches(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    """Yield `items` in parts that end with their `size`th frame; the last one may have fewer."""
    batch: list[Item] = []
    frames = 0
    for item in items:
        batch.append(item)
        frames += isinstance(item, Frame)
        if frames == size:
            yield batch
            batch, frames = [], 0
    if batch:
        yield batch


def _image(output: Result | UserError) -> np.ndarray:
    if isinstance(output, UserError):
        raise output
    return output[0]
