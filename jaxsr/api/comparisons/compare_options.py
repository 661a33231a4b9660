"""How photos are compared: one record of options, checked when it is made."""

import dataclasses
import numbers
from collections.abc import Sequence

from jaxsr.engines.engine_choice import AUTO, check_engine
from jaxsr.metrics.protocols import PROTOCOLS
from jaxsr.restoration.precision_choice import CHOICES
from jaxsr.support.errors import UserError, choose, numbers_of


@dataclasses.dataclass(frozen=True)
class CompareOptions:
    """How photos are compared.

    Attributes:
        scale: how many times larger; models that were made for another scale fail. By default each has its own, and
            those that leave it open get that of the first model that does not.
        sharp: the sharp photo of a single photo, or a folder of them, by name or in order.
        reference: for SRNTT: photos to take texture from: files, folders or patterns.
        side: the longest side of a picture on the page, in pixels; of larger photos a part is restored.
        at: where that part has its middle, as parts of width and height.
        protocol: of the scores.
        engine: of the networks, as in RestoreOptions.
        precision: what networks compute in, as in RestoreOptions; zssr computes in float32.
    """

    scale: int | None = None
    sharp: str | None = None
    reference: tuple[str, ...] = ()
    side: int = 1024
    at: tuple[float, float] = (0.5, 0.5)
    protocol: str = "y"
    engine: str = AUTO
    precision: str = "float32"

    def __post_init__(self) -> None:
        """Raise UserError for values that cannot be used."""
        check_engine(self.engine)
        choose("protocol", self.protocol, PROTOCOLS)
        choose("precision", self.precision, dict.fromkeys(CHOICES))
        if not (isinstance(self.side, numbers.Integral) and 64 <= self.side <= 8192):
            raise UserError(f"side={self.side!r} is not a side length of a picture; use 64 to 8192 pixels")
        at = numbers_of("at", self.at, CompareOptions.at)
        if not (len(at) == 2 and all(0 <= part <= 1 for part in at)):
            raise UserError(f"at={self.at} is not a place in a photo; use two parts from 0 to 1, such as 0.5,0.5")
        if isinstance(self.reference, str) or not isinstance(self.reference, Sequence):
            raise UserError(
                f"reference={self.reference!r} is not a list or tuple; write reference=[{self.reference!r}]"
            )
