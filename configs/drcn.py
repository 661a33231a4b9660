"""DRCN (Kim et al., CVPR 2016, arXiv 1511.04491) at x2, x3, x4.

python -m jaxsr.train --config=drcn:x2-paper --workdir=runs/drcn-x2 --config.data.train=T91

Variants: `x2`, `x3`, `x4` train with Muon; `x2-paper` and its like with the paper's SGD. F and D are
`model.options.features` and `model.options.recursions`. The paper reports 37.63, 33.82 and 31.53 dB on Set5 (Y, 8 bits)
after 6 days. A step at F=256 holds 6.7 GiB; `--config.model.options.remat=True` needs 2.8 GiB and a third more time.

A short run on two cores, on T91 and BSDS400: `x2` with
    --config.steps=300 --config.batch_size=8 --config.supervision.fade=150 --config.model.options.features=32
lowers the loss from 0.035 to 0.0018 and gives 35.55 dB on Set5 x2 (y8; bicubic 33.66).
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
    """Return the config of `variant`, such as "x2" or "x2-paper"."""
    config = default_config()
    config.model.name = "drcn"
    config.model.options = ConfigDict({"features": 256, "recursions": 16, "remat": False})
    config.model.scale, recipe = choose_variant(variant, VARIANTS)
    config.data.patch = -(-41 // config.model.scale)  # 41 pixels or a few more, the receptive field
    config.batch_size = 64
    config.supervision.name = "recursions"
    recipe(config)
    return config


def paper(config: Config) -> None:
    """Set section 4.2: SGD from 0.01, weights decayed, every recursion supervised.

    Where the paper leaves a number open: alpha falls to 0 over 25 epochs of 1,000 updates; the rate, which the paper
    divides by 10 when the validation error stalls for 5 epochs, falls every 25 epochs; elements of the gradient are
    clipped as in VDSR, without which the sum over 16 recursions diverges at this rate; patches are flipped and turned.
    """
    published_recipe(config, "sgd", 0.01)
    config.loss = "euclidean"
    config.supervision.fade = 25_000
    config.optimizer.weight_decay = 2e-4  # beta 1e-4 times the squared weights, whose derivative has a 2
    config.optimizer.clip_elements = 1e-3
    step_schedule(config, every=25_000, factor=0.1)
    config.schedule.final = 1e-4
    config.steps = 100_000


def muon(config: Config) -> None:
    """Set this package's own recipe."""
    muon_recipe(config, steps=8_000)
    config.supervision.fade = 4_000


VARIANTS = variant_table(scale_names(2, 3, 4), {"": muon, "paper": paper})
