"""Weight files: safetensors with a card in the metadata. One file alone is enough to restore a photo."""

import os
from pathlib import Path

import numpy as np

from jaxsr.models import MODELS, Model, model_spec
from jaxsr.models.serialization import check_name
from jaxsr.support.errors import UserError, brief, nearest
from jaxsr.support.messages import one_line
from jaxsr.support.paths import is_file, is_folder, user_path
from jaxsr.support.trees import by_path, from_paths
from jaxsr.support.types import Json, Tree
from jaxsr.weights.cards import as_float32, network_of, parse_card
from jaxsr.weights.readers.bounds import check_downloaded, refusals
from jaxsr.weights.readers.safetensors_files import read_safetensors
from jaxsr.weights.shipped_weights import default_scale, network_name, shipped_files, shipped_names

WEIGHTS = "model.safetensors"  # of a run, beside its other parts
RUN_PARTS = ("config.json", "metrics.jsonl", "curves.png", "checkpoints", "samples")
REMEDY = "published weights are turned into ours by: python -m jaxsr.import_weights"

# Variants of configs that train what the error message names, where they are not called by the scale alone
CONFIG_VARIANTS = {
    **{"vdsr": "muon", "mslapsrn": "D5R8", "srdensenet": "All", "srgan": "vgg22", "srntt": "l2", "deblurgan": "wild"},
    **{"danv1": "x{scale}-iso", "danv2": "x{scale}-iso", "real-gan": "x{scale}-gan"},
    "lapsrn-x3": "x4",  # whose weights serve x3 too
}


def save(path: str | Path, model: Model, **card: Json) -> None:
    """Write `model` to `path`, as `model.save(path, **card)` does."""
    model.save(path, **card)


def load(name: str | Path, *, scale: int | None = None) -> Model:
    """Return a model with its weights.

    Example:
        model = jaxsr.load("fsrcnn-x2")
        y = model(x)  # (N, H, W, C) in [0, 1] -> (N, 2 H, 2 W, C) in [0, 1]

    Args:
        name: a shipped name ("fsrcnn-x2", or "fsrcnn" with `scale`), "bicubic", a weight file (*.safetensors), or a
            run folder of `jaxsr.train`.
        scale: how many times height and width grow. If left out, the file's own; for a name without a scale 2, or the
            least for which weights ship. Some networks serve several scales with one set of weights.

    Returns:
        A Model whose leaves are NumPy arrays; `jax.device_put(model)` moves them to the device once.

    Raises:
        UserError: for an unknown name (the nearest is suggested), a missing or foreign file, weights that do not serve
            `scale`, and for systems without weights: zssr learns from each photo, kernelgan estimates kernels.
    """
    check_kind(name)
    path = user_path(name)
    if path.suffix or is_folder(path):
        _check_whole(path)
        model = load_file(path / WEIGHTS if is_folder(path) else path)
    else:
        model = _load_named(str(name), scale)
    return model if scale is None else model.at_scale(scale)


def check_kind(model: object) -> None:
    """Raise UserError where `model` can be neither a name nor a file."""
    if not isinstance(model, str | os.PathLike):
        raise UserError(
            f"model {brief(model)} is neither a name nor a file; give a file or one of: {', '.join(shipped_names())}"
        )


def _check_whole(path: Path) -> None:
    """Raise UserError for a part of a run that has weights elsewhere, unless it holds some itself."""
    if path.suffix == ".safetensors" or is_file(path / WEIGHTS):
        return
    inside = path.parent.name in RUN_PARTS
    run = path.parent.parent if inside else path.parent
    if (inside or path.name in RUN_PARTS) and is_file(run / WEIGHTS):
        raise UserError(one_line(f"{path} is a part of a run, without weights; give the run's folder, {run}"))


