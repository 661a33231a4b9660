"""DANv1 (Luo et al., NeurIPS 2020, arXiv 2010.02631) at x2, x3, x4, on RGB photos blurred by unknown kernels.

python -m jaxsr.train --config=danv1:x2-iso --workdir=runs/danv1-x2 --config.data.train=data/df2k

Variants: `x2-iso`, `x3-iso`, `x4-iso` are the paper's setting 1, isotropic Gaussians of 21x21; `x2-aniso` and
`x4-aniso` setting 2, noisy anisotropic ones of 11x11 and 31x31; `x2-iso-muon`, `x3-iso-muon` and `x4-iso-muon` take
setting 1 with Muon, in a twentieth of the updates. The paper reports for setting 1 37.34, 34.04 and 31.89 dB on Set5,
the mean over 8 kernels (Y). Validation is on the 8 kernels too, or on random ones for setting 2.
--config.model.basis=FILE takes the published principal components, --config.model.options.backpropagate_all=True
learns through all rounds.

A short run on two cores, 13 minutes on T91 and BSDS400: `x2-iso-muon` with
    --config.steps=2500 --config.ema_decay=0.99 --config.model.options.features=24 --config.model.options.blocks=4 \
    --config.model.options.estimator_features=16 --config.model.options.estimator_blocks=3
gives 35.32 dB on Set5 under its 8 kernels (y8; bicubic 30.34). The mean absolute error of the code, over the last 100
updates, is 0.0265, 0.0170, 0.0181 and 0.0166 after the four rounds.
"""

from jaxsr.training.config import Config, default_config
from jaxsr.training.training_recipes import blind_recipe, blind_setting, blind_variants, choose_variant, muon_recipe

WIDTHS = {"features": 64, "blocks": 40, "estimator_features": 32, "estimator_blocks": 5}


def get_config(variant: str = "x2-iso") -> Config:
    """Return the config of `variant`, such as "x2-iso", "x4-aniso" or "x2-iso-muon"."""
    setting, recipe = choose_variant(variant, VARIANTS)
    config = default_config()
    config.model.name = "danv1"
    blind_setting(config, setting)
    config.model.options.update(WIDTHS)
    recipe(config)
    return config


def paper(config: Config) -> None:
    """Set the recipe of section 4.1."""
    blind_recipe(config, steps=400_000)


def muon(config: Config) -> None:
    """Set this package's own recipe."""
    muon_recipe(config, steps=20_000)
    config.data.stretch = 0.0  # contrast as the blur leaves it


VARIANTS = blind_variants(paper, {"muon": muon})
