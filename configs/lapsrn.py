"""LapSRN (Lai et al., CVPR 2017, arXiv 1704.03915) at x2, x4, x8.

python -m jaxsr.train --config=lapsrn:x4-paper --workdir=runs/lapsrn-x4 --config.data.train=T91,BSDS200

Variants: `x2`, `x4`, `x8` train with Muon; `x2-paper` and its like with the paper's SGD. As in the authors' weights x2
and x4 have 10 layers at each level and x8 has 5, and features are enlarged by 3x3 kernels;
--config.model.options.upsampling=4x4 takes the text's. x3 is x4 reduced: evaluate and restore do it with
`--model=runs/lapsrn-x4 --scale=3`. The paper reports 37.52, 31.54 and 26.15 dB on Set5 (Y).

A short run on two cores, on T91 and BSDS400: `x4` with
    --config.steps=300 --config.batch_size=8
lowers the loss from 0.084 to 0.059 and gives 30.28 dB on Set5 x4 (y8; bicubic 28.42).
"""

from ml_collections import ConfigDict

from jaxsr.training.config import Config, default_config
from jaxsr.training.training_recipes import (
    choose_variant,
    laplacian_muon_recipe,
    laplacian_recipe,
    scale_names,
    variant_table,
)


def get_config(variant: str = "x4") -> Config:
    """Return the config of `variant`, such as "x4" or "x4-paper"."""
    config = default_config()
    config.model.name = "lapsrn"
    config.model.scale, recipe = choose_variant(variant, VARIANTS)
    depth = 5 if config.model.scale == 8 else 10
    config.model.options = ConfigDict({"depth": depth, "features": 64, "upsampling": "3x3"})
    config.supervision.name = "levels"
    config.data.patch = 128 // config.model.scale
    recipe(config)
    return config


def paper(config: Config) -> None:
    """Set section 3.3: SGD on the sum over pixels from 0.00001, halved every 50 epochs of 1,000 updates."""
    laplacian_recipe(config, learning_rate=1e-5, halved_every=50_000, steps=300_000)


def muon(config: Config) -> None:
    """Set this package's own recipe."""
    laplacian_muon_recipe(config, batch_size=16)


VARIANTS = variant_table(scale_names(2, 4, 8), {"": muon, "paper": paper})
