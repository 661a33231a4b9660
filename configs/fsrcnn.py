"""FSRCNN (Dong et al., ECCV 2016, arXiv 1608.00367) at x2, x3, x4.

python -m jaxsr.train --config=fsrcnn:x3 --workdir=runs/fsrcnn-x3 \
    --config.data.train=T91,BSDS400 --config.data.validation=Set5

Variants: `x2`, `x3`, `x4` train (56,12,4) with Muon; `x3-small` the (32,5,1) network; `x3-paper` the paper's SGD on
sub-images. The paper reports 36.94, 33.06 and 30.55 dB on Set5 from 91 images (Y, 8 bits); `x2`, `x3` and `x4`, whose
weights ship, reach 36.76, 32.84 and 30.60. `x2-transfer` and `x4-transfer` go from one scale to another (section 3.4):
they start from the shipped weights of x3 and train the deconvolution alone. Other weights of x3 are named by
--config.initial_weights=runs/fsrcnn-x3/model.safetensors.
"""

from ml_collections import ConfigDict

from jaxsr.training.config import Config, default_config
from jaxsr.training.training_recipes import choose_variant, default_recipe, published_recipe, scale_names, variant_table

LR_PATCH = {2: 10, 3: 7, 4: 6}  # section 4.1: sub-images of 10, 7 and 6 pixels
TRUNK = ("feature_extraction", "shrinking", "mapping1", "mapping2", "mapping3", "mapping4", "expanding")


def get_config(variant: str = "x3") -> Config:
    """Return the config of `variant`, such as "x3", "x3-small", "x3-paper" or "x2-transfer"."""
    config = default_config()
    config.model.name = "fsrcnn"
    config.model.scale, recipe = choose_variant(variant, VARIANTS)
    recipe(config)
    return config


def small(config: Config) -> None:
    """Set FSRCNN-s, the paper's real-time network (section 4.3)."""
    config.model.options = ConfigDict({"feature_channels": 32, "shrink_channels": 5, "mapping_layers": 1})


def paper(config: Config) -> None:
    """Set the first stage of section 4.1: 91 images, 5 sizes, small sub-images, SGD, a slower deconvolution.

    Patches are flipped as well as turned, where the paper turns them alone.
    The second stage adds General-100 at half the rates: name both folders, start from the first stage's
    weights (`initial_weights`) and halve `optimizer.learning_rate`.
    """
    published_recipe(config, "sgd", 1e-3)
    config.data.patch = LR_PATCH[config.model.scale]
    config.data.crops = 8
    config.data.rescale = (1.0, 0.9, 0.8, 0.7, 0.6)
    config.batch_size = 128
    config.optimizer.layer_rates = ConfigDict({"deconvolution": 0.1})
    config.schedule.name = "constant"
    config.schedule.warmup = 300  # the loss sums over pixels: at once, this rate diverges within 20 updates
    config.loss = "euclidean"
    config.steps = 1_000_000


def transfer(config: Config) -> None:
    """Set section 3.4: all convolutions from the x3 network and fixed, only the deconvolution learns."""
    config.initial_weights = "fsrcnn-x3"
    frozen = [name for layer in TRUNK for name in (layer, f"{layer}_prelu")]
    config.optimizer.layer_rates = ConfigDict({name: 0.0 for name in frozen})
    config.steps = 4_000


RECIPES = {"": default_recipe, "small": small, "paper": paper, "transfer": transfer}
VARIANTS = variant_table(scale_names(2, 3, 4), RECIPES)
