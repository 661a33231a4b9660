"""RDN (Zhang et al., CVPR 2018, arXiv 1802.08797) at x2, x3, x4, on RGB.

python -m jaxsr.train --config=rdn:x2-paper --workdir=runs/rdn-x2 --config.data.train=data/div2k

Variants: `x2`, `x3`, `x4` train with Muon; `x2-paper` and its like with the paper's Adam; `x3-small` is the ablations'
network of 20 blocks, 6 layers and 32 maps; `x3-bd` and `x3-dn` are the paper's recipe for blurred and for noisy LR
photos (section 5.1), which it has at x3. The authors start x3 and x4, and bd and dn, from trained weights:
--config.initial_weights=runs/rdn-x2/model.safetensors. The paper reports 38.24, 34.71 and 32.47 dB on Set5 (Y), 34.58
for bd and 28.47 for dn; `evaluate --ensemble` is its RDN+. `--config.model.options.remat=True` trains in less memory.

A short run on two cores, on T91 and BSDS400: `x2-small` with
    --config.steps=300 --config.batch_size=8 --config.data.patch=32 --config.model.options.features=32
    --config.model.options.growth=16 --config.model.options.blocks=6 --config.model.options.layers=4
lowers the loss from 0.231 to 0.025 and gives 35.13 dB on Set5 x2 (y8; bicubic 33.66).
"""

from ml_collections import ConfigDict

from jaxsr.training.config import Config, default_config
from jaxsr.training.training_recipes import (
    choose_variant,
    muon_recipe,
    published_recipe,
    scale_names,
    step_schedule,
    variant_table,
)


def get_config(variant: str = "x2") -> Config:
    """Return the config of `variant`, such as "x2", "x2-paper", "x3-small", "x3-bd" or "x3-dn"."""
    config = default_config()
    config.model.name = "rdn"
    config.model.options = ConfigDict(
        {
            **{"blocks": 16, "layers": 8, "growth": 64, "features": 64},  # D, C, G and G0
            **{"mean": "div2k", "input_scale": 255.0, "remat": False},
        }
    )
    config.model.scale, recipe = choose_variant(variant, VARIANTS)
    config.loss = "l1"
    config.data.patch = 48 if config.model.scale == 2 else 32  # the paper's text has 32, its x2 weights 48
    recipe(config)
    return config


def paper(config: Config) -> None:
    """Set section 5.1: Adam from 0.0001, halved every 200 epochs of 1,000 updates, on DIV2K's small photos of 8 bits.

    The authors' code also skips a batch whose error is over 3 times that of the batch before; this does not.
    """
    published_recipe(config, "adam", 1e-4)
    config.data.quantize_lr = True
    step_schedule(config, every=200_000, factor=0.5)
    config.steps = 1_000_000


def blurred(config: Config) -> None:
    """Set BD: a Gaussian blur, then every third pixel."""
    paper(config)
    config.data.degradation = "bd"


def noisy(config: Config) -> None:
    """Set DN: bicubic reduction, then noise."""
    paper(config)
    config.data.degradation = "dn"


def muon(config: Config) -> None:
    """Set this package's own recipe."""
    muon_recipe(config, steps=20_000)


def small(config: Config) -> None:
    """Set the network of the paper's ablations, a quarter of the size."""
    muon(config)
    config.model.options.update(blocks=20, layers=6, growth=32)


RECIPES = {"": muon, "paper": paper, "small": small, "bd": blurred, "dn": noisy}
VARIANTS = variant_table(scale_names(2, 3, 4), RECIPES)
