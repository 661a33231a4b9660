"""Models as users name them: a shipped name, a weight file or a run folder, with the system's own options after it."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from jaxsr.models import Model, initial_shapes
from jaxsr.restoration.options import DEFAULT_OPTIONS, RestoreOptions
from jaxsr.support.errors import UserError, choose
from jaxsr.support.model_options import Option, parse_model
from jaxsr.support.paths import exists, user_path
from jaxsr.weights import load
from jaxsr.weights.weight_files import check_kind, check_shapes

EXAMPLES = {int: 4, float: 1.0, bool: True, str: "vgg19.pth"}
SRNTT_OPTIONS = {"vgg": str, "copies": bool, "save_matches": bool}  # of RestoreOptions, given with the name


class ModelWithOptions(NamedTuple):
    """A model, and how it restores."""

    model: Model
    options: RestoreOptions


def split_options(model: str | Path) -> tuple[str, dict[str, Option]]:
    """Return the name or path in `model` and the options after it, with `~` expanded in all of them.

    A path that exists may contain commas. Raises UserError for what is neither a name nor a path.
    """
    check_kind(model)
    model = str(user_path(model))
    if exists(model):
        return model, {}
    name, own = parse_model(model)
    return name, {
        key: str(user_path(str(value))) if str(value).startswith("~") else value for key, value in own.items()
    }


def load_with_options(
    text: str | Path, *, scale: int | None = None, options: RestoreOptions = DEFAULT_OPTIONS
) -> ModelWithOptions:
    """Return the model of `text`, NAME_OR_FILE[,option=value...], and `options` with those that it sets.

    A model of srntt takes `vgg`, `copies` and `save_matches`. Other models take options of the network that do not
    change the shapes of the weights, such as DAN's `rounds`, which also keeps the images of all rounds. Raises
    UserError for an unknown model or option, and for a value of the wrong type.
    """
    name, own = split_options(text)
    model = load(name, scale=scale)
    if "reference" in model.needs:
        _check_own(own, SRNTT_OPTIONS, model)
        options = dataclasses.replace(options, **own)  # pyright: ignore[reportArgumentType]  # checked above
        return ModelWithOptions(model, options)
    _check_own(own, {name: type(value) for name, value in model.options.items()}, model)
    if own:
        model = model.with_options(**own)
        check_shapes(model.variables, initial_shapes(model.module), f"the weights of {text}")
    return ModelWithOptions(model, dataclasses.replace(options, all_rounds=True) if "rounds" in own else options)


def _check_own(own: Mapping[str, Option], types: Mapping[str, type], model: Model) -> None:
    """Raise UserError for an option that is not among `types` or of another type, and for numbers below 1."""
    for name, value in own.items():
        wanted = choose(f"option of {model.name}", name, types)
        if type(value) is not wanted:
            example = EXAMPLES.get(wanted)
            raise UserError(f"{name}={value!r} is not of type {wanted.__name__}; write for example {name}={example}")
        if wanted is int and int(str(value)) < 1:
            raise UserError(f"{name}={value} must be at least 1; write for example {name}=4")
