"""A tile's program by an engine other than XLA: the same function, written as an ONNX graph and compiled once."""

import hashlib
import threading
import weakref
from collections import OrderedDict
from collections.abc import Hashable

import jax
import numpy as np

from jaxsr.engines.runtimes import EngineProgram, compile_graph
from jaxsr.engines.tracing import photo_shape, trace
from jaxsr.models import Model
from jaxsr.restoration.tiles.engine_check import by_xla, check, engine_version, has_passed
from jaxsr.restoration.tiles.program import ProgramSpec, whole_tile
from jaxsr.support.types import Tree

KEPT = 4  # compiled networks
Results = tuple[np.ndarray, np.ndarray, dict[str, np.ndarray]]
_PROGRAMS: OrderedDict[Hashable, EngineProgram] = OrderedDict()
_DIGESTS: "weakref.WeakKeyDictionary[Model, str]" = weakref.WeakKeyDictionary()
_LOCK = threading.Lock()


def run_tiles_by(
    engine: str, precision: str, model: Model, spec: ProgramSpec, tiles: np.ndarray, extra_inputs: Tree = ()
) -> Results:
    """Return what `run_tiles` does for `tiles` (N, h, w, 1 or 3), computed by `engine` in `precision`.

    The first result of a size is checked; where it is wrong, XLA computes it.
    """
    tiles = tiles.astype(jax.dtypes.canonicalize_dtype(tiles.dtype), copy=False)  # as JAX does: float64 is float32
    version = engine_version(engine)
    key = (engine, model.spec.name, version, precision, spec, tiles.dtype.str, tiles.shape, _digest(model))
    passed = has_passed(key)
    if passed is not False:
        program = _program(engine, precision, model, spec, tiles, extra_inputs)
        outputs = dict(program(tiles, *jax.tree.leaves(extra_inputs)))
        if passed or check(key, precision, spec, model.variables, tiles, extra_inputs, outputs["restored"]):
            return outputs.pop("restored"), outputs.pop("finite"), outputs
    image, finite, extras = jax.tree.map(np.asarray, by_xla(spec, model.variables, tiles, extra_inputs))
    return image, finite, extras


def _program(
    engine: str, precision: str, model: Model, spec: ProgramSpec, tiles: np.ndarray, extra_inputs: Tree
) -> EngineProgram:
    """Return the compiled program, which photos of all sizes share; equal weights share it too."""
    with _LOCK:
        key = (engine, precision, spec, tiles.dtype.str, tiles.shape[-1], _digest(model))
        if key not in _PROGRAMS:
            _PROGRAMS[key] = compile_graph(engine, tile_graph(model, spec, tiles, extra_inputs), precision)
        _PROGRAMS.move_to_end(key)
        while len(_PROGRAMS) > KEPT:
            _PROGRAMS.popitem(last=False)
        return _PROGRAMS[key]


def tile_graph(model: Model, spec: ProgramSpec, tiles: np.ndarray, extra_inputs: Tree = ()) -> bytes:
    """Return the ONNX file of the program of tiles as these: "restored", "finite" and the extras by name.

    Arrays (N, f h, f w, F) of `extra_inputs` keep their factor f to the tiles' sides.
    """
    from jaxsr.engines.onnx_conversion import to_onnx  # needs packages of an extra

    leaves, structure = jax.tree.flatten(extra_inputs)

    def function(tiles: jax.Array, *further: jax.Array) -> dict[str, jax.Array]:
        image, finite, extras = whole_tile(spec, model.variables, tiles, jax.tree.unflatten(structure, further))
        return {"restored": image, "finite": finite, **extras}

    photos = photo_shape(model.minimum, tiles.shape[-1], tiles.dtype, multiple=model.spec.multiple_of)
    n, h, w, _ = photos.shape
    factors = [(leaf.shape[1] // tiles.shape[1], leaf) for leaf in leaves]
    inputs = [photos, *(jax.ShapeDtypeStruct((n, f * h, f * w, x.shape[-1]), x.dtype) for f, x in factors)]
    program = trace(function, *inputs, examples=(tiles, *leaves))
    names = sorted(jax.eval_shape(function, *inputs))  # the order of a dictionary's leaves
    return to_onnx(program, names, {}, multiple=model.spec.multiple_of)


def _digest(model: Model) -> str:
    """Return a digest of the weights."""
    if model not in _DIGESTS:
        digest = hashlib.blake2b(digest_size=16)
        for path, leaf in jax.tree_util.tree_leaves_with_path(model.variables):
            digest.update(f"{path} {leaf.shape} {leaf.dtype}".encode() + np.asarray(leaf).tobytes())
        _DIGESTS[model] = digest.hexdigest()
    return _DIGESTS[model]
