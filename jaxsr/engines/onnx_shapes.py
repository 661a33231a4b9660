"""ONNX's operations that move elements: reshaping, sub-pixel shuffles, joining, padding."""

from collections.abc import Mapping, Sequence

import numpy as np

from jaxsr.engines.onnx_graph import Aval, Graph, Tensor, Value
from jaxsr.engines.onnx_sizes import Size
from jaxsr.support.errors import UserError
from jaxsr.support.types import Tree

CHANNELS_SECOND = (0, 3, 1, 2)  # how convolutions store (n, h, w, C)
SHUFFLES: dict[tuple[int, ...], str] = {
    (0, 1, 3, 2, 4, 5): "DCR",
    (0, 1, 4, 2, 5, 3): "CRD",
}  # axes -> ONNX's name: channels last, or first


def plain(name: str, shape: Sequence[Size], dtype: np.dtype) -> Tensor:
    """Return the array `name`, stored as its shape says."""
    return Tensor(name, tuple(shape), np.dtype(dtype), tuple(range(len(shape))))


def _reshape(graph: Graph, inputs: Sequence[Value], params: Mapping[str, Tree], results: Sequence[Aval]) -> Value:
    (x,), shape = inputs, tuple(results[0].shape)
    if x.shape == shape:
        return x
    shuffled = _shuffle(graph, x, shape)
    if shuffled is not None:
        return shuffled
    if isinstance(x, np.ndarray):
        raise UserError("a constant of unknown size cannot be written to ONNX")
    name = graph.whole(x, x.plain)
    result = plain(graph.node("Reshape", [name, _target(graph, x.shape, shape)]), shape, x.dtype)
    graph.origins[result.name] = ("Reshape", (x,))
    if len(shape) == 4:  # photos are stored in one way: see `to_onnx`
        return Tensor(graph.stored(result, CHANNELS_SECOND), shape, x.dtype, CHANNELS_SECOND)
    return result


def _target(graph: Graph, before: Sequence[Size], shape: Sequence[Size]) -> str | np.ndarray:
    """Return the shape for Reshape: 0 for an axis that stays, -1 for one whose size follows from the others."""
    sizes = [
        0 if i < len(before) and before[i] == side and not isinstance(side, int) else side
        for i, side in enumerate(shape)
    ]
    unknown = [i for i, side in enumerate(sizes) if not isinstance(side, int)]
    if len(unknown) == 1:
        sizes[unknown[0]] = -1
    return graph.sizes.vector(sizes)


def _shuffle(graph: Graph, x: Value, shape: Sequence[Size]) -> Tensor | None:
    """Return the sub-pixel shuffle, or its inverse, that ends in a reshape of `x` to `shape`; None if none does."""
    if len(x.shape) != 6 or len(shape) != 4 or graph.operation(x) != "Transpose":
        return None
    (split,) = graph.inputs(x)
    (source,) = graph.inputs(split) if graph.operation(split) == "Reshape" else (None,)
    if not (isinstance(x, Tensor) and isinstance(split, Tensor) and isinstance(source, Tensor)):
        return None
    mode = SHUFFLES.get(x.axes_of(split) or ())
    if len(source.shape) != 4 or mode is None:
        return None
    n, height, width, depth = source.shape
    block = split.shape[3 if mode == "DCR" and split.shape[1:3] == (height, width) else 4 if mode == "CRD" else 2]
    channels = split.shape[5 if mode == "DCR" else 3]
    inner = (n, height, width, *((block, block, channels) if mode == "DCR" else (channels, block, block)))
    stored = graph.whole(source, CHANNELS_SECOND)
    if split.shape == inner and tuple(shape) == (n, height * block, width * block, channels):
        name = graph.node("DepthToSpace", [stored], blocksize=int(block), mode=mode)
    elif split.shape[2::2] == (block, block) and shape[3] == block * block * depth and mode == "DCR":
        name = graph.node("SpaceToDepth", [stored], blocksize=int(block))
    else:
        return None
    return Tensor(name, tuple(shape), source.dtype, CHANNELS_SECOND)


def _transpose(graph: Graph, inputs: Sequence[Value], params: Mapping[str, Tree], results: Sequence[Aval]) -> Tensor:
    """Return the same stored array under other axes; nothing moves before it must."""
    (x,), axes = inputs, tuple(params["permutation"])
    assert isinstance(x, Tensor)
    repeated = frozenset(axes.index(axis) for axis in x.repeated)
    name = graph.node("Identity", [x.name])
    order = tuple(axes.index(axis) for axis in x.order)
    result = Tensor(name, tuple(results[0].shape), x.dtype, order, repeated)
    graph.origins[name] = ("Transpose", (x,))
    return result


