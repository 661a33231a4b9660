"""ONNX's operations that sum: convolutions, matrix products, sums and largest values along axes."""

import string
from collections.abc import Mapping, Sequence

import numpy as np

from jaxsr.engines.onnx_graph import Aval, Graph, Tensor, Value
from jaxsr.engines.onnx_shapes import CHANNELS_SECOND, plain
from jaxsr.support.errors import UserError
from jaxsr.support.types import Tree


def _convolution(graph: Graph, inputs: Sequence[Value], params: Mapping[str, Tree], results: Sequence[Aval]) -> Tensor:
    x, kernel = inputs
    numbers = params["dimension_numbers"]
    padding = params["padding"]
    if params["batch_group_count"] != 1 or set(params["lhs_dilation"]) != {1} or min(min(padding)) < 0:
        raise UserError("a convolution of a dilated photo cannot be written to ONNX")
    name = graph.node(
        "Conv",
        [graph.whole(x, numbers.lhs_spec), graph.whole(kernel, numbers.rhs_spec)],
        strides=list(params["window_strides"]),
        dilations=list(params["rhs_dilation"]),
        pads=[int(low) for low, _ in padding] + [int(high) for _, high in padding],
        group=params["feature_group_count"],
    )
    return Tensor(name, tuple(results[0].shape), np.dtype(results[0].dtype), tuple(numbers.out_spec))


def _product(graph: Graph, inputs: Sequence[Value], params: Mapping[str, Tree], results: Sequence[Aval]) -> Tensor:
    a, b = inputs
    (summed_a, summed_b), (batch_a, batch_b) = params["dimension_numbers"]
    shape, dtype = tuple(results[0].shape), np.dtype(results[0].dtype)
    by_pixel = len(a.shape) == 4 and len(b.shape) == 2 and (tuple(summed_a), tuple(summed_b)) == ((3,), (0,))
    if by_pixel and isinstance(b, np.ndarray):  # a convolution of a single pixel keeps channels where they are
        name = graph.node("Conv", [graph.whole(a, CHANNELS_SECOND), b.T[:, :, None, None]])
        return Tensor(name, shape, dtype, CHANNELS_SECOND)
    letters = iter(string.ascii_lowercase)
    left = [next(letters) for _ in a.shape]
    right = [next(letters) for _ in b.shape]
    for i, j in [*zip(summed_a, summed_b, strict=True), *zip(batch_a, batch_b, strict=True)]:
        right[j] = left[i]
    batch = [left[i] for i in batch_a]
    free = [left[i] for i in range(len(left)) if i not in (*summed_a, *batch_a)]
    free += [right[j] for j in range(len(right)) if j not in (*summed_b, *batch_b)]
    equation = f"{''.join(left)},{''.join(right)}->{''.join([*batch, *free])}"
    names = [graph.whole(each, range(len(each.shape))) for each in inputs]
    return plain(graph.node("Einsum", names, equation=equation), shape, dtype)


def _reduction(graph: Graph, inputs: Sequence[Value], params: Mapping[str, Tree], operation: str) -> Tensor:
    (x,), axes = inputs, tuple(params["axes"])
    assert isinstance(x, Tensor)
    stored = sorted(x.order.index(axis) for axis in axes)
    source = graph.whole(x, x.order)
    if operation == "ReduceSum":  # the others take their axes as an input only in later opsets
        name = graph.node(operation, [source, np.array(stored, np.int64)], keepdims=0)
    else:
        name = graph.node(operation, [source], axes=stored, keepdims=0)
    left = [axis for axis in range(len(x.shape)) if axis not in axes]
    order = tuple(left.index(axis) for axis in x.order if axis not in axes)
    return Tensor(name, tuple(x.shape[axis] for axis in left), x.dtype, order)


def _all(graph: Graph, inputs: Sequence[Value], params: Mapping[str, Tree], results: Sequence[Aval]) -> Tensor:
    """Return whether all are true: the least of zeros and ones, as a truth value."""
    (x,) = inputs
    assert isinstance(x, Tensor)
    numbers = Tensor(graph.cast(x.name, np.float32), x.shape, np.dtype(np.float32), x.order, x.repeated)
    least = _reduction(graph, [numbers], params, "ReduceMin")
    return Tensor(graph.cast(least.name, bool), least.shape, np.dtype(bool), least.order)


HANDLERS = {
    "conv_general_dilated": _convolution,
    "dot_general": _product,
    "reduce_sum": lambda graph, inputs, params, results: _reduction(graph, inputs, params, "ReduceSum"),
    "reduce_max": lambda graph, inputs, params, results: _reduction(graph, inputs, params, "ReduceMax"),
    "reduce_min": lambda graph, inputs, params, results: _reduction(graph, inputs, params, "ReduceMin"),
    "reduce_and": _all,
}
