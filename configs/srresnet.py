"""SRResNet (Ledig et al., CVPR 2017, arXiv 1609.04802), the generator of SRGAN, at x4 and x2, on RGB.

python -m jaxsr.train --config=srresnet:x4-paper --workdir=runs/srresnet --config.data.train=data/imagenet

Variants: `x4`, `x2` train the network without normalization with Muon; `x4-paper` and `x2-paper` the paper's, with
batch normalization, by Adam on the mean squared error; `x4-channel` the same with a slope for every channel. The
paper reports 32.05 dB on Set5 x4 (Y) from 350,000 photos of ImageNet; ports trained on 291 photos have 31.80.

A short run on two cores, on T91 and BSDS400: `x4` with
    --config.steps=300 --config.batch_size=8 --config.model.options.features=32 --config.model.options.blocks=8
lowers the loss from 0.092 to 0.007 and gives 28.64 dB on Set5 x4 (y8; bicubic 28.42).
"""

from ml_collections import ConfigDict

from jaxsr.training.config import Config, default_config
from jaxsr.training.training_recipes import choose_variant, muon_recipe, published_recipe, scale_names, variant_table


def get_config(variant: str = "x4") -> Config:
    """Return the config of `variant`, such as "x4", "x4-paper" or "x4-channel"."""
    config = default_config()
    config.model.name = "srresnet"
    config.model.options = ConfigDict(
        {"blocks": 16, "features": 64, "slopes": "layer", "normalization": "batch", "output": "symmetric"}
    )
    config.model.scale, recipe = choose_variant(variant, VARIANTS)
    config.data.patch = 24  # 96 HR pixels at x4
    recipe(config)
    return config


def paper(config: Config) -> None:
    """Set section 3.2: Adam at 0.0001, a million updates; patches are flipped and turned, a choice of ours."""
    published_recipe(config, "adam", 1e-4)
    config.schedule.name = "constant"
    config.steps = 1_000_000


def channel(config: Config) -> None:
    """Set a PReLU slope for each channel, which the paper leaves open."""
    paper(config)
    config.model.options.slopes = "channel"


def muon(config: Config) -> None:
    """Set this package's own recipe."""
    config.model.options.normalization = "none"
    muon_recipe(config, steps=12_000)


VARIANTS = variant_table(scale_names(4, 2), {"": muon, "paper": paper, "channel": channel})
