"""ONNX's operations on each element, and the activations that runtimes know as one operation."""

from collections.abc import Mapping, Sequence

import numpy as np

from jaxsr.engines.onnx_graph import Aval, Graph, Tensor, Value, element_type
from jaxsr.support.types import Tree

BINARY = {
    **{"add": "Add", "sub": "Sub", "mul": "Mul", "div": "Div", "max": "Max", "min": "Min", "pow": "Pow"},
    **{"eq": "Equal", "lt": "Less", "le": "LessOrEqual", "gt": "Greater", "ge": "GreaterOrEqual"},
    **{"and": "And", "or": "Or"},
}
UNARY = {
    **{"tanh": "Tanh", "exp": "Exp", "log": "Log", "neg": "Neg", "sqrt": "Sqrt", "floor": "Floor", "abs": "Abs"},
    **{"logistic": "Sigmoid", "not": "Not"},
}
IDENTITIES = ("stop_gradient", "copy", "copy_p", "optimization_barrier", "reduce_precision", "sharding_constraint")


def elementwise(graph: Graph, operation: str, inputs: Sequence[Value], dtype: np.dtype, **attributes: float) -> Tensor:
    """Return `operation` of `inputs`, of one shape or scalars, stored in the order of the one that is not repeated."""
    tensors = [each for each in inputs if isinstance(each, Tensor)]
    first = max(tensors, key=lambda each: (len(each.shape), -len(each.repeated), each.order != each.plain))
    rank = len(first.shape)
    names = [graph.stored(each, first.order if len(each.shape) == rank else ()) for each in inputs]
    repeated = frozenset(axis for axis in range(rank) if all(_is_repeated(each, axis, rank) for each in inputs))
    result = Tensor(graph.node(operation, names, **attributes), first.shape, np.dtype(dtype), first.order, repeated)
    graph.origins[result.name] = (operation, tuple(inputs))
    return result


def _is_repeated(value: Value, axis: int, rank: int) -> bool:
    """Return whether the stored side of `value` along `axis` is 1 though its shape may say more."""
    if len(value.shape) < rank:
        return True
    return axis in value.repeated if isinstance(value, Tensor) else False


def _binary(graph: Graph, inputs: Sequence[Value], params: Mapping[str, Tree], results: Sequence[Aval], name: str):
    if name == "max" and (value := _other_than(inputs, 0.0)) is not None:
        return elementwise(graph, "Relu", [value], results[0].dtype)
    if name == "add" and (parts := _prelu(graph, inputs)) is not None:
        return _with_slopes(graph, *parts)
    if (value := _unchanged(inputs, name)) is not None:
        return value
    return elementwise(graph, BINARY[name], inputs, results[0].dtype)


def _other_than(inputs: Sequence[Value], number: float) -> Tensor | None:
    """Return the one of two `inputs` whose other is `number` everywhere, or None."""
    for value, other in (inputs, inputs[::-1]):
        if isinstance(value, Tensor) and isinstance(other, np.ndarray) and other.size and (other == number).all():
            return value
    return None


def _unchanged(inputs: Sequence[Value], name: str) -> Value | None:
    """Return the input that is also the result: x + 0, x - 0, x * 1, x / 1."""
    neutral = {"add": 0.0, "sub": 0.0, "mul": 1.0, "div": 1.0}.get(name)
    if neutral is None:
        return None
    value = _other_than(inputs, neutral)
    return value if value is inputs[0] or name in ("add", "mul") else None


def _prelu(graph: Graph, inputs: Sequence[Value]) -> tuple[Tensor, Value] | None:
    """Return x and the slopes a where `inputs` are max(x, 0) and a min(x, 0)."""
    for positive, scaled in (inputs, inputs[::-1]):
        if graph.operation(positive) != "Relu" or graph.operation(scaled) != "Mul":
            continue
        (x,) = graph.inputs(positive)
        for slopes, negative in (graph.inputs(scaled), graph.inputs(scaled)[::-1]):
            if graph.operation(negative) == "Min" and _other_than(graph.inputs(negative), 0.0) is x:
                return x, slopes  # pyright: ignore[reportReturnType]  # what depends on weights alone has no origin
    return None


