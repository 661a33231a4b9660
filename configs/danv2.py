"""DANv2 (Luo et al., arXiv 2105.06878) at x2, x3, x4, on RGB photos blurred by unknown kernels.

python -m jaxsr.train --config=danv2:x2-iso --workdir=runs/danv2-x2 --config.data.train=data/df2k

Variants: `x2-iso`, `x3-iso`, `x4-iso` are the paper's setting 1, isotropic Gaussians of 21x21; `x2-aniso` and
`x4-aniso` setting 2, noisy anisotropic ones of 11x11 and 31x31; `x2-iso-muon`, `x3-iso-muon` and `x4-iso-muon` take
setting 1 with Muon, in a fortieth of the updates, and 30 times the rate for the estimator's last layer;
`x2-iso-estimator` and its like start from --config.initial_weights and train the estimator alone. The paper reports for
setting 1 37.60, 34.19 and 32.00 dB on Set5, the mean over 8 kernels (Y). Validation is on the 8 kernels too, or on
random ones for setting 2. --config.model.options.group_skip=residual takes the text's skips,
--config.model.basis=FILE the published principal components, --config.model.options.backpropagate_all=True learns
through all rounds.

Why the last layer: an estimator of 16 features and 2 blocks, alone, on enlargements by bicubic (x2, patches of 24x24,
200 steps at batch 8) has a relative kernel error of 1.20 with Muon alike for all layers, where the mean kernel has
0.89; of 0.57 with 30 times the rate for its last layer; of 0.77 with the paper's Adam at 4e-4.
"""

from ml_collections import ConfigDict

from jaxsr.training.config import Config, default_config
from jaxsr.training.training_recipes import blind_recipe, blind_setting, blind_variants, choose_variant, muon_recipe

WIDTHS = {"features": 64, "groups": 5, "blocks": 10, "estimator_features": 32, "estimator_blocks": 5}


def get_config(variant: str = "x2-iso") -> Config:
    """Return the config of `variant`, such as "x2-iso", "x4-aniso" or "x2-iso-muon"."""
    setting, recipe = choose_variant(variant, VARIANTS)
    config = default_config()
    config.model.name = "danv2"
    blind_setting(config, setting)
    config.model.options.update({**WIDTHS, "group_skip": "doubled"})
    if variant == "x4-aniso":
        config.model.options.code_length = 15
    recipe(config)
    return config


def paper(config: Config) -> None:
    """Set the recipe of section 4.1, with twice DANv1's updates."""
    blind_recipe(config, steps=800_000)


def muon(config: Config) -> None:
    """Set this package's own recipe.

    The softmax needs logits that differ by tens between a kernel's centre and its border. Muon moves the last layer by
    as much in a step as any other, too little for that: at the common rate the estimator stays at the mean kernel. And
    it learns in each round, not in the last alone: the images of one round teach it little about those of another.
    """
    muon_recipe(config, steps=20_000, learning_rate=0.0025)
    config.optimizer.layer_rates = ConfigDict({"estimator/logits": 30.0})
    config.supervision.name = "kernels"
    config.data.stretch = 0.0  # contrast as the blur leaves it


def estimator(config: Config) -> None:
    """Set a recipe for the estimator of trained weights: 0.7 of the time of a whole step, and under half the memory."""
    muon(config)
    config.optimizer.layer_rates.restorer = 0.0
    config.steps = 4000


VARIANTS = blind_variants(paper, {"muon": muon, "estimator": estimator})
