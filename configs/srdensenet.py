"""SRDenseNet (Tong et al., ICCV 2017) at x4.

python -m jaxsr.train --config=configs/srdensenet.py:All-paper --workdir=runs/srdensenet \
    --config.data.train=data/imagenet

Variants: `All`, `HL`, `H` train with Muon; `All-paper` and its like with the paper's Adam, 60 epochs on 50,000 photos
from ImageNet. The paper reports 32.02 dB on Set5 for All (Y, 8 bits).
"""

from ml_collections import ConfigDict

from jaxsr.training.config import Config, check_variant, default_config


def get_config(variant: str = "All") -> Config:
    """Return the config of `variant`, such as "All" or "All-paper"."""
    recipes = {"": muon, "paper": paper}
    check_variant(variant, [f"{name}-{recipe}".strip("-") for name in ("All", "HL", "H") for recipe in recipes])
    version, _, recipe = variant.partition("-")
    config = default_config()
    config.model.name = "srdensenet"
    config.model.scale = 4
    config.model.options = ConfigDict(
        {"version": version, "growth": 16, "blocks": 8, "layers": 8, "low_features": 16, "bottleneck_features": 256}
    )
    config.data.patch = 25
    recipes[recipe](config)
    return config


def paper(config: Config) -> None:
    """Set section 4.2: Adam from 0.0001, a tenth after 30 of 60 epochs; an epoch is 50,000 photos in batches of 32."""
    config.batch_size = 32
    config.data.stretch = 0.0
    config.data.augment = False
    config.ema_decay = 0.0
    config.optimizer.name = "adam"
    config.optimizer.momentum = 0.9
    config.optimizer.learning_rate = 1e-4
    config.schedule.name = "step"
    config.schedule.every = 30 * 1_563
    config.schedule.factor = 0.1
    config.schedule.warmup = 0
    config.steps = 60 * 1_563


def muon(config: Config) -> None:
    """Set this package's own recipe."""
    config.optimizer.learning_rate = 0.005
    config.steps = 12_000