def _with_slopes(graph: Graph, x: Tensor, slopes: Value) -> Tensor:
    """Return x where it is positive, else x times its slope."""
    return elementwise(graph, "PRelu", [x, slopes], x.dtype)


def _select(graph: Graph, inputs: Sequence[Value], params: Mapping[str, Tree], results: Sequence[Aval]) -> Tensor:
    condition, otherwise, chosen = inputs
    if graph.operation(condition) == "GreaterOrEqual" and graph.operation(otherwise) == "Mul":
        x, bound = graph.inputs(condition)
        factors = graph.inputs(otherwise)
        slope = next((each for each in factors if isinstance(each, np.ndarray) and each.size == 1), None)
        if x is chosen and any(each is x for each in factors) and slope is not None and _is_zero(bound):
            return elementwise(graph, "LeakyRelu", [x], x.dtype, alpha=float(slope.reshape(())))
    return elementwise(graph, "Where", [condition, chosen, otherwise], results[0].dtype)


def _is_zero(value: Value) -> bool:
    return isinstance(value, np.ndarray) and value.size > 0 and not value.any()


def _clamp(graph: Graph, inputs: Sequence[Value], params: Mapping[str, Tree], results: Sequence[Aval]) -> Tensor:
    low, x, high = inputs
    return elementwise(graph, "Min", [elementwise(graph, "Max", [x, low], x.dtype), high], x.dtype)


def _cast(graph: Graph, inputs: Sequence[Value], params: Mapping[str, Tree], results: Sequence[Aval]) -> Value:
    if inputs[0].dtype == results[0].dtype:
        return inputs[0]
    return elementwise(graph, "Cast", inputs, results[0].dtype, to=element_type(results[0].dtype))


def _square(graph: Graph, inputs: Sequence[Value], params: Mapping[str, Tree], results: Sequence[Aval]) -> Tensor:
    return elementwise(graph, "Mul", [inputs[0], inputs[0]], results[0].dtype)


def _power(graph: Graph, inputs: Sequence[Value], params: Mapping[str, Tree], results: Sequence[Aval]) -> Tensor:
    return elementwise(graph, "Pow", [inputs[0], np.asarray(params["y"], results[0].dtype)], results[0].dtype)


def _rsqrt(graph: Graph, inputs: Sequence[Value], params: Mapping[str, Tree], results: Sequence[Aval]) -> Tensor:
    return elementwise(graph, "Reciprocal", [elementwise(graph, "Sqrt", inputs, results[0].dtype)], results[0].dtype)


def _is_finite(graph: Graph, inputs: Sequence[Value], params: Mapping[str, Tree], results: Sequence[Aval]) -> Tensor:
    """Return whether |x| is less than infinity; NaN is not."""
    size = elementwise(graph, "Abs", inputs, inputs[0].dtype)
    return elementwise(graph, "Less", [size, np.asarray(np.inf, inputs[0].dtype)], np.dtype(bool))


HANDLERS = {
    **{
        name: lambda graph, inputs, params, results, name=name: _binary(graph, inputs, params, results, name)
        for name in BINARY
    },
    **{
        name: lambda graph, inputs, params, results, name=name: elementwise(
            graph, UNARY[name], inputs, results[0].dtype
        )
        for name in UNARY
    },
    **dict.fromkeys(IDENTITIES, lambda graph, inputs, params, results: list(inputs)),
    "select_n": _select,
    "clamp": _clamp,
    "convert_element_type": _cast,
    "square": _square,
    "integer_pow": _power,
    "rsqrt": _rsqrt,
    "is_finite": _is_finite,
}
