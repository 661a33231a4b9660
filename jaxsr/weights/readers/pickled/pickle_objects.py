"""What stands for a pickle's objects: names that are never imported, holders of a state, keys that are plain."""

from collections.abc import Callable
from typing import Any, TypeAlias

Pickled: TypeAlias = Any  # whatever a pickle holds
MAX_KEY_PARTS = 16
MAX_KEY_BITS = 60  # larger ones can be chosen to share one hash


class PickleRefused(ValueError):
    """A pickle that holds anything but data."""


class Holder:
    """An object of an unknown class: its state and nothing of its behaviour."""

    state: Pickled = None


class Global:
    """A name in a pickle. It is never imported; `call` gives what stands for calling it, `new` for instantiating it."""

    def __init__(self, name: str, call: Callable[..., Pickled] | None = None, *, inert: bool = False) -> None:
        """Name what is known by `call`, and whether it may be instantiated as a Holder (`inert`)."""
        self.name, self._call, self._inert = name, call, inert

    def call(self, arguments: Pickled) -> Pickled:
        """Return the object that stands for the call."""
        if self._call is None or not isinstance(arguments, tuple):
            raise PickleRefused(f"it calls {self.name}, which is not a tensor")
        return self._call(*arguments)

    def new(self) -> Holder:
        """Return an empty object of an unknown class."""
        if not self._inert:
            raise PickleRefused(f"it instantiates {self.name}, which is not a plain object")
        return Holder()


def check_key(key: Pickled) -> Pickled:
    """Return a key of a dictionary or set; raises PickleRefused unless it is plain, or a few plain values."""
    parts = key if type(key) is tuple and len(key) <= MAX_KEY_PARTS else (key,)
    if not all(type(part) in (str, int, bool, float, bytes, type(None), Holder, Global) for part in parts):
        raise PickleRefused(f"a key is a {type(key).__name__} of other objects")
    if any(type(part) is int and part.bit_length() > MAX_KEY_BITS for part in parts):
        raise PickleRefused(f"a key is a number of more than {MAX_KEY_BITS} bits")
    return key


def pairs(items: Pickled) -> dict[Pickled, Pickled]:
    """Return a dictionary of a list of pairs."""
    return {check_key(key): value for key, value in items}
