"""Times SRNTT's matching and swap of one photo and one reference against PyTorch, patches as filters and a loop.

pip install -e ".[bench]" && python -m benchmarks.matching
"""

import functools
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import jax.numpy as jnp
import numpy as np

from benchmarks.peers import matching as peer
from benchmarks.peers.accelerator import tensor
from benchmarks.tables import Measurement, Row, Table, run
from benchmarks.timing import contest_of_workers, first_calls
from benchmarks.workers import Worker, in_new_process
from jaxsr.models.ops.feature_swap import surrounded, textures
from jaxsr.models.srntt import FACTORS, SCALE, map_sizes
from jaxsr.restoration.reference.features import match_shared
from jaxsr.restoration.reference.transfer import Swap, Swaps

CONTESTANTS = ("jaxsr", "PyTorch")
PARTS = ("match", "swap", "both")


def features(height: int, width: int) -> tuple[np.ndarray, list[np.ndarray]]:
    """Return what VGG19 would: relu3_1 (h, w, 256) of the photo, and the three layers of the reference.

    Random, since speed does not depend on them; as smooth as features are, so that the best match is no close call.
    """
    rng = np.random.default_rng(0)
    sizes = map_sizes(height // SCALE, width // SCALE)
    photo, *reference = (np.maximum(rng.standard_normal(size, np.float32), 0) for size in (sizes[0], *sizes))
    return photo, reference


def prepare(contestant: str, part: str, height: int, width: int) -> Callable[[], Any]:
    """Return the call of `part`; of "both" the result is (index, cosine, maps (F, H, W))."""
    photo, reference = features(height, width)
    return (in_jax if contestant == "jaxsr" else in_torch)(part, photo, reference)


def in_jax(part: str, photo: np.ndarray, reference: list[np.ndarray]) -> Callable[[], Any]:
    """Return jaxsr's call: all devices match, one swaps."""
    given = [textures([jnp.asarray(x)], factor=factor) for x, factor in zip(reference, FACTORS.values(), strict=True)]
    size = photo.shape[:2]

    def swap(places: Any) -> Any:
        around = np.asarray(surrounded(places))
        pairs = zip(given, FACTORS.values(), strict=True)
        return Swaps(*(Swap(around, x, 1, factor) for x, factor in pairs)).maps(0, 0, *size)

    if part == "swap":
        places = match_shared(photo, reference[:1]).places
        return lambda: swap(places)

    def call() -> Any:
        matches = match_shared(photo, reference[:1])
        places = np.asarray(matches.places)
        index = places[..., 1] * (reference[0].shape[1] - 2) + places[..., 2]
        maps = swap(places) if part == "both" else []
        return index, np.asarray(matches.similarity), [x.transpose(2, 0, 1) for x in maps]

    return call


def in_torch(part: str, photo: np.ndarray, reference: list[np.ndarray]) -> Callable[[], Any]:
    """Return PyTorch's call."""
    planes = [tensor(x.transpose(2, 0, 1)) for x in (photo, *reference)]
    if part == "swap":
        index, _ = peer.match(*planes[:2])
        return lambda: [x.cpu() for x in peer.swap(index, planes[1:])]  # as jaxsr's; a GPU would not be waited for

    def call() -> Any:
        index, similarity = peer.match(*planes[:2])
        maps = peer.swap(index, planes[1:]) if part == "both" else []
        return index.cpu().numpy(), similarity.cpu().numpy(), [x.cpu().numpy() for x in maps]

    return call


def difference(height: int, width: int) -> str:
    """Return in what both differ beyond rounding, and candidates within rounding of each other; "" for nothing."""
    ours, theirs = (prepare(contestant, "both", height, width)() for contestant in CONTESTANTS)
    cosines = np.abs(ours[1] - theirs[1]).max()
    places = (ours[0] != theirs[0]).mean()
    maps = max((np.abs(a - b) > 1e-4).mean() for a, b in zip(ours[2], theirs[2], strict=True))
    same = cosines <= 1e-5 and places < 1e-3 and maps < 1e-2
    return "" if same else f"cosines differ by {cosines:.0e}, {places:.1%} of places and {maps:.1%} of texture"


def measure(part: str, height: int, width: int, rounds: int) -> Measurement:
    """Return the cells of a part's row."""
    note = in_new_process(difference, height, width) if part == "both" else ""
    with ExitStack() as stack:
        workers = {name: stack.enter_context(Worker(as_command=name == "jaxsr")) for name in CONTESTANTS}
        for name, worker in workers.items():
            worker.prepare(prepare, name, part, height, width)
        memory = [f"{worker.ask(first_calls).mebibytes:.0f}" for worker in workers.values()]
        ours, theirs = contest_of_workers(workers, rounds=rounds).values()
    return Measurement([f"{ours:.2f}", f"{theirs:.2f}", f"{theirs / ours:.1f}", *memory], note and f"{part}: {note}.")


def rows(height: int, width: int, rounds: int) -> Iterator[Row]:
    """Yield a row for matching, swap and both."""
    for part in PARTS:
        yield Row((part,), functools.partial(measure, part, height, width, rounds))


def tables(*, height: int = 384, width: int = 512, rounds: int = 3) -> Iterator[Table]:
    """Yield the table of a photo, enlarged, and a reference of `height` x `width` pixels."""
    columns = ("part", "jaxsr s", "eager s", "eager / jaxsr", "jaxsr MiB", "eager MiB")
    title = f"SRNTT's matching: a photo and a reference of {width}x{height} pixels, from VGG19's features on"
    yield Table(title, columns, rows(height, width, rounds))


if __name__ == "__main__":
    run(tables)
