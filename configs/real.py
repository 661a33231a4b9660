"""One network for real photos at x4 and x2: SRResNet (Ledig et al., CVPR 2017) on the degradation "real".

python -m jaxsr.train --config=real:x4 --workdir=runs/real-x4 --config.data.train=data/div2k

Variants: `x4` and `x2` minimize the absolute error, clean and a little soft; `x4-small` and `x2-small` do so with 5
blocks of 48 features, for training and restoring on two CPU cores. `x4-gan` and `x2-gan` then train against SRGAN's
discriminator, for texture, from the weights that the first gave:

python -m jaxsr.train --config=real:x4-gan --workdir=runs/real-x4-gan --config.data.train=data/div2k \
    --config.initial_weights=runs/real-x4/model.safetensors

Features of VGG19 make textures truer; --config.perceptual.weight=3 adds those of relu2_2, where VGG19's weights are
(--config.perceptual.weights=FILE, or JAXSR_VGG19). Photos are blurred, resized, noisy and compressed twice over, as
in Wang et al., "Real-ESRGAN", ICCVW 2021, section 3; all of it is computed on the device, so a GPU is not kept waiting.
One GPU trains `x4` in float32, 20 updates a dispatch; --config.precision=bf16 and --config.batch_size=32 suit large
ones. On two cores, `x4-small` with --config.steps=4000 --config.batch_size=8. Scores are PSNR against the HR photo on
pairs by the same degradation, beside bicubic's; what PSNR does not show has to be judged by eye.
"""

from ml_collections import ConfigDict

from jaxsr.training.config import Config, default_config
from jaxsr.training.training_recipes import choose_variant, muon_recipe, scale_names, variant_table


def get_config(variant: str = "x4") -> Config:
    """Return the config of `variant`, such as "x4", "x2-small" or "x4-gan"."""
    config = default_config()
    config.model.name = "real"
    config.model.options = ConfigDict(
        {"blocks": 16, "features": 64, "slopes": "layer", "normalization": "none", "output": "symmetric"}
    )
    config.model.scale, recipe = choose_variant(variant, VARIANTS)
    config.data.degradation = "real"
    config.data.patch = 96 // config.model.scale  # 96 HR pixels
    config.data.stretch = 0.0
    config.loss = "l1"
    recipe(config)
    return config


def clean(config: Config) -> None:
    """Set the recipe of the absolute error."""
    muon_recipe(config, steps=20_000)


def small(config: Config) -> None:
    """Set a network for two CPU cores, a sixth of the work."""
    clean(config)
    config.model.options.update(blocks=5, features=48)


def adversarial(config: Config) -> None:
    """Set SRGAN's discriminator beside the absolute error, both by Adam at half of SRGAN's rate."""
    config.steps = 20_000
    config.perceptual.layer = "relu2_2"
    config.perceptual.feature_scale = 1 / 12.75
    config.adversarial.loss = "bce"
    config.adversarial.network = "srgan"
    config.adversarial.options = ConfigDict({"features": 64, "stages": 4, "hidden": 1024})
    config.adversarial.weight = 3e-3
    for half in (config, config.adversarial):
        half.optimizer.update(name="adam", momentum=0.9, learning_rate=5e-5)
    config.stop_on_collapse = False  # textures cost PSNR


VARIANTS = variant_table(scale_names(4, 2), {"": clean, "small": small, "gan": adversarial})
