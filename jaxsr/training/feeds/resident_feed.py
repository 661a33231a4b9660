"""The feed of photos that fit into the devices' memory."""

from collections.abc import Mapping

import numpy as np

from jaxsr.data.resident import ResidentPhotos, draw_crops, pack, rescaled
from jaxsr.devices import parallel
from jaxsr.support.types import Device
from jaxsr.training.config import Config


class ResidentFeed:
    """Crops of photos that stay on every device. They follow from the step's keys alone: no position needs saving."""

    sharded = False

    def __init__(self, photos: Mapping[str, np.ndarray], config: Config, crop: int, devices: list[Device]):
        """Pack `photos` for crops of `crop` pixels a side and copy them to the devices."""
        self._photos = parallel.replicate(pack(rescaled(photos, config.data.rescale), crop), devices)
        self.draw = lambda photos, _, keys: draw_crops(keys, photos, crop)

    def data(self, count: int) -> ResidentPhotos:
        """Return the packed photos."""
        return self._photos

    def position(self) -> None:
        """Return None."""

    def seek(self, position: None) -> None:
        """Do nothing."""
