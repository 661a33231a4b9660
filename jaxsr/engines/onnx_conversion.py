"""A traced program as an ONNX graph: calls are written out, loops unrolled, what depends on weights alone computed.

Of the ways that a program has for several platforms, the one for no platform in particular is taken: plain
convolutions, which every runtime knows.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from jax.extend import core

from jaxsr.engines import onnx_contractions, onnx_cuts, onnx_elementwise, onnx_shapes
from jaxsr.engines.constant_folding import fold
from jaxsr.engines.onnx_graph import Aval, Graph, Tensor, Value
from jaxsr.engines.runtimes import input_names
from jaxsr.support.errors import UserError
from jaxsr.support.types import Tree

CALLS = ("jaxpr", "call_jaxpr", "fun_jaxpr")  # the parameter of a call that holds what is called
Handler = Callable[[Graph, Sequence[Value], Mapping[str, Tree], Sequence[Aval]], Value | list[Value]]
HANDLERS: dict[str, Handler] = {
    **onnx_elementwise.HANDLERS,
    **onnx_shapes.HANDLERS,
    **onnx_cuts.HANDLERS,
    **onnx_contractions.HANDLERS,
}


def to_onnx(
    program: core.ClosedJaxpr, names: Sequence[str], metadata: Mapping[str, str], *, multiple: int = 1
) -> bytes:
    """Return the ONNX file of a traced `program` with the inputs of `input_names`, whose outputs get `names`.

    `multiple` is that of `photo_shape`.

    Raises UserError for an operation that has no counterpart here, and for a model of more than 2 GB.
    """
    avals = [variable.aval for variable in program.jaxpr.invars]
    tensors = [
        Tensor(name, tuple(aval.shape), aval.dtype, tuple(range(len(aval.shape))))
        for name, aval in zip(input_names(len(avals)), avals, strict=True)
    ]
    graph = Graph(tensors[0], multiple, tensors[1:])
    order = onnx_shapes.CHANNELS_SECOND  # from the start: OpenVINO 2026.4 mixes up DeblurGAN's photo stored both ways
    stored = [Tensor(graph.stored(each, order), each.shape, each.dtype, order) for each in tensors]
    results = _run(graph, program.jaxpr, [np.asarray(each) for each in program.consts], stored)
    return graph.serialized(dict(zip(names, results, strict=True)), dict(metadata))


def _run(graph: Graph, jaxpr: core.Jaxpr, constants: Sequence[Value], inputs: Sequence[Value]) -> list[Value]:
    """Return the results of `jaxpr`, added to the graph as far as they are no constants."""
    values: dict[core.Var, Value] = dict(zip(jaxpr.constvars, constants, strict=True))
    values |= zip(jaxpr.invars, inputs, strict=True)

    def read(atom: core.Var | core.Literal) -> Value:
        return np.asarray(atom.val, atom.aval.dtype) if isinstance(atom, core.Literal) else values[atom]  # pyright: ignore

    for equation in _needed(jaxpr):
        results = _apply(graph, equation, [read(atom) for atom in equation.invars])
        values |= zip(equation.outvars, results, strict=True)
    return [read(atom) for atom in jaxpr.outvars]


def _needed(jaxpr: core.Jaxpr) -> list[core.JaxprEqn]:
    """Return the equations that the outputs depend on."""
    needed = {atom for atom in jaxpr.outvars if isinstance(atom, core.Var)}
    kept = []
    for equation in reversed(jaxpr.eqns):
        if needed.intersection(equation.outvars):
            needed.update(atom for atom in equation.invars if isinstance(atom, core.Var))
            kept.append(equation)
    return kept[::-1]


def _apply(graph: Graph, equation: core.JaxprEqn, inputs: list[Value]) -> list[Value]:
    """Return the results of one equation."""
    name, params = equation.primitive.name, equation.params
    if name == "platform_index":
        return [np.asarray(len(params["platforms"]) - 1, np.int32)]  # the last is for any platform
    if name == "cond":
        branch = params["branches"][int(inputs[0])] if isinstance(inputs[0], np.ndarray) else None
        return _run(graph, branch.jaxpr, branch.consts, inputs[1:]) if branch else _unknown(name)
    if name == "scan":
        return _unrolled(graph, inputs, params)
    called = next((params[each] for each in CALLS if each in params), None)
    if called is not None:
        inner, constants = (called.jaxpr, called.consts) if isinstance(called, core.ClosedJaxpr) else (called, [])
        return _run(graph, inner, constants, inputs)
    shapes = [tuple(variable.aval.shape) for variable in equation.outvars]  # pyright: ignore
    numbers = [value for value in inputs if isinstance(value, np.ndarray)]
    if len(numbers) == len(inputs) and all(map(_is_known, shapes)) and name != "dim_as_value":
        return [*fold(equation, numbers)]
    if name not in HANDLERS:
        _unknown(name)
    results = HANDLERS[name](graph, inputs, params, [variable.aval for variable in equation.outvars])  # pyright: ignore
    return results if isinstance(results, list) else [results]


def _unknown(name: str) -> list[Value]:
    raise UserError(f"the operation {name!r} cannot be written to ONNX")


def _is_known(shape: Sequence[object]) -> bool:
    return all(isinstance(side, int | np.integer) for side in shape)


def _unrolled(graph: Graph, inputs: Sequence[Value], params: Mapping[str, Tree]) -> list[Value]:
    """Return the results of a scan, whose steps are written out one after another."""
    body, length = params["jaxpr"], params["length"]
    constants, carried = params["num_consts"], params["num_carry"]
    fixed, carry, each = inputs[:constants], list(inputs[constants:][:carried]), inputs[constants + carried :]
    outputs: list[list[Value]] = []
    steps = range(length)[::-1] if params["reverse"] else range(length)
    for step in steps:
        slices = [onnx_shapes.element(graph, value, step) for value in each]
        results = _run(graph, body.jaxpr, body.consts, [*fixed, *carry, *slices])
        carry = results[:carried]
        outputs.append(results[carried:])
    outputs = outputs[::-1] if params["reverse"] else outputs
    return [*carry, *(onnx_shapes.stacked(graph, parts, 0) for parts in zip(*outputs, strict=True))]
