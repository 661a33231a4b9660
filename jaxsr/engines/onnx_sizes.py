"""Sizes in an ONNX graph: the symbols n, h and w of the input, and what a program computes of them, such as 2*h - 1."""

import ast
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np

from jaxsr.support.errors import UserError

Size: TypeAlias = Any  # a number, or an expression of `jax.export`, whose type is not public
SYMBOLS = ("n", "h", "w")  # the input's first three axes
OPERATIONS = {ast.Add: "Add", ast.Sub: "Sub", ast.Mult: "Mul"}
FUNCTIONS = {"floordiv": "Div", "mod": "Mod", "max": "Max", "min": "Min"}


class Sizes:
    """Sizes as results of nodes, each computed once."""

    def __init__(self, add_node: Callable[..., str], photos: str, multiple: int) -> None:
        """Take what adds a node, the name of the input (n, h, w, C), and how many pixels a side h and w count."""
        self._add, self._photos, self._multiple = add_node, photos, multiple
        self._names: dict[str, str] = {}

    def vector(self, sizes: Sequence[Size]) -> str | np.ndarray:
        """Return int64 `sizes` (k,), an array where all of them are numbers."""
        if all(isinstance(size, int | np.integer) for size in sizes):
            return np.array(sizes, np.int64)
        return self._add("Concat", [self.single(size) for size in sizes], axis=0)

    def single(self, size: Size) -> str | np.ndarray:
        """Return `size` as int64 (1,)."""
        if isinstance(size, int | np.integer):
            return np.array([size], np.int64)
        text = str(size)
        if text not in self._names:
            self._names[text] = self._node(ast.parse(text.replace("^", "**"), mode="eval").body)
        return self._names[text]

    def _node(self, tree: ast.expr) -> str:
        name = self._term(tree)
        return name if isinstance(name, str) else self._add("Identity", [name])

    def _term(self, tree: ast.expr) -> str | np.ndarray:
        match tree:
            case ast.Constant(value=int(number)):
                return np.array([number], np.int64)
            case ast.Name(id=symbol) if symbol in SYMBOLS:
                axis = SYMBOLS.index(symbol)
                side = self._add("Shape", [self._photos], start=axis, end=axis + 1)
                blocks = axis > 0 and self._multiple > 1
                return self._add("Div", [side, np.array([self._multiple], np.int64)]) if blocks else side
            case ast.UnaryOp(op=ast.USub(), operand=part):
                return self._add("Neg", [self._term(part)])
            case ast.BinOp(left=left, op=op, right=right) if type(op) in OPERATIONS:
                return self._add(OPERATIONS[type(op)], [self._term(left), self._term(right)])
            case ast.BinOp(left=left, op=ast.Pow(), right=ast.Constant(value=int(power))):
                base = self._term(left)
                name = base
                for _ in range(power - 1):
                    name = self._add("Mul", [name, base])
                return name
            case ast.Call(func=ast.Name(id=function), args=arguments) if function in FUNCTIONS:
                return self._add(FUNCTIONS[function], [self._term(part) for part in arguments])
        raise UserError(f"the size {ast.unparse(tree)} cannot be written to ONNX")


def difference(a: Size, b: Size) -> int | None:
    """Return a - b where that is a number."""
    result = a - b
    return int(result) if isinstance(result, int | np.integer) else None
