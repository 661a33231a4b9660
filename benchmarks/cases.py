"""What each network is timed on: its paper's main scale, and sizes at which a call takes 10 to 1000 ms on two cores."""

from typing import NamedTuple


class Size(NamedTuple):
    """`scale`; `height` and `width` of the small photo; side of the `patch`es of a training `batch`.

    Patches are measured at the network's input, which for some is the enlargement.
    """

    scale: int
    height: int
    width: int
    patch: int = 24
    batch: int = 4


SIZES = {
    "srcnn": Size(3, 256, 384, 32, 16),
    "fsrcnn": Size(3, 512, 768, 32, 16),
    "espcn": Size(3, 512, 768, 32, 16),
    "vdsr": Size(3, 96, 96),
    "drcn": Size(3, 24, 24),
    "rdn": Size(2, 48, 48),
    "lapsrn": Size(4, 96, 96),
    "mslapsrn": Size(4, 48, 48),
    "srdensenet": Size(4, 64, 64),
    "srresnet": Size(4, 96, 96),
    "srgan": Size(4, 96, 96),
    "danv1": Size(2, 48, 48),
    "danv2": Size(2, 48, 48),
    "deblurgan": Size(1, 128, 128, 64, 2),
    "srntt": Size(4, 40, 40, 20, 2),
}
