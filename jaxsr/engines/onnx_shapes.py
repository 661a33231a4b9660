"""ONNX's operations that move elements: reshaping, sub-pixel shuffles, cutting, joining, padding."""

from collections.abc import Mapping, Sequence

import numpy as np

from jaxsr.engines.onnx_graph import Aval, Graph, Tensor, Value
from jaxsr.engines.onnx_sizes import Size, difference
from jaxsr.support.errors import UserError
from jaxsr.support.types import Tree

END = np.iinfo(np.int64).max  # of an axis, whatever its size
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


def element(graph: Graph, value: Value, index: int) -> Value:
    """Return `value[index]`."""
    if isinstance(value, np.ndarray):
        return value[index]
    name = graph.node("Gather", [graph.whole(value, value.plain), np.asarray(index, np.int64)], axis=0)
    return plain(name, value.shape[1:], value.dtype)


def cut(graph: Graph, x: Value, starts: Sequence[Size], stops: Sequence[Size], steps: Sequence[int]) -> Value:
    """Return `x[start:stop:step]` along every axis."""
    shape = x.shape
    axes = [
        i for i in range(len(shape)) if (starts[i], steps[i]) != (0, 1) or difference(stops[i], shape[i]) != 0
    ]  # the others stay whole
    if not axes:
        return x
    assert isinstance(x, Tensor)
    name = graph.whole(x, x.order) if x.repeated & set(axes) else x.name
    kept = frozenset() if x.repeated & set(axes) else x.repeated
    bounds = [graph.sizes.vector([_bound(each[i], shape[i]) for i in axes]) for each in (starts, stops)]
    stored = np.array([x.order.index(i) for i in axes], np.int64)
    step = np.array([steps[i] for i in axes], np.int64)
    name = graph.node("Slice", [name, *bounds, stored, step])
    sides = tuple(-(-(stops[i] - starts[i]) // steps[i]) if i in axes else shape[i] for i in range(len(shape)))
    return Tensor(name, sides, np.dtype(x.dtype), x.order, kept)


def _bound(place: Size, side: Size) -> Size:
    """Return a place along an axis as a number where it is counted from the start or the end."""
    if isinstance(place, int | np.integer):
        return int(place)
    left = difference(side, place)
    if left is None:
        return place
    return END if left == 0 else -left


def _slice(graph: Graph, inputs: Sequence[Value], params: Mapping[str, Tree], results: Sequence[Aval]) -> Value:
    steps = params["strides"] or (1,) * len(inputs[0].shape)
    return cut(graph, inputs[0], params["start_indices"], params["limit_indices"], steps)


def _split(graph: Graph, inputs: Sequence[Value], params: Mapping[str, Tree], results: Sequence[Aval]) -> list[Value]:
    (x,), axis = inputs, params["axis"]
    stops = np.cumsum([int(size) for size in params["sizes"]])
    ranges = zip([0, *stops[:-1]], stops, strict=True)
    full = [(0, side) for side in x.shape]
    parts = []
    for first, last in ranges:
        ends = [*full[:axis], (int(first), int(last)), *full[axis + 1 :]]
        parts.append(cut(graph, x, [a for a, _ in ends], [b for _, b in ends], [1] * len(full)))
    return parts


def _reverse(graph: Graph, inputs: Sequence[Value], params: Mapping[str, Tree], results: Sequence[Aval]) -> Tensor:
    (x,), axes = inputs, list(params["dimensions"])
    assert isinstance(x, Tensor)
    if len(axes) == 1 and isinstance(x.shape[axes[0]], int):  # a reflected border
        order = np.arange(x.shape[axes[0]], dtype=np.int64)[::-1]
        name = graph.node("Gather", [graph.whole(x, x.order), order], axis=x.order.index(axes[0]))
        return Tensor(name, x.shape, x.dtype, x.order)
    stored = np.array([x.order.index(axis) for axis in axes], np.int64)
    count = len(axes)
    bounds = [np.full(count, -1), np.full(count, np.iinfo(np.int64).min), stored, np.full(count, -1)]
    return Tensor(graph.node("Slice", [x.name, *bounds]), x.shape, x.dtype, x.order, x.repeated)


def _gather(graph: Graph, inputs: Sequence[Value], params: Mapping[str, Tree], results: Sequence[Aval]) -> Value:
    """Return a range of `x` from a constant place on, or rows of it in the order of indices."""
    x, indices = inputs
    numbers, sizes = params["dimension_numbers"], params["slice_sizes"]
    axes, gone = tuple(numbers.start_index_map), tuple(numbers.collapsed_slice_dims)
    if isinstance(indices, np.ndarray) and indices.ndim == 1:
        starts: list[Size] = [0] * len(x.shape)
        for axis, place in zip(axes, indices, strict=True):
            starts[axis] = int(place)
        stops = [start + size for start, size in zip(starts, sizes, strict=True)]
        part = cut(graph, x, starts, stops, [1] * len(starts))
        return squeezed(graph, part, gone) if gone else part
    if len(axes) != 1 or gone != axes or numbers.operand_batching_dims or len(indices.shape) != 2:
        raise UserError("this way of taking elements cannot be written to ONNX")
    places = squeezed(graph, indices, [1])
    name = graph.node("Gather", [graph.whole(x, range(len(x.shape))), graph.whole(places, [0])], axis=axes[0])
    return plain(name, results[0].shape, x.dtype)


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
    "slice": _slice,
    "split": _split,
    "rev": _reverse,
    "gather": _gather,
    "pad": _pad,
    "iota": _iota,
    "dim_as_value": _size,
}
