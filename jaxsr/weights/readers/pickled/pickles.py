"""Pickles read as data: a small machine that knows the opcodes of containers and numbers, and calls nothing of theirs.

Python's own unpickler can be made to overflow the stack or to compute for hours by a file without any code: by keys
that are nested tuples, or lists that hold each other. Here opcodes are counted, and keys are plain.
"""

import pickletools
from collections.abc import Callable
from typing import IO

from jaxsr.weights.readers.pickled.pickle_objects import Global, Holder, Pickled, PickleRefused, check_key, pairs

MAX_OPERATIONS = 1_000_000  # 40,000 tensors; a second or two


class Machine:
    """Reads one pickle of a stream.

    `find` gives the Global of a module and a name, `persistent` what a persistent id stands for.
    """

    def __init__(self, find: Callable[[str, str], Global], persistent: Callable[[Pickled], Pickled]) -> None:
        """Start with an empty stack."""
        self._find, self._persistent = find, persistent
        self._stack: list[Pickled] = []
        self._marked: list[list[Pickled]] = []
        self._memo: dict[int, Pickled] = {}

    def load(self, stream: IO[bytes]) -> Pickled:
        """Return the object; the stream stands behind it. Raises PickleRefused, and ValueError for a broken one."""
        for count, (opcode, argument, _) in enumerate(pickletools.genops(stream)):
            if count >= MAX_OPERATIONS:
                raise PickleRefused(f"it has more than {MAX_OPERATIONS} opcodes")
            if opcode.name in _CONSTANTS:
                self._stack.append(argument)
            elif opcode.name == "STOP":
                return self._pop()
            elif opcode.name in _STEPS:
                _STEPS[opcode.name](self, argument)
            else:
                raise PickleRefused(f"it has the opcode {opcode.name}, which networks do not need")
        raise PickleRefused("it ends early")

    def _pop(self) -> Pickled:
        if not self._stack:
            raise PickleRefused("its stack is empty")
        return self._stack.pop()

    def _top(self) -> Pickled:
        if not self._stack:
            raise PickleRefused("its stack is empty")
        return self._stack[-1]

    def _top_of(self, kind: type) -> Pickled:
        if not isinstance(self._top(), kind):
            raise PickleRefused(f"it changes a {type(self._top()).__name__}")
        return self._stack[-1]

    def _mark(self) -> None:
        self._marked.append(self._stack)
        self._stack = []

    def _pop_to_mark(self) -> list[Pickled]:
        if not self._marked:
            raise PickleRefused("a mark is missing")
        items, self._stack = self._stack, self._marked.pop()
        return items

    def _pop_or_unmark(self) -> None:
        if self._stack:
            self._stack.pop()
        else:
            self._pop_to_mark()

    def _push(self, value: Pickled) -> None:
        self._stack.append(value)

    def _push_last(self, count: int) -> None:
        self._push(tuple([self._pop() for _ in range(count)][::-1]))

    def _append(self, values: list[Pickled]) -> None:
        self._top_of(list).extend(values)

    def _set(self, items: list[Pickled]) -> None:
        self._top_of(dict).update(pairs(zip(items[::2], items[1::2], strict=True)))

    def _set_one(self) -> None:
        value, key = self._pop(), self._pop()
        self._set([key, value])

    def _add(self, items: list[Pickled]) -> None:
        self._top_of(set).update(map(check_key, items))

    def _get(self, place: int) -> None:
        if place not in self._memo:
            raise PickleRefused(f"it refers to object {place}, which it does not have")
        self._push(self._memo[place])

    def _put(self, place: int | None) -> None:
        self._memo[len(self._memo) if place is None else place] = self._top()

    def _name(self, module: Pickled, name: Pickled) -> None:
        if not (isinstance(module, str) and isinstance(name, str)):
            raise PickleRefused("it names something by no text")
        self._push(self._find(module, name))

    def _stack_name(self) -> None:
        name, module = self._pop(), self._pop()
        self._name(module, name)

    def _global(self) -> Global:
        if not isinstance(found := self._pop(), Global):
            raise PickleRefused(f"it calls a {type(found).__name__}")
        return found

    def _reduce(self) -> None:
        arguments = self._pop()
        self._push(self._global().call(arguments))

    def _new(self, arguments: int) -> None:
        for _ in range(arguments):
            self._pop()
        self._push(self._global().new())

    def _build(self) -> None:
        state = self._pop()
        if isinstance(self._top(), Holder):  # what tensors and dictionaries have beside is not needed
            self._top().state = state


