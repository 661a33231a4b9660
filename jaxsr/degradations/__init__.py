"""How low-resolution and blurred photos are made from HR photos, with the kernel that blurred each.

`table.py` is the one table of names, and the file to open first; `photo_batches.py` degrades by it. `reductions.py`,
`blurring.py` and `downscale.py` hold the arithmetic, `kernels.py` and `camera_shake.py` the random kernels, the latter
along paths of `camera_paths.py`; `centering.py` the rule for where a kernel's centre is, `real_photos/` the degradation
"real". `training_pairs.py` cuts training patches. The functions named after the rows of the table are public:
`named_blurs.py` has those that draw kernels, `named_reductions.py` the others.
"""

from jaxsr.degradations.blurring import blur
from jaxsr.degradations.named_blurs import anisotropic, div2krk, gaussian8, gaussian8_ikc, isotropic, motion
from jaxsr.degradations.named_reductions import bd, bicubic, dn, pillow, real
from jaxsr.degradations.photo_batches import Degraded, degrade_batch
from jaxsr.degradations.table import DEGRADATIONS, Degradation

__all__ = [
    "DEGRADATIONS",
    "Degradation",
    "Degraded",
    "anisotropic",
    "bd",
    "bicubic",
    "blur",
    "degrade_batch",
    "div2krk",
    "dn",
    "gaussian8",
    "gaussian8_ikc",
    "isotropic",
    "motion",
    "pillow",
    "real",
]
