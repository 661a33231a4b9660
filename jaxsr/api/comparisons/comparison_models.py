"""The models of a comparison: a list of names with options, opened at scales that go together."""

import dataclasses
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from jaxsr.api.named_models import load_with_options, split_options
from jaxsr.api.restorers import NetworkRestorer, Restorer, open_restorer
from jaxsr.engines.engine_choice import AUTO
from jaxsr.models import MODELS
from jaxsr.support.errors import UserError
from jaxsr.support.model_options import Option
from jaxsr.support.paths import exists

OPTION = re.compile(r"\s*\w+=")


def split_models(texts: Sequence[str]) -> list[str]:
    """Return the models that `texts` name, each with its options, once.

    Each text is a list with commas; option=value belongs to the name before it: "bicubic,zssr,steps=300,fsrcnn" is
    three models. A text that is the path of a file is that file, whatever commas it has. Raises UserError for an
    option without a name before it, and for no models.
    """
    models: list[str] = []
    for text in texts:
        parts = [text] if exists(text) else re.split(r",(?![^()]*\))", text)
        for index, part in enumerate(parts):
            if OPTION.match(part) and not exists(part):
                if index == 0:
                    raise UserError(f"--models={text}: {part!r} has no model before it; write for example zssr,{part}")
                models[-1] += f",{part.strip()}"
            elif part.strip():
                models.append(part.strip())
    if not models:
        raise UserError("--models is empty; name some, such as bicubic,fsrcnn-x2")
    return list(dict.fromkeys(models))


def open_models(
    models: Sequence[str],
    *,
    scale: int | None = None,
    reference: Sequence[str | Path] = (),
    engine: str = AUTO,
    precision: str = "float32",
) -> tuple[dict[str, Restorer], list[str]]:
    """Return what restores photos, by the name to show, and a line for each of `models` that cannot be opened.

    Names that leave the scale open, such as bicubic, zssr and fsrcnn, get `scale`, or that of the first model that does
    not and enlarges; with `scale`, models that were made for another one fail. Networks compute in `precision`, by
    `engine`. DAN keeps the images of its rounds, SRNTT its matches, with texture from `reference`.
    """
    opened: dict[str, Restorer] = {}
    failures: dict[str, str] = {}
    common = scale
    for model in sorted(models, key=_leaves_scale_open):  # the others first: one of them may say the scale
        leaves_open = _leaves_scale_open(model)
        try:
            computing = {"precision": precision, "engine": engine}
            opened[model] = _open(model, common if leaves_open else scale, reference, **computing)
        except UserError as error:
            failures[model] = f"{model}: {error}"
            continue
        if common is None and not leaves_open and scale_of(opened[model]) > 1:  # nothing enlarges once
            common = scale_of(opened[model])
    return _by_label({model: opened[model] for model in models if model in opened}), list(failures.values())


def scale_of(restorer: Restorer) -> int:
    """Return how many times larger `restorer` makes a photo."""
    return restorer.model.scale if isinstance(restorer, NetworkRestorer) else restorer.scale  # pyright: ignore


def takes_references(restorer: Restorer) -> bool:
    """Return whether `restorer` takes texture from references."""
    return isinstance(restorer, NetworkRestorer) and "reference" in restorer.model.needs


def _by_label(opened: Mapping[str, Restorer]) -> dict[str, Restorer]:
    """Return the restorers by the names to show; those of equal names are shown as they were given."""
    labels = {model: _shown(model, restorer) for model, restorer in opened.items()}
    count = Counter(labels.values())
    return {label if count[label] == 1 else model: opened[model] for model, label in labels.items()}


def _leaves_scale_open(model: str) -> bool:
    """Return whether `model` is the bare name of a system of several scales, without one of them."""
    name, _ = split_options(model)
    return name in MODELS and len(MODELS[name].scales) > 1 and not exists(name)


def _open(model: str, scale: int | None, reference: Sequence[str | Path], *, engine: str, precision: str) -> Restorer:
    """Return what restores photos as `model` says, with all that the page can show."""
    name, _ = split_options(model)
    if name in MODELS and MODELS[name].per_photo:
        return open_restorer(model, scale=scale)
    network, options = load_with_options(model, scale=scale)
    shown = {"all_rounds": True} if "all_rounds" in network.spec.detail_options else {}
    if "reference" in network.needs:
        shown |= {"save_matches": True, "reference": tuple(reference)}
    computing = {"engine": engine, "precision": precision}
    return NetworkRestorer.prepare(network, dataclasses.replace(options, quantize=False, **computing, **shown))


def _shown(model: str, restorer: Restorer) -> str:
    """Return the model's name with its scale and options, and the name of its file, without folders.

    VGG19's file is left out: it says where features come from, and nothing about the result.
    """
    name, own = split_options(model)
    path, label = Path(name), restorer.name
    if exists(path) and not label.startswith(path.stem):
        label = f"{path.stem} ({label})"
    return ", ".join([label, *(f"{key}={_short(value)}" for key, value in own.items() if key != "vgg")])


def _short(value: Option) -> str:
    return Path(value).name if isinstance(value, str) else str(value)
