"""What the training loop asks of a source of crops."""

from collections.abc import Callable
from typing import Protocol, TypeAlias

import jax

from jaxsr.support.types import Json, Key, Tree

Sharded: TypeAlias = "bool | dict[str, Sharded]"


class Feed(Protocol):
    """A source of crops. The host calls `data` before a dispatch; `draw` runs inside the compiled step."""

    @property
    def sharded(self) -> Sharded:
        """Whether `data` is split over the devices; of several feeds, by name."""
        ...

    @property
    def draw(self) -> Callable[[Tree, jax.Array, Key], Tree]:
        """What draws crops inside the step: (data, number of the step in it, keys (N,)) -> crops of N examples."""
        ...

    def data(self, count: int) -> Tree:
        """Return the arrays from which the crops of the next `count` steps are drawn."""
        ...

    def position(self) -> Json:
        """Return the position in the data, for the checkpoint."""
        ...

    def seek(self, position: Json) -> None:
        """Go to a position that `position` returned."""
        ...


def goes_on(position: Json, saved: Json) -> bool:
    """Return whether a feed whose `position` looks like this can go to `saved`, which another run's feed had."""
    if position is None:
        return True  # photos that live on the devices have no position
    if isinstance(position, dict) and isinstance(saved, dict):
        return position.keys() == saved.keys() and all(goes_on(position[name], saved[name]) for name in position)
    return type(position) is type(saved)
