"""What it means for a run that it goes on with another config: which fields changed, and what that does."""

from jaxsr.support.errors import UserError
from jaxsr.support.types import Json

Change = tuple[Json, Json]  # a field's value before and now

# Fields, by the start of their dotted names, that decide what a checkpoint holds: a run cannot go on with other ones
FIXED = (
    *("task", "model.name", "model.scale", "model.options.", "optimizer.name", "adversarial.loss"),
    *("adversarial.network", "adversarial.options.", "adversarial.optimizer.name"),
)
DATA = ("data.train", "data.pairs", "data.references", "data.synthetic_share")  # fields that decide the kind of data
# Fields that decide what is validated on
VALIDATION = ("data.validation", "data.degradation", "data.kernel_size", "data.exposures", "data.jitter")
SCORED_ANEW = "scores before and after cannot be compared, so the best one is sought anew"
# What other changes do, by the start of the field's name; the first that fits holds
EFFECTS = {
    "steps": "the learning rate follows the schedule of the new length",
    "schedule.": "the learning rate follows the new schedule from here",
    "optimizer.": "holds from here",
    "pretraining.steps": "the stages of the run move",
    "accumulate": "the weights do not depend on it, unless they are trained with batch normalization",
    "batch_size": "steps count updates, so the run sees another number of patches",
    "seed": "the random numbers of the run go on; only the order of the data is drawn anew",
    "initial_weights": "not read again: the run goes on from its own weights",
    "model.basis": "not read again: the run goes on with its own",
    "ema_decay": "holds from here; 0 drops the average of the weights, and one that is new starts at the weights",
    "data.validation": SCORED_ANEW,
    **dict.fromkeys(VALIDATION[1:], f"patches from here are made the new way; {SCORED_ANEW}"),
    "data.train": "patches from here come from the new photos",
    "data.": "patches from here are made the new way",
    "stop_on_collapse": "holds from here",
    "precision": "holds from here",
}
WITHOUT_EFFECT = (  # on the weights
    *("log_every", "validate_every", "checkpoint_every", "checkpoint_minutes", "steps_per_dispatch"),
)


def changed_fields(before: dict[str, Json], now: dict[str, Json], prefix: str = "") -> dict[str, Change]:
    """Return {dotted name: (before, now)} of the fields that differ; a field that is new counts as None before."""
    changed: dict[str, Change] = {}
    for name in sorted(before.keys() | now.keys()):
        old, new = before.get(name), now.get(name)
        if isinstance(old, dict) and isinstance(new, dict):
            changed |= changed_fields(old, new, f"{prefix}{name}.")
        elif old != new:
            changed[f"{prefix}{name}"] = (old, new)
    return changed


def check_changes(folder: str, changed: dict[str, Change]) -> None:
    """Raise UserError, naming the field, where a run in `folder` cannot go on with one of the `changed` fields."""
    for name, (old, new) in changed.items():
        if name.startswith(FIXED):
            raise UserError(
                f"{folder} holds a run with {name}={old!r}, this config has {new!r}; choose another --workdir, or "
                f"delete that folder"
            )


def describe(name: str, change: Change) -> str:
    """Return a line about a changed field: its values, and what the change does."""
    effect = next((text for start, text in EFFECTS.items() if name.startswith(start)), "holds from here")
    if name in WITHOUT_EFFECT:
        effect = "the weights do not depend on it"
    return f"{name} changes from {change[0]!r} to {change[1]!r}: {effect}"


def data_field(changed: dict[str, Change]) -> tuple[str, Change]:
    """Return the first of the `changed` fields that decides the kind of data; data.train where none of them does."""
    return next(((name, changed[name]) for name in DATA if name in changed), ("data.train", (None, None)))


def scored_anew(changed: dict[str, Change]) -> bool:
    """Return whether one of the `changed` fields makes scores before and after mean different things."""
    return any(name in VALIDATION for name in changed)
