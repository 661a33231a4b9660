"""DANv2 (Luo et al., arXiv 2105.06878) at x2, x3, x4, on RGB photos blurred by unknown kernels.

python -m jaxsr.train --config=danv2:x2-iso --workdir=runs/danv2-x2 --config.data.train=data/df2k

Variants: `x2-iso`, `x3-iso`, `x4-iso` are the paper's setting 1, isotropic Gaussians of 21x21; `x2-aniso` and
`x4-aniso` setting 2, noisy anisotropic ones of 11x11 and 31x31. The paper reports for setting 1 37.60, 34.19 and 32.00
dB on Set5, the mean over 8 kernels (Y). Validation is on the 8 kernels too, or on random ones for setting 2.
--config.model.options.group_skip=residual takes the text's skips, --config.model.basis=FILE the published principal
components, --config.model.options.backpropagate_all=True learns through all rounds.
"""

from jaxsr.training.config import Config, default_config
from jaxsr.training.training_recipes import BLIND_SETTINGS, blind_recipe, blind_setting, check_variant

VARIANTS = tuple(BLIND_SETTINGS)
WIDTHS = {"features": 64, "groups": 5, "blocks": 10, "estimator_features": 32, "estimator_blocks": 5}


def get_config(variant: str = "x2-iso") -> Config:
    """Return the config of `variant`, such as "x2-iso" or "x4-aniso"."""
    check_variant(variant, VARIANTS)
    config = default_config()
    config.model.name = "danv2"
    blind_setting(config, variant)
    config.model.options.update({**WIDTHS, "group_skip": "doubled"})
    if variant == "x4-aniso":
        config.model.options.code_length = 15
    blind_recipe(config, steps=800_000)
    return config
