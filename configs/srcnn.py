"""SRCNN (Dong et al., ECCV 2014 and TPAMI 2016, arXiv 1501.00092) at x2, x3, x4; 9-1-5, 9-3-5 and 9-5-5.

python -m jaxsr.train --config=srcnn:x3 --workdir=runs/srcnn-x3 \
    --config.data.train=T91,BSDS400 --config.data.validation=Set5

Variants: `x3` is 9-5-5 with Muon, `x3-915` and `x3-935` the smaller ones, `x3-paper` is 9-1-5 with the authors' SGD
for 15 million steps. The papers report, on Set5 (Y, 8 bits), 36.66, 32.75 and 30.49 dB for 9-5-5 trained on ImageNet
and 32.39 dB for 9-1-5 at x3 from 91 images.
"""

from ml_collections import ConfigDict

from jaxsr.training.config import Config, default_config
from jaxsr.training.training_recipes import choose_variant, published_recipe, scale_names, variant_table

KERNEL_SIZES = {"": (9, 5, 5), "915": (9, 1, 5), "935": (9, 3, 5), "paper": (9, 1, 5)}
VARIANTS = variant_table(scale_names(2, 3, 4), KERNEL_SIZES)
SUB_IMAGE = 33  # pixels of the enlarged photo; a multiple of the scale here, so 34 at x2 and 36 at x4


def get_config(variant: str = "x3") -> Config:
    """Return the config of `variant`, such as "x3", "x3-915" or "x3-paper"."""
    config = default_config()
    config.model.name = "srcnn"
    config.model.scale, kernel_sizes = choose_variant(variant, VARIANTS)
    config.model.options = ConfigDict({"kernel_sizes": kernel_sizes})
    config.data.patch = -(-SUB_IMAGE // config.model.scale)
    config.batch_size = 128
    if variant.endswith("-paper"):
        paper(config)
    return config


def paper(config: Config) -> None:
    """Set the recipe of TPAMI section 3.3 and the released solver: plain SGD, the last layer 10 times slower."""
    published_recipe(config, "sgd", 1e-4)
    config.data.augment = False
    config.loss = "euclidean"
    config.optimizer.layer_rates = ConfigDict({"conv1/bias": 0.1, "conv2/bias": 0.1, "conv3": 0.1})
    config.schedule.name = "constant"
    config.steps = 15_000_000
