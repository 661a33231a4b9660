"""How near a restored photo, or an estimated kernel, is to the true one, and how natural a photo is by itself.

`image_quality.py` has PSNR and SSIM, for NumPy and for JAX arrays, and is the file to open first. `protocols.py` says
what published tables compare: which channel, how rounded, how much border cut. `kernel_errors.py` compares kernels.
`niqe.py` judges a photo without a reference.
"""

from jaxsr.metrics.image_quality import psnr, ssim
from jaxsr.metrics.kernel_errors import centre_distance, kernel_error, kernel_psnr
from jaxsr.metrics.niqe import niqe
from jaxsr.metrics.protocols import PROTOCOLS, Protocol

__all__ = ["PROTOCOLS", "Protocol", "centre_distance", "kernel_error", "kernel_psnr", "niqe", "psnr", "ssim"]
