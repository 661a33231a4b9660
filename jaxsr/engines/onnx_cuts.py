"""ONNX's operations that take some of the elements: ranges of axes, reversed axes, rows by their indices."""

from collections.abc import Mapping, Sequence

import numpy as np

from jaxsr.engines.onnx_graph import Aval, Graph, Tensor, Value
from jaxsr.engines.onnx_shapes import plain, squeezed
from jaxsr.engines.onnx_sizes import Size, difference
from jaxsr.support.errors import UserError
from jaxsr.support.types import Tree

END = np.iinfo(np.int64).max  # of an axis, whatever its size


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


HANDLERS = {
    "slice": _slice,
    "split": _split,
    "rev": _reverse,
    "gather": _gather,
}
