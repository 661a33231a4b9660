"""`jaxsr.export`, and what `python -m jaxsr.export` does: a model as a file that other programs run."""

import io
import json
import numbers
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from jax import export as jax_export
from jax.extend import core

from jaxsr.api.named_models import load_with_options, split_options
from jaxsr.engines.runtimes import compile_graph, is_installed
from jaxsr.engines.tracing import photo_shape, smallest_side, trace
from jaxsr.models import ESTIMATORS, MODELS, Model
from jaxsr.support.errors import UserError
from jaxsr.support.files import written_whole
from jaxsr.support.paths import output_file
from jaxsr.support.types import Json
from jaxsr.weights.readers.bounds import EXPORT_SUFFIXES

TOLERANCE = 1e-4  # greatest difference from the model, of values in [0, 1]
SIZES = ((1, 0, 5), (2, 13, 2), (1, 28, 21))  # photos, and what is added to the smallest side: height, width
MARGIN = 32  # pixels of a photo's side more than the smallest, on which a network that takes none says why
PLATFORMS = ("cpu", "cuda", "tpu")
PROGRAM, STABLEHLO, CARD = "exported.bin", "stablehlo.mlirbc", "card.json"  # in a .stablehlo file, which is a zip

Run = Callable[[np.ndarray], np.ndarray]


def export(model: Model | str | Path, path: str | Path, *, scale: int | None = None, channels: int = 3) -> Path:
    """Return the file `path`, to which `model` was written as a program on photos of any number, height and width.

    Example: `jaxsr.export("fsrcnn-x2", "fsrcnn-x2.onnx")`.

    Args:
        model: a Model, a shipped name, a weight file or a run folder, with options of its own as `jaxsr.restore` takes.
        path: `*.onnx` for ONNX (opset 17), whose metadata_props are the model's card, or `*.stablehlo` for a zip of
            `exported.bin` (for `jax.export.deserialize`), `stablehlo.mlirbc` and `card.json`.
        scale: how many times height and width grow, for a name without a scale and weights that serve several; by
            default the model's own.
        channels: of the photos: 3 (RGB) or 1 (grey).

    Returns:
        The path. The program is the whole model: input "photos" (n, h, w, channels), float32 in [0, 1], output
        "restored" (n, scale h, scale w, channels), float32, clipped to [0, 1]. Before the file is written its result
        was compared with the model's on photos of three sizes, to 1e-4.

    Raises:
        UserError: for a model that cannot be exported or not at `scale`, another ending or number of channels,
            packages that are missing (`pip install 'jaxsr[onnxruntime]'`), and results that differ.
    """
    target = output_file(path, "--output")
    suffix = target.suffix.lower()
    if suffix not in EXPORT_SUFFIXES:
        raise UserError(f"{target} is neither ONNX nor StableHLO; end its name in .onnx or .stablehlo")
    if type(channels) is bool or not isinstance(channels, numbers.Integral) or channels not in (1, 3):
        raise UserError(f"channels={channels!r}: photos have 3 (RGB) or 1 (grey)")
    if suffix == ".onnx" and not is_installed("onnxruntime"):
        raise UserError("ONNX files are written and checked with onnxruntime: pip install 'jaxsr[onnxruntime]'")
    opened = open_exportable(model, scale).in_float32().folded()
    file, run = (_onnx if suffix == ".onnx" else _stablehlo)(opened, channels)
    _check_results(opened, run, channels, target)
    with written_whole(target) as temporary:
        temporary.write_bytes(file)
    return target


def open_exportable(model: Model | str | Path, scale: int | None = None) -> Model:
    """Return the model, of a name or file too; raises UserError for a system that is more than one network's call."""
    if not isinstance(model, Model):
        name, _ = split_options(model)
        if name in ESTIMATORS or (name in MODELS and (MODELS[name].per_photo or MODELS[name].needs)):
            raise UserError(_refusal(name))
        model = load_with_options(model, scale=scale).model
    if model.needs or model.spec.per_photo:
        raise UserError(_refusal(model.spec.name))
    return model if scale is None else model.at_scale(scale)


def _refusal(name: str) -> str:
    reasons = {
        "kernelgan": "trains its networks on each photo and returns a blur kernel; use jaxsr.estimate_kernel",
        "zssr": "trains its network on each photo, so there is no network to export; use jaxsr.restore",
        "srntt": "takes features of references beside the photo, which one graph does not make; use jaxsr.restore",
    }
    return f"{name} cannot be exported: it {reasons[name]}"


def facts(model: Model) -> dict[str, Json]:
    """Return the card with what else a user of the file needs."""
    own = {"model": model.spec.name, "paper": model.spec.paper, "scale": model.scale, "options": model.options}
    contract = {
        "input": "photos (n, h, w, c), float32 in [0, 1]",
        "output": "restored (n, scale h, scale w, c), float32 in [0, 1]",
        "smallest_side": smallest_side(model.minimum),
    }
    return {**model.card, **own, **contract}


def _as_texts(fields: Mapping[str, Json]) -> dict[str, str]:
    """Return `fields` as JSON texts by name, which ONNX holds; texts stay as they are."""
    return {key: value if isinstance(value, str) else json.dumps(value) for key, value in fields.items()}


def _traced(model: Model, channels: int) -> core.ClosedJaxpr:
    """Return the program of the model's call on photos of any size; raises UserError where it takes none."""
    side = smallest_side(model.minimum) + MARGIN
    example = jax.ShapeDtypeStruct((1, side, side, channels), jnp.float32)
    return trace(lambda photos: model(photos), photo_shape(model.minimum, channels), examples=[example])


def _onnx(model: Model, channels: int) -> tuple[bytes, Run]:
    """Return the ONNX file of the model's call, and ONNX Runtime's way to run it."""
    from jaxsr.engines.onnx_conversion import to_onnx

    file = to_onnx(_traced(model, channels), ["restored"], _as_texts(facts(model)))
    session = compile_graph("onnxruntime", file)
    return file, lambda photos: session(photos)["restored"]


def _stablehlo(model: Model, channels: int) -> tuple[bytes, Run]:
    """Return a zip of the exported program and the card, and what runs the program."""
    _traced(model, channels)  # a network that cannot be exported says why in one line
    call = jax.jit(lambda photos: model(photos))
    exported = jax_export.export(call, platforms=PLATFORMS)(photo_shape(model.minimum, channels))
    serialized = bytes(exported.serialize())
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(PROGRAM, serialized)
        archive.writestr(STABLEHLO, exported.mlir_module_serialized)
        archive.writestr(CARD, json.dumps(facts(model), indent=1))
    program = jax_export.deserialize(bytearray(serialized))
    return buffer.getvalue(), lambda photos: np.asarray(program.call(photos))


def _check_results(model: Model, run: Run, channels: int, target: Path) -> None:
    """Raise UserError where the exported program and `model` differ on photos of one of three sizes."""
    least = smallest_side(model.minimum)
    draws = np.random.default_rng(0)
    for count, height, width in SIZES:
        photos = draws.random((count, least + height, least + width, channels), np.float32)
        expected, result = np.asarray(jax.jit(lambda m, x: m(x))(model, photos)), run(photos)
        error = np.abs(result - expected).max() if result.shape == expected.shape else np.inf
        if not error <= TOLERANCE:  # also refuses NaN
            raise UserError(
                f"{target} is not written: on photos of {photos.shape[1]}x{photos.shape[2]} the exported {model.name} "
                f"differs from the model by {error:.2g}, more than {TOLERANCE}; its weights may not be finite"
            )
