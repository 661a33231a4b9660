"""The folder of a run: which config it belongs to, and the card of the weights that it produces."""

import json
from pathlib import Path

from jaxsr.support.errors import UserError
from jaxsr.support.files import remove_remains, written_whole
from jaxsr.support.types import Json
from jaxsr.training.config import Config

# fields that decide which arrays a checkpoint holds, or what they have learned
STATE_FIELDS = (
    "task",
    *("model.", "optimizer.name", "adversarial.loss", "adversarial.network"),
    *("adversarial.options.", "adversarial.optimizer.name"),
)


def claim_folder(workdir: Path, config: Config) -> None:
    """Write config.json into `workdir`, after checking that an earlier run there trained the same thing.

    Raises UserError when its task, networks or kinds of optimizers differ, whose states could not be resumed. Other
    changes, such as more steps, are printed. Temporary files of a run that was killed are removed.
    """
    path = workdir / "config.json"
    now = json.loads(json.dumps(config.to_dict()))
    if path.is_file():
        before = json.loads(path.read_text())
        changed = _differences(before, now)
        fatal = [name for name in changed if name.startswith(STATE_FIELDS)]
        if fatal:
            name = fatal[0]
            raise UserError(
                f"{workdir} holds a run with {name}={changed[name][0]!r}, this config has {changed[name][1]!r}; "
                f"choose another --workdir, or delete that folder"
            )
        for name, (old, new) in changed.items():
            print(f"{workdir}: {name} changes from {old!r} to {new!r}", flush=True)
    for written in ("config.json", "metrics.jsonl", "model.safetensors", "curves.png", "samples/step_*.png"):
        remove_remains(workdir / written)
    with written_whole(path) as temporary:
        temporary.write_text(json.dumps(now, indent=2) + "\n")


def _differences(before: dict[str, Json], now: dict[str, Json], prefix: str = "") -> dict[str, tuple[Json, Json]]:
    """Return {dotted name: (before, now)} of the fields that differ."""
    changed: dict[str, tuple[Json, Json]] = {}
    for name in sorted(before.keys() | now.keys()):
        old, new = before.get(name), now.get(name)
        if isinstance(old, dict) and isinstance(new, dict):
            changed |= _differences(old, new, f"{prefix}{name}.")
        elif old != new:
            changed[f"{prefix}{name}"] = (old, new)
    return changed


def training_card(config: Config, step: int, scores: list[dict[str, Json]]) -> dict[str, Json]:
    """Return what the card of a weight file says about its training, with its `scores`."""
    recipe = {name: value for name, value in config.to_dict().items() if not name.endswith("_every")}
    training = {"data": config.data.train, "steps": step, "config": recipe}
    return {"training": training, "scores": scores, "licence": "Apache-2.0"}
