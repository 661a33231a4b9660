"""The folder of a run: its lock, config.json, and the weights that it produces, with their card."""

import contextlib
import json
import os
import socket
from collections.abc import Iterator
from pathlib import Path

from jaxsr.support.errors import UserError
from jaxsr.support.files import remove_remains, try_to_lock, written_whole
from jaxsr.support.types import Json
from jaxsr.training.config import Config, photo_fields
from jaxsr.weights import load

LOCK, CONFIG = "run.lock", "config.json"
WRITTEN = (CONFIG, "metrics.jsonl", "model.safetensors", "best.safetensors", "curves.png", "samples/step_*.png")
FOLDER_FIELDS = ("train", "validation", "pairs", "references")  # of config.data: names of folders, by comma
FILE_FIELDS = (("initial_weights",), ("model", "basis"), ("perceptual", "weights"))


@contextlib.contextmanager
def locked(workdir: Path) -> Iterator[None]:
    """Make `workdir` and keep other runs out of it while the block runs.

    The lock goes with the process, however it ends. Raises UserError that names the process of another run. A file
    system without locks has none.
    """
    workdir.mkdir(parents=True, exist_ok=True)
    with (workdir / LOCK).open("a+") as file:
        if try_to_lock(file) is False:
            file.seek(0)
            other = file.read().strip() or "another process"
            raise UserError(f"{workdir} is used by {other}; wait until it ends or choose another --workdir")
        file.truncate(0)
        file.write(f"process {os.getpid()} on {socket.gethostname()}\n")
        file.flush()
        yield


def read_config(workdir: Path) -> dict[str, Json] | None:
    """Return the fields of config.json in `workdir`; None where there is none. A damaged one is said to be."""
    path = workdir / CONFIG
    if not path.is_file():
        return None
    try:
        fields = json.loads(path.read_text())
        if isinstance(fields, dict):
            return fields
    except ValueError:  # not JSON, or not UTF-8
        pass
    print(f"{path} is damaged; it is written again", flush=True)
    return None


def write_config(workdir: Path, config: Config) -> None:
    """Write config.json into `workdir`, and remove temporary files of a run that was killed there."""
    for written in WRITTEN:
        remove_remains(workdir / written)
    with written_whole(workdir / CONFIG) as temporary:
        temporary.write_text(json.dumps(config_fields(config), indent=2) + "\n")


def config_fields(config: Config) -> dict[str, Json]:
    """Return the fields of `config` as JSON gives them back: tuples become lists."""
    return json.loads(json.dumps(config.to_dict()))


def holds_weights(workdir: Path, step: int) -> bool:
    """Return whether model.safetensors in `workdir` is whole and has the weights after `step`."""
    try:
        return load(workdir / "model.safetensors").card.get("training", {}).get("steps") == step
    except UserError:
        return False


def training_card(config: Config, step: int, scores: list[dict[str, Json]]) -> dict[str, Json]:
    """Return what the card of a weight file says about its training, with its `scores`.

    Data sets and files go by their own names: their paths tell of the machine, not of the training.
    """
    recipe = {name: value for name, value in config.to_dict().items() if not name.endswith(("_every", "_minutes"))}
    recipe["data"] = {
        name: names_only(value) if name in FOLDER_FIELDS else value for name, value in recipe["data"].items()
    }
    for *sections, name in FILE_FIELDS:
        section = recipe
        for each in sections:
            section = section[each] = dict(section[each])
        section[name] = names_only(section[name])
    learned_from = ",".join(recipe["data"][name] for name in photo_fields(recipe["data"]) if recipe["data"][name])
    training = {"data": learned_from, "steps": step, "config": recipe}
    return {"training": training, "scores": scores, "licence": "Apache-2.0"}


def names_only(paths: str) -> str:
    """Return comma-separated `paths` without their folders: "data/T91,/mnt/BSDS400/" gives "T91,BSDS400".

    "." and ".." are named as the folders that they stand for.
    """
    names = [path.strip() for path in paths.split(",")]
    return ",".join(Path(name).resolve().name if name in (".", "..") else Path(name).name for name in names)