def _broadcast(graph: Graph, inputs: Sequence[Value], params: Mapping[str, Tree], results: Sequence[Aval]) -> Value:
    """Return the array with its new axes, and those of side 1 that grow, stored with side 1."""
    x, shape = inputs[0], tuple(results[0].shape)
    axes = tuple(params["broadcast_dimensions"])
    old = x.repeated if isinstance(x, Tensor) else frozenset()
    grown = {axis for i, axis in enumerate(axes) if i in old or (x.shape[i] == 1 and shape[axis] != 1)}
    new = [axis for axis in range(len(shape)) if axis not in axes]
    repeated = frozenset(grown | {axis for axis in new if shape[axis] != 1})
    name = graph.stored(x, range(len(x.shape)))
    if new:
        name = graph.node("Unsqueeze", [name, np.array(new, np.int64)])
    return Tensor(name, shape, np.dtype(x.dtype), tuple(range(len(shape))), repeated)


def squeezed(graph: Graph, x: Value, gone: Sequence[int]) -> Tensor:
    """Return `x` without the axes `gone`, whose sides are 1."""
    name = graph.node("Squeeze", [graph.stored(x, range(len(x.shape))), np.array(sorted(gone), np.int64)])
    left = [axis for axis in range(len(x.shape)) if axis not in gone]
    repeated = frozenset(left.index(axis) for axis in getattr(x, "repeated", ()) if axis in left)
    shape = tuple(x.shape[axis] for axis in left)
    return Tensor(name, shape, np.dtype(x.dtype), tuple(range(len(left))), repeated)


def _concatenate(graph: Graph, inputs: Sequence[Value], params: Mapping[str, Tree], results: Sequence[Aval]) -> Value:
    axis = params["dimension"]
    inputs = [each for each in inputs if not (isinstance(each.shape[axis], int) and each.shape[axis] == 0)]
    first = next(each for each in inputs if isinstance(each, Tensor))
    names = [graph.whole(each, first.order) for each in inputs]
    name = graph.node("Concat", names, axis=first.order.index(axis))
    return Tensor(name, tuple(results[0].shape), np.dtype(first.dtype), first.order)


def element(graph: Graph, value: Value, index: int) -> Value:
    """Return `value[index]`."""
    if isinstance(value, np.ndarray):
        return value[index]
    name = graph.node("Gather", [graph.whole(value, value.plain), np.asarray(index, np.int64)], axis=0)
    return plain(name, value.shape[1:], value.dtype)


def stacked(graph: Graph, parts: Sequence[Value], axis: int) -> Value:
    """Return `parts` of one shape along a new `axis`."""
    if all(isinstance(part, np.ndarray) for part in parts):
        return np.stack(parts, axis)  # type: ignore[arg-type]
    names = [
        graph.node("Unsqueeze", [graph.whole(part, range(len(part.shape))), np.array([axis], np.int64)])
        for part in parts
    ]
    shape = parts[0].shape
    return plain(graph.node("Concat", names, axis=axis), (*shape[:axis], len(parts), *shape[axis:]), parts[0].dtype)


def _pad(graph: Graph, inputs: Sequence[Value], params: Mapping[str, Tree], results: Sequence[Aval]) -> Tensor:
    x, value = inputs
    config = [tuple(map(int, ends)) for ends in params["padding_config"]]
    if any(low < 0 or high < 0 or between for low, high, between in config):
        raise UserError("padding between elements, or less than none, cannot be written to ONNX")
    order = x.order if isinstance(x, Tensor) else tuple(range(x.ndim))
    ends = np.array([[config[axis][i] for axis in order] for i in (0, 1)], np.int64).reshape(-1)
    name = graph.node("Pad", [graph.whole(x, order), ends, graph.whole(value, ())], mode="constant")
    return Tensor(name, tuple(results[0].shape), np.dtype(x.dtype), order)


def _iota(graph: Graph, inputs: Sequence[Value], params: Mapping[str, Tree], results: Sequence[Aval]) -> Tensor:
    shape, axis = tuple(results[0].shape), params["dimension"]
    stop = graph.node("Squeeze", [graph.sizes.single(shape[axis]), np.array([0], np.int64)])
    name = graph.node("Range", [np.asarray(0, np.int64), stop, np.asarray(1, np.int64)])
    name = graph.cast(name, results[0].dtype)
    others = [i for i in range(len(shape)) if i != axis]
    if others:
        name = graph.node("Unsqueeze", [name, np.array(others, np.int64)])
    repeated = frozenset(i for i in others if shape[i] != 1)
    return Tensor(name, shape, np.dtype(results[0].dtype), tuple(range(len(shape))), repeated)


def _size(graph: Graph, inputs: Sequence[Value], params: Mapping[str, Tree], results: Sequence[Aval]) -> Tensor:
    name = graph.node("Squeeze", [graph.sizes.single(params["dim"]), np.array([0], np.int64)])
    return plain(graph.cast(name, results[0].dtype), (), results[0].dtype)


HANDLERS = {
    "reshape": _reshape,
    "transpose": _transpose,
    "broadcast_in_dim": _broadcast,
    "squeeze": lambda graph, inputs, params, results: squeezed(graph, inputs[0], params["dimensions"]),
    "concatenate": _concatenate,
    "stack": lambda graph, inputs, params, results: stacked(graph, inputs, params["axis"]),
    "pad": _pad,
    "iota": _iota,
    "dim_as_value": _size,
}
