"""What a photo is matched with: the features of its references."""

import dataclasses
from collections.abc import Sequence

import numpy as np

from jaxsr.models.ops.feature_swap import Textures
from jaxsr.weights.vgg_files import VGGWeights


@dataclasses.dataclass(frozen=True, eq=False)
class ReferenceFeatures:
    """`conditions`, relu3_1 (h, w, 256) of each reference after reduction and enlargement, and `textures`, what is
    taken from the references, at each of SRNTT's layers.

    `sizes` (h, w) are those of the conditions. Without references a photo is its own: all are empty.
    """

    vgg: VGGWeights
    conditions: Sequence[np.ndarray] = ()
    textures: Sequence[Textures] = ()

    @property
    def sizes(self) -> list[tuple[int, ...]]:
        """Rows and columns of the matched positions in each reference."""
        return [x.shape[:2] for x in self.conditions]
