"""Photos restored on the machines of a Ray cluster: the plan and the record stay here, the work is spread.

Each GPU of the cluster, or each machine where there is none, has one actor, which keeps the model and its compiled
programs. All machines see the photos and the outputs under the same paths, or in an object store, where each actor
fetches and puts its own. An output appears whole or not at all, and only this process writes the record of outputs,
when an actor has reported it: a killed worker's photos are restored again, a killed run is continued with
--skip_existing.
"""

import contextlib
import dataclasses
import json
import os
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import jax

from jaxsr.api.restorers import restore_batch
from jaxsr.api.restoring_files import RestoreRun, with_extras
from jaxsr.data.images import photo_size
from jaxsr.data.stores.store_paths import MEMORY, SEPARATOR, in_store, shown
from jaxsr.devices.ray_cluster import AUTO, actor_resources, check_address, connected, ray_module
from jaxsr.restoration.saving import SaveOptions
from jaxsr.support.command_line import use_all_cores, use_compile_cache
from jaxsr.support.errors import UserError
from jaxsr.support.files import remove_remains_of
from jaxsr.support.paths import exists

MAX_CHUNK = 32  # photos that an actor gets at once
CHUNKS_OF_ACTOR = 4  # at least, so that fast actors can take more than slow ones
IN_FLIGHT = 2  # chunks that an actor holds: it starts the second as soon as the first is done
RETRIES = 2  # of photos whose worker ended; then they are tried one by one
LOST = "the workers that restored it ended {count} times; it may not fit into their memory: see Ray's log"
UNSEEN = "a worker wrote {output}, which is not seen here; --output must be a folder that all machines share"


@dataclasses.dataclass
class ClusterRun(RestoreRun):
    """A RestoreRun whose photos are restored on a Ray cluster.

    Attributes:
        address: of the cluster, or "auto".
    """

    address: str = AUTO

    def batches(self) -> Iterator[Sequence[Path]]:
        """Restore all photos, and yield those that an actor has done together, in the order in which they end.

        Raises UserError where no cluster is reached; nothing is written then.
        """
        if not self.todo:
            return
        with connected(self.address):
            yield from super().batches()

    def _finished(self) -> Iterator[Sequence[Path]]:
        for path, output in self.todo.items():
            self.record.begin(output, path)  # before any worker writes: outputs of a run that is killed are known
        left, rounds, before = dict(self.todo), 0, 0
        try:
            # One that ends its worker takes its neighbours along, but not when each is alone; so the rounds of single
            # photos go on for as long as they restore any.
            while left and (rounds < 2 or len(left) < before):
                before, largest = len(left), 1 if rounds else MAX_CHUNK
                for batch, failures in _outcomes(self, dict(left), largest):
                    fresh = [path for path in batch if left.pop(path, None)]
                    self._note(fresh, self._with_unseen(fresh, failures))
                    yield fresh
                rounds += 1
        finally:
            remove_remains_of(with_extras(self.todo.values()))  # of killed workers
        if left:
            line = LOST.format(count=rounds * (RETRIES + 1))
            self.failures |= {path: f"{shown(path)}: {line}" for path in left}
            yield list(left)

    def _with_unseen(self, batch: Sequence[Path], failures: Mapping[Path, str]) -> dict[Path, str]:
        """Return `failures`, and a line for each photo of `batch` whose output is not in the folder seen here."""
        done = [path for path in batch if path not in failures and not in_store(self.todo[path])]
        unseen = [path for path in done if not exists(self.todo[path])]
        return {**failures, **{path: f"{path}: {UNSEEN.format(output=self.todo[path])}" for path in unseen}}


def prepare_driver(address: str, paths: Sequence[str]) -> None:
    """Leave the devices of this machine to the actors; called before JAX has used any.

    Raises UserError for an `address` where nothing answers, for `paths` of photos or results that other processes
    cannot see, and without Ray.
    """
    if unseen := [path for path in paths if path.startswith(MEMORY + SEPARATOR)]:
        raise UserError(f"{unseen[0]} is seen by one process alone; name a folder, or a store that all machines reach")
    ray_module()
    check_address(address)
    jax.config.update("jax_platforms", "cpu")