_CONSTANTS = {
    *("INT", "LONG", "BININT", "BININT1", "BININT2", "LONG1", "LONG4", "FLOAT", "BINFLOAT", "STRING", "BINSTRING"),
    *("SHORT_BINSTRING", "BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "BYTEARRAY8", "UNICODE", "BINUNICODE"),
    *("SHORT_BINUNICODE", "BINUNICODE8"),
}

_STEPS: dict[str, Callable[[Machine, Pickled], object]] = {
    **dict.fromkeys(("PROTO", "FRAME"), lambda machine, _: None),
    "NONE": lambda machine, _: machine._push(None),
    "NEWTRUE": lambda machine, _: machine._push(True),
    "NEWFALSE": lambda machine, _: machine._push(False),
    "EMPTY_LIST": lambda machine, _: machine._push([]),
    "EMPTY_TUPLE": lambda machine, _: machine._push(()),
    "EMPTY_DICT": lambda machine, _: machine._push({}),
    "EMPTY_SET": lambda machine, _: machine._push(set()),
    "LIST": lambda machine, _: machine._push(machine._pop_to_mark()),
    "TUPLE": lambda machine, _: machine._push(tuple(machine._pop_to_mark())),
    "TUPLE1": lambda machine, _: machine._push_last(1),
    "TUPLE2": lambda machine, _: machine._push_last(2),
    "TUPLE3": lambda machine, _: machine._push_last(3),
    "FROZENSET": lambda machine, _: machine._push(set(map(check_key, machine._pop_to_mark()))),
    "DICT": lambda machine, _: machine._push(_dict_of(machine._pop_to_mark())),
    "APPEND": lambda machine, _: machine._append([machine._pop()]),
    "APPENDS": lambda machine, _: machine._append(machine._pop_to_mark()),
    "SETITEM": lambda machine, _: machine._set_one(),
    "SETITEMS": lambda machine, _: machine._set(machine._pop_to_mark()),
    "ADDITEMS": lambda machine, _: machine._add(machine._pop_to_mark()),
    "MARK": lambda machine, _: machine._mark(),
    "POP": lambda machine, _: machine._pop_or_unmark(),
    "POP_MARK": lambda machine, _: machine._pop_to_mark(),
    "DUP": lambda machine, _: machine._push(machine._top()),
    **dict.fromkeys(("GET", "BINGET", "LONG_BINGET"), Machine._get),
    **dict.fromkeys(("PUT", "BINPUT", "LONG_BINPUT", "MEMOIZE"), Machine._put),
    "PERSID": lambda machine, pid: machine._push(machine._persistent(pid)),
    "BINPERSID": lambda machine, _: machine._push(machine._persistent(machine._pop())),
    "GLOBAL": lambda machine, names: machine._name(*names.split(" ", 1)),
    "STACK_GLOBAL": lambda machine, _: machine._stack_name(),
    "REDUCE": lambda machine, _: machine._reduce(),
    "NEWOBJ": lambda machine, _: machine._new(1),
    "NEWOBJ_EX": lambda machine, _: machine._new(2),
    "BUILD": lambda machine, _: machine._build(),
}


def _dict_of(items: list[Pickled]) -> dict[Pickled, Pickled]:
    return pairs(zip(items[::2], items[1::2], strict=True))
