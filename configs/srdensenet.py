"""SRDenseNet (Tong et al., ICCV 2017) at x4.

python -m jaxsr.train --config=srdensenet:All-paper --workdir=runs/srdensenet \
    --config.data.train=data/imagenet

Variants: `All`, `HL`, `H` train with Muon; `All-paper` and its like with the paper's Adam, 60 epochs on 50,000 photos
from ImageNet. The paper reports 32.02 dB on Set5 for All (Y, 8 bits).

A short run on two cores, on T91 and BSDS400: `All` with
    --config.steps=300 --config.batch_size=8 --config.model.options.bottleneck_features=64
    --config.model.options.blocks=4
lowers the loss from 0.259 to 0.005 and gives 29.41 dB on Set5 x4 (y8; bicubic 28.42).
"""

from ml_collections import ConfigDict

from jaxsr.training.config import Config, default_config
from jaxsr.training.training_recipes import choose_variant, muon_recipe, published_recipe, step_schedule, variant_table


def get_config(variant: str = "All") -> Config:
    """Return the config of `variant`, such as "All" or "All-paper"."""
    version, recipe = choose_variant(variant, VARIANTS)
    config = default_config()
    config.model.name = "srdensenet"
    config.model.scale = 4
    config.model.options = ConfigDict(
        {"version": version, "growth": 16, "blocks": 8, "layers": 8, "low_features": 16, "bottleneck_features": 256}
    )
    config.data.patch = 25
    recipe(config)
    return config


def paper(config: Config) -> None:
    """Set section 4.2: Adam from 0.0001, a tenth after 30 of 60 epochs; an epoch is 50,000 photos in batches of 32."""
    published_recipe(config, "adam", 1e-4)
    config.batch_size = 32
    config.data.augment = False
    step_schedule(config, every=30 * 1_563, factor=0.1)
    config.steps = 60 * 1_563


def muon(config: Config) -> None:
    """Set this package's own recipe."""
    muon_recipe(config, steps=12_000)


VARIANTS = variant_table({name: name for name in ("All", "HL", "H")}, {"": muon, "paper": paper})