def _load_named(name: str, scale: int | None) -> Model:
    """Return the shipped model `name`, with or without its scale in the name."""
    base, mark, suffix = name.partition("-x")
    if "/" in name:  # a path, as of a run that has not begun
        raise UserError(one_line(f"no weight file or run folder {name}; check the path"))
    if name.partition(",")[0] == "auto":
        raise UserError("auto chooses a model for restore alone, and takes no options; name a model, such as fsrcnn-x2")
    spec = model_spec(network_name(base))
    if mark and not suffix.isdecimal():
        raise UserError(f"unknown model {name!r}; {nearest(name, shipped_names())}")
    if suffix:
        scale = int(suffix)
    elif scale is None:
        scale = default_scale(base)
    spec.check_scale(scale)
    if spec.per_photo:
        raise UserError(
            f"{base} has no weights, it learns from each photo: jaxsr.restore(photo, {base!r}, scale={scale}), or "
            f"python -m jaxsr.restore PHOTO --output=DIR --model={base} --scale={scale}"
        )
    if base == "bicubic":
        return Model(spec, spec.module(scale), scale, {})
    path = shipped_files().get((base, scale))
    if path is None:
        raise UserError(
            f"no weights ship for {base} at scale {scale}; shipped: {', '.join(shipped_names())}; "
            f"others are trained ({training_command(base, scale)}) or imported (python -m jaxsr.import_weights FILE "
            f"--model={spec.name})"
        )
    return load_file(path).at_scale(scale)


def training_command(base: str, scale: int) -> str:
    """Return the command that trains weights called `base` at `scale`, by the variant of the config that is nearest."""
    variant = CONFIG_VARIANTS.get(f"{base}-x{scale}") or CONFIG_VARIANTS.get(base, "x{scale}").format(scale=scale)
    network = network_name(base)
    known = scale in model_spec(network).scales
    return f"python -m jaxsr.train --config={network}{f':{variant}' if known else ''} --workdir=DIR"


def load_file(path: str | Path) -> Model:
    """Return the model of a weight file written by `save`, with float32 arrays whatever floats the file has.

    Raises UserError with the reason, in one readable line, if it is none, or a broken or hostile one.
    """
    path = Path(path)
    if not is_file(path):
        raise UserError(one_line(f"no weight file {path}; give a file or one of: {', '.join(shipped_names())}"))
    check_downloaded(path)
    ours = path.suffix.lower() == ".safetensors"  # the kind that `save` writes: a broken one, and not another's
    with refusals(path, "not a weight file of jaxsr", REMEDY):
        tensors, metadata = read_safetensors(path, remedy="get it again" if ours else REMEDY)
        if "card" not in metadata:
            raise UserError(f"{path} has no card, so its model is unknown; {REMEDY}")
        card = parse_card(path, metadata["card"])
        spec = MODELS[card["model"]]
        module, shapes = network_of(spec, card["scale"], card["options"])
        variables = _tree(path, {name: as_float32(str(path), name, x) for name, x in tensors.items()})
        check_shapes(variables, shapes, str(path))
        return Model(spec, module, card["scale"], variables, card)


def _tree(path: Path, tensors: dict[str, np.ndarray]) -> Tree:
    try:
        return from_paths(tensors)
    except (IndexError, TypeError, ValueError):  # a/b beside a/b/c
        raise UserError(f"{path} has arrays whose names contradict each other; get the file again") from None


def check_shapes(variables: Tree, expected: Tree, what: str) -> None:
    """Raise UserError, naming the first difference, unless the two trees have the same names and shapes."""
    have, want = ({name: x.shape for name, x in by_path(tree).items()} for tree in (variables, expected))
    for name in sorted(have.keys() | want.keys()):
        if have.get(name) != want.get(name):
            raise UserError(
                f"{what} do not fit the network: {name} is {have.get(name, 'missing')}, "
                f"the network has {want.get(name, 'none')}; is it another model, or are options missing?"
            )


__all__ = ["check_kind", "check_name", "check_shapes", "load", "load_file", "save", "shipped_names"]
