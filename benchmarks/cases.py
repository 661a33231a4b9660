"""What each network is timed on: its paper's main scale, and sizes that fill two cores for 10 to 1000 ms, or a GPU."""

from typing import NamedTuple

from jaxsr.models import precision

# Titles of the tables that the README is made of
A_PHOTO, A_STEP = "A photo", "A training step of Adam on the mean squared error"

PRECISIONS = tuple(precision.PRECISIONS)


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

# The papers' patches and batches, and photos that come out at 1024x1024 to 2048x2048
GPU_SIZES = {
    "srcnn": Size(3, 512, 512, 33, 128),
    "fsrcnn": Size(3, 683, 683, 12, 128),
    "espcn": Size(3, 683, 683, 17, 16),
    "vdsr": Size(3, 341, 341, 41, 64),
    "drcn": Size(3, 171, 171, 41, 64),
    "rdn": Size(2, 512, 512, 48, 16),
    "lapsrn": Size(4, 256, 256, 32, 16),
    "mslapsrn": Size(4, 256, 256, 32, 8),
    "srdensenet": Size(4, 256, 256, 25, 32),
    "srresnet": Size(4, 256, 256, 24, 16),
    "srgan": Size(4, 256, 256, 24, 16),
    "danv1": Size(2, 512, 512, 64, 16),
    "danv2": Size(2, 512, 512, 64, 16),
    "deblurgan": Size(1, 720, 1280, 256, 1),
    "srntt": Size(4, 256, 256, 40, 9),
}

# For trying a command out
DRY_SIZES = {name: Size(size.scale, 16, 16, 12, 2) for name, size in SIZES.items()}

SIZES_OF = {"cpu": SIZES, "gpu": GPU_SIZES, "dry": DRY_SIZES}
