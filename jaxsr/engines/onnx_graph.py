"""An ONNX graph that grows node by node, and its arrays: axes may be stored in another order, or not yet repeated."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Protocol, TypeAlias

import numpy as np
import onnx  # pyright: ignore[reportMissingImports]  # of an extra
from onnx import TensorProto, helper, numpy_helper  # pyright: ignore[reportMissingImports]

from jaxsr.engines.onnx_sizes import Size, Sizes

OPSET = 17
IR_VERSION = 8  # of ONNX 1.12, the first with this opset: readers of that age take the file


@dataclasses.dataclass(frozen=True)
class Tensor:
    """An array in the graph, called `name` there, of the logical `shape`, whose sides may be symbols.

    Axis i as stored is the logical axis `order[i]`: convolutions store channels second, and elementwise operations
    follow, so that nothing is transposed between them. The logical axes in `repeated` are stored with side 1: what
    JAX writes out for broadcasting stays small.
    """

    name: str
    shape: tuple[Size, ...]
    dtype: np.dtype
    order: tuple[int, ...]
    repeated: frozenset[int] = frozenset()

    def axes_of(self, source: "Tensor") -> tuple[int, ...] | None:
        """Return how the axes of `source`, stored alike, were permuted into these; None where that is not so."""
        if len(self.shape) != len(source.shape):
            return None
        return tuple(source.order[self.order.index(axis)] for axis in range(len(self.shape)))

    @property
    def plain(self) -> tuple[int, ...]:
        """The order of an array stored as it is."""
        return tuple(range(len(self.shape)))


class Aval(Protocol):
    """What JAX says of a result: its shape, whose sides may be symbols, and its dtype."""

    shape: tuple[Size, ...]
    dtype: np.dtype


Value: TypeAlias = Tensor | np.ndarray  # arrays that do not depend on the input are kept as numbers
Attribute: TypeAlias = int | float | str | Sequence[int]


class Graph:
    """The nodes and constants of a graph, and for each result the operation and the values that it comes from."""

    def __init__(self, photos: Tensor, multiple: int, further: Sequence[Tensor] = ()) -> None:
        """Begin with the input `photos` (n, h, w, C), whose symbols count blocks of `multiple` pixels, and others."""
        self._inputs = (photos, *further)
        self.sizes = Sizes(self.node, photos.name, multiple)
        self.origins: dict[str, tuple[str, tuple[Value, ...]]] = {}
        self._nodes: list[onnx.NodeProto] = []
        self._constants: dict[tuple[bytes, tuple[int, ...], str], str] = {}
        self._initializers: list[onnx.TensorProto] = []
        self._stored: dict[tuple[str, tuple[int, ...]], str] = {}

    def node(self, operation: str, inputs: Sequence[str | np.ndarray], **attributes: Attribute) -> str:
        """Add a node with one result; return the result's name."""
        names = [each if isinstance(each, str) else self.constant(each) for each in inputs]
        output = f"{operation.lower()}_{len(self._nodes)}"
        self._nodes.append(helper.make_node(operation, names, [output], **attributes))  # pyright: ignore
        return output

    def operation(self, value: Value) -> str:
        """Return the operation that `value` is the result of, "" where that is not noted."""
        return self.origins[value.name][0] if isinstance(value, Tensor) and value.name in self.origins else ""

    def inputs(self, value: Value) -> tuple[Value, ...]:
        """Return the values that `value`, whose operation is noted, was computed from."""
        assert isinstance(value, Tensor)
        return self.origins[value.name][1]

    def cast(self, name: str, dtype: np.dtype | type) -> str:
        """Return the name of the array `name` as `dtype`."""
        return self.node("Cast", [name], to=element_type(np.dtype(dtype)))

    def constant(self, array: np.ndarray) -> str:
        """Return the name of a constant; equal ones are stored once, such as weights that recursions share."""
        array = np.array(array, order="C")
        key = (array.tobytes(), array.shape, array.dtype.str)
        if key not in self._constants:
            name = self._constants[key] = f"constant_{len(self._constants)}"
            self._initializers.append(numpy_helper.from_array(array, name))
        return self._constants[key]

    def stored(self, value: Value, order: Sequence[int]) -> str:
        """Return the name of `value` with its axes stored in `order`; repeated axes stay 1."""
        order = tuple(order)
        if isinstance(value, np.ndarray):
            return self.constant(value.transpose(order) if value.ndim == len(order) else value)
        if value.order == order:
            return value.name
        if (value.name, order) not in self._stored:
            axes = [value.order.index(axis) for axis in order]
            self._stored[value.name, order] = self.node("Transpose", [value.name], perm=axes)
        return self._stored[value.name, order]

    def whole(self, value: Value, order: Sequence[int]) -> str:
        """Return the name of `value` stored in `order`, repeated axes written out."""
        name = self.stored(value, order)
        if isinstance(value, np.ndarray) or not value.repeated:
            return name
        shape = [value.shape[axis] if axis in value.repeated else 1 for axis in order]
        return self.node("Expand", [name, self.sizes.vector(shape)])

    def serialized(self, results: Mapping[str, Value], metadata: dict[str, str]) -> bytes:
        """Return the file of the finished, checked model with the outputs `results`; what they need not is left out."""
        for name, value in results.items():
            stored = self.whole(value, range(len(value.shape)))
            self._nodes.append(helper.make_node("Identity", [stored], [name]))
        graph = helper.make_graph(
            self._needed_nodes(set(results)),
            "jaxsr",
            [_declared(each.name, each.shape, each.dtype) for each in self._inputs],
            [_declared(name, value.shape, value.dtype) for name, value in results.items()],
        )
        used = {name for node in graph.node for name in node.input}
        graph.initializer.extend(each for each in self._initializers if each.name in used)
        opsets = [helper.make_opsetid("", OPSET)]
        model = helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION, producer_name="jaxsr")
        helper.set_model_props(model, metadata)
        onnx.checker.check_model(model)
        return model.SerializeToString()

    def _needed_nodes(self, needed: set[str]) -> list[onnx.NodeProto]:
        """Return the nodes that the results `needed` depend on, in their order."""
        kept = []
        for node in reversed(self._nodes):
            if node.output[0] in needed:
                needed.update(node.input)
                kept.append(node)
        return kept[::-1]


def _declared(name: str, shape: Sequence[Size], dtype: np.dtype) -> onnx.ValueInfoProto:
    sides = [side if isinstance(side, int) else str(side) for side in shape]
    return helper.make_tensor_value_info(name, element_type(dtype), sides)


def element_type(dtype: np.dtype) -> TensorProto.DataType:
    """Return ONNX's number for a dtype."""
    return helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
