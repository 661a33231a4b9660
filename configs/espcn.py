"""ESPCN (Shi et al., CVPR 2016, arXiv 1609.05158) at x2, x3, x4.

python -m jaxsr.train --config=espcn:x3 --workdir=runs/espcn-x3 \
    --config.data.train=T91,BSDS400 --config.data.validation=Set5

Variants: `x2`, `x3`, `x4` train with Muon in minutes; `x3-paper` and its like with the paper's own recipe, which
takes hours. The paper reports 32.55 dB on Set5 x3 from 91 images (Y, 8 bits). The shipped weights, of 30,000, 30,000
and 20,000 updates, reach 36.51, 32.53 and 30.33 dB; x2 was trained without `data.stretch`.
"""

from ml_collections import ConfigDict

from jaxsr.training.config import Config, default_config
from jaxsr.training.training_recipes import choose_variant, default_recipe, published_recipe, scale_names, variant_table


def get_config(variant: str = "x3") -> Config:
    """Return the config of `variant`, such as "x3" or "x3-paper"."""
    config = default_config()
    config.model.name = "espcn"
    config.steps = 40_000
    config.model.scale, recipe = choose_variant(variant, VARIANTS)
    recipe(config)
    return config


def paper(config: Config) -> None:
    """Set section 3.2's recipe: 17x17 patches, SGD from 0.01 gradually to 0.0001, the last layer 10 times slower.

    The paper lowers the rate when the cost stalls; here it falls exponentially between the same two rates. Photos are
    made small by bicubic, for the paper's Gaussian has no printed width; the batch, 16, and the momentum, 0.9, are
    ours.
    """
    published_recipe(config, "sgd", 0.01)
    config.data.patch = 17
    config.data.augment = False
    config.optimizer.layer_rates = ConfigDict({"conv3": 0.1})
    config.schedule.name = "exponential"
    config.steps = 1_000_000


VARIANTS = variant_table(scale_names(2, 3, 4), {"": default_recipe, "paper": paper})
