"""Weight files: safetensors with a card in their metadata. One file alone is enough to restore a photo."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save as serialized

from jaxsr.models import MODELS, Model, initial_shapes, model_spec
from jaxsr.support.errors import UserError, nearest
from jaxsr.support.files import written_whole
from jaxsr.support.trees import by_path, from_paths

SHIPPED = Path(__file__).parent
FORMAT = 1  # raised when a reader of today could not understand a file of tomorrow


def save(path: str | Path, model: Model, **card: Any) -> None:
    """Write `model` to `path`; `card` adds to its card: training, scores with their protocol, licence."""
    check_name(path)
    facts = {
        **model.card,
        **card,
        "format": FORMAT,
        "model": model.spec.name,
        "paper": model.spec.paper,
        "scale": model.scale,
        "options": model.options,
        "value_range": list(model.spec.value_range),
    }
    tensors = by_path(model.variables)
    tensors = {name: np.ascontiguousarray(x, np.float32) for name, x in tensors.items()}
    with written_whole(path) as temporary:
        temporary.write_bytes(serialized(tensors, metadata={"card": json.dumps(facts)}))


def check_name(path: str | Path) -> None:
    """Raise UserError unless `path` may name a weight file."""
    if Path(path).suffix != ".safetensors":
        raise UserError(f"cannot write weights to {path}: the name must end in .safetensors")


def load(name: str | Path, *, scale: int | None = None) -> Model:
    """Return a model by shipped name ("fsrcnn-x2", or "fsrcnn" with `scale`), weight file, or run folder.

    Raises UserError for an unknown name (the nearest is suggested), a missing or foreign file, and weights
    that do not serve the scale asked for.
    """
    path = Path(name)
    if path.suffix or path.is_dir():
        model = load_file(path / "model.safetensors" if path.is_dir() else path)
    else:
        model = _load_named(str(name), scale)
    return model if scale in (None, model.scale) else model.at_scale(scale)


def _load_named(name: str, scale: int | None) -> Model:
    """Return the shipped model `name`, with or without its scale in the name."""
    base, _, suffix = name.partition("-x")
    spec = model_spec(base)
    if suffix and not suffix.isdecimal():
        raise UserError(f"unknown model {name!r}; {nearest(name, shipped_names())}")
    scale = int(suffix) if suffix else scale or (2 if 2 in spec.scales else spec.scales[0])
    if base == "bicubic":
        return Model(spec, spec.module(scale), scale, {})
    if spec.per_photo:
        raise UserError(f"{base} has no weights, it learns from each photo: python -m jaxsr.restore --model={base}")
    path = SHIPPED / f"{base}-x{scale}.safetensors"
    if not path.is_file():
        raise UserError(
            f"no weights ship for {base} at scale {scale}; shipped: {', '.join(shipped_names())}; "
            f"others are trained (configs/{base}.py) or imported (python -m jaxsr.import_weights)"
        )
    return load_file(path)


def shipped_names() -> list[str]:
    """Return the names that `load` knows without a file."""
    return sorted(path.stem for path in SHIPPED.glob("*.safetensors"))


def load_file(path: str | Path) -> Model:
    """Return the model of a weight file written by `save`; raises UserError with the reason if it is none."""
    card, tensors = _read(Path(path))
    if card.get("format", 0) > FORMAT:
        raise UserError(f"{path} has format {card['format']}, this version reads up to {FORMAT}; upgrade jaxsr")
    if card.get("model") not in MODELS:
        raise UserError(f"{path} holds the unknown model {card.get('model')!r}; upgrade jaxsr")
    spec = MODELS[card["model"]]
    module = spec.module(card["scale"], **card["options"])
    variables = from_paths(tensors)
    check_shapes(variables, initial_shapes(module), str(path))
    return Model(spec, module, card["scale"], variables, card)


def _read(path: Path) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Return the card and the arrays of a weight file."""
    if not path.is_file():
        raise UserError(f"no weight file {path}; give a file or one of: {', '.join(shipped_names())}")
    remedy = "published weights are turned into ours by: python -m jaxsr.import_weights"
    try:
        with safe_open(path, framework="numpy") as file:
            metadata = file.metadata() or {}
            if "card" not in metadata:
                raise UserError(f"{path} has no card, so its model is unknown; {remedy}")
            return json.loads(metadata["card"]), {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except SafetensorError as error:
        raise UserError(f"{path} is not a safetensors file ({error}); {remedy}") from None


def check_shapes(variables: Mapping[str, Any], expected: Mapping[str, Any], what: str) -> None:
    """Raise UserError, naming the first difference, unless the two trees have the same names and shapes."""
    have, want = ({name: x.shape for name, x in by_path(tree).items()} for tree in (variables, expected))
    for name in sorted(have.keys() | want.keys()):
        if have.get(name) != want.get(name):
            raise UserError(
                f"{what} do not fit the network: {name} is {have.get(name, 'missing')}, "
                f"the network has {want.get(name, 'none')}; is it another model, or are options missing?"
            )