def on_cluster(run: RestoreRun, address: str = AUTO) -> ClusterRun:
    """Return the planned `run`, to be done on the Ray cluster at `address`; "auto" is the one this machine belongs to.

    Where this machine belongs to none, "auto" is this machine alone, with an actor for each GPU.
    """
    fields = {field.name: getattr(run, field.name) for field in dataclasses.fields(run)}
    return ClusterRun(**fields, address=address)


def chunks(photos: Sequence[Path], actors: int, largest: int = MAX_CHUNK) -> list[list[Path]]:
    """Return `photos` in lists of `largest` at most, some for each of `actors`; photos of one size are together."""
    sizes = {path: photo_size(path) or (0, 0) for path in photos}
    ordered = sorted(photos, key=sizes.__getitem__)
    count = max(1, min(largest, len(photos) // (CHUNKS_OF_ACTOR * actors)))
    return [ordered[start : start + count] for start in range(0, len(ordered), count)]


class _Actor:
    """Restores photos in a process of its own; it holds the restorer, and with it what is compiled."""

    def __init__(self, references: Sequence[object], saving: SaveOptions, folder: str) -> None:
        use_compile_cache()
        use_all_cores()  # before JAX uses any, which the restorer's weights do
        (self._restorer,) = ray_module().get(list(references))
        self._saving = saving
        with contextlib.suppress(OSError):
            os.chdir(folder)  # options may name files by relative paths

    def __call__(self, row: dict[str, str]) -> dict[str, str]:
        """Restore the photos of a row; return them with the failures."""
        work = {Path(path): Path(output) for path, output in json.loads(row["work"]).items()}
        failures: dict[Path, str] = {}
        for batch in self._restorer.batches(list(work)):
            failures |= restore_batch(self._restorer, {path: work[path] for path in batch}, self._saving)
        lines = {str(path): line for path, line in failures.items()}
        return {"outcome": json.dumps({"photos": [str(path) for path in work], "failures": lines})}


def _outcomes(
    run: RestoreRun, outputs: Mapping[Path, Path], largest: int
) -> Iterator[tuple[list[Path], dict[Path, str]]]:
    """Restore `outputs` on the connected cluster; yield the photos that were done together, and why some failed.

    Photos whose workers ended again and again are in none.
    """
    if not outputs:
        return
    import ray.data  # pyright: ignore[reportMissingImports]

    absolute = {_everywhere(path): path for path in outputs}
    resources, actors = actor_resources()
    rows = [
        {"work": json.dumps({_everywhere(path): _everywhere(outputs[path]) for path in chunk})}
        for chunk in chunks(list(outputs), actors, largest)
    ]
    restorer = ray.put(run.restorer)  # held here, so that an actor can be started again
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of max_task_retries, which has no other place before Ray 2.64
        done = ray.data.from_items(rows, override_num_blocks=len(rows)).map(
            _Actor,  # pyright: ignore[reportArgumentType]
            fn_constructor_args=([restorer], run.saving, str(Path.cwd())),
            compute=ray.data.ActorPoolStrategy(
                size=min(actors, len(rows)), max_tasks_in_flight_per_actor=1 if largest == 1 else IN_FLIGHT
            ),
            max_task_retries=RETRIES,
            **resources,  # pyright: ignore[reportArgumentType]
        )
    for row in done.iter_rows():
        outcome, failures = json.loads(row["outcome"]), {}
        for name, line in outcome["failures"].items():
            path = absolute[name]
            failures[path] = _as_given(line, path, outputs[path])
        yield [absolute[name] for name in outcome["photos"]], failures


def _everywhere(path: Path) -> str:
    """Return what `path` is called by a process in any folder."""
    return str(path if in_store(path) else path.absolute())


def _as_given(line: str, *paths: Path) -> str:
    """Return `line` with the absolute forms of `paths` as the user wrote them."""
    for path in paths:
        line = line.replace(str(path.absolute()), str(path))
    return line
