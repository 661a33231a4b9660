"""VDSR (Kim et al., CVPR 2016, arXiv 1511.04587): one network for x2, x3 and x4 together.

python -m jaxsr.train --config=vdsr:paper --workdir=runs/vdsr --config.data.train=T91,BSDS200

Variants: `paper` is the paper's recipe, 80 epochs of 1,000 updates, since the text leaves the length of an epoch open;
`muon` takes the same data with Muon in a tenth of the updates. The paper reports 37.53, 33.66 and 31.35 dB on Set5
(Y, 8 bits), and 37.06, 33.27 and 30.95 from 91 images. Validation is at x2; `evaluate --scale=3` scores the others.

A short run on two cores, on T91 and BSDS400: `muon` with
    --config.steps=800 --config.batch_size=8 --config.model.options.features=32
lowers the loss from 0.053 to 0.0027 and gives 34.06 dB on Set5 x2 (y8; bicubic 33.66).
"""

from ml_collections import ConfigDict

from jaxsr.training.config import Config, default_config
from jaxsr.training.training_recipes import choose_variant, muon_recipe, published_recipe, step_schedule


def get_config(variant: str = "paper") -> Config:
    """Return the config of `variant`, "paper" or "muon"."""
    config = default_config()
    config.model.name = "vdsr"
    config.model.options = ConfigDict({"depth": 20, "features": 64, "use_bias": True})
    config.data.patch = 41  # the receptive field
    config.data.scales = (2, 3, 4)
    config.batch_size = 64
    choose_variant(variant, VARIANTS)(config)
    return config


def paper(config: Config) -> None:
    """Set sections 3.2 and 5.2: SGD at 0.1, a tenth every 20 epochs, elements clipped to 0.01 over the rate."""
    published_recipe(config, "sgd", 0.1)
    config.loss = "euclidean"
    config.optimizer.weight_decay = 1e-4
    config.optimizer.clip_elements = 0.01
    step_schedule(config, every=20_000, factor=0.1)
    config.schedule.final = 0.0
    config.steps = 80_000


def muon(config: Config) -> None:
    """Set this package's own recipe."""
    muon_recipe(config, steps=8_000)


VARIANTS = {"paper": paper, "muon": muon}
