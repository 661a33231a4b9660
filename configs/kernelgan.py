"""KernelGAN (Bell-Kligler, Shocher, Irani, NeurIPS 2019, arXiv 1909.06581): the blur kernels of photos.

python -m jaxsr.train --config=kernelgan:x2 --workdir=runs/kernels --config.data.train=FOLDER

Variants: `x2`, and `x4`, whose kernel is that of x2 applied twice. A photo takes four runs of 3,000 steps, under a
minute on two cores. The run folder gets kernels/NAME_x2.npz, .mat and .png of each photo, and the losses in
metrics.jsonl. This does what `python -m jaxsr.estimate_kernel` does, from a config; the same command continues with the
photos that have no kernel yet. At x2 the mean error of the kernels is 0.24 on six photos of DIV2KRK.
"""

import dataclasses

from ml_collections import ConfigDict

from jaxsr.blind.kernelgan.kernelgan_options import KernelGANOptions
from jaxsr.training.config import Config
from jaxsr.training.training_recipes import choose_variant, scale_names

VARIANTS = scale_names(2, 4)


def get_config(variant: str = "x2") -> Config:
    """Return the config of `variant`, "x2" or "x4": the fields of KernelGANOptions, with their defaults."""
    options = dataclasses.asdict(KernelGANOptions(scale=choose_variant(variant, VARIANTS)))
    config = ConfigDict()
    config.model = ConfigDict({"name": "kernelgan", "scale": options.pop("scale")})
    config.data = ConfigDict({"train": ""})  # photos, folders or patterns, by comma
    config.update(options)
    return config
