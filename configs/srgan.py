"""SRGAN (Ledig et al., CVPR 2017, arXiv 1609.04802) at x4, on RGB: SRResNet against a discriminator.

python -m jaxsr.train --config=srgan:vgg54 --workdir=runs/srgan --config.data.train=data/imagenet

Variants: `mse`, `vgg22` and `vgg54` are the paper's SRGANs, named after their content loss: of pixels, or of VGG19's
features relu2_2 or relu5_4. `content22` is its SRResNet-VGG22, without a discriminator. Features need VGG19's weights:
--config.perceptual.weights=FILE, the variable JAXSR_VGG19, or torchvision's file in the cache folder.

The first million updates are SRResNet's; SRResNet's weights as --config.initial_weights, with
--config.pretraining.steps=0 and --config.steps=200_000, spare them. The paper reports for vgg54 on Set5 x4 29.40 dB (Y)
at a mean opinion score of 3.58, where SRResNet has 32.05 dB and 3.37: adversarial training is for the eye.
"""

from ml_collections import ConfigDict

from jaxsr.training.config import Config, default_config
from jaxsr.training.training_recipes import check_variant, published_recipe

VARIANTS = ("mse", "vgg22", "vgg54", "content22")
PRETRAINING, STEPS = 1_000_000, 200_000


def get_config(variant: str = "vgg54") -> Config:
    """Return the config of `variant`, "mse", "vgg22", "vgg54" or "content22"."""
    check_variant(variant, VARIANTS)
    config = default_config()
    config.model.name = "srgan"
    config.model.scale = 4
    config.model.options = ConfigDict({"blocks": 16, "features": 64, "slopes": "layer", "output": "symmetric"})
    config.data.patch = 24  # 96 HR pixels
    generator(config)
    if variant == "content22":
        config.variation_weight = 2e-8
    else:
        discriminator(config)
    if variant == "mse":
        config.pixel_weight = 4.0  # of photos in [-1, 1]
    else:
        content(config, variant)
    return config


def generator(config: Config) -> None:
    """Set section 3.2: Adam at 0.0001 for SRResNet's million updates, and half of the others; then a tenth.

    Patches are flipped and turned, a choice of ours.
    """
    published_recipe(config, "adam", 1e-4)
    config.pretraining.steps = PRETRAINING
    config.pretraining.learning_rate = 1e-4
    config.steps = PRETRAINING + STEPS
    two_rates(config.schedule)


def discriminator(config: Config) -> None:
    """Set the discriminator of figure 4, in turns with the generator, by the same rates; 0.001 of its loss counts."""
    config.adversarial.loss = "bce"
    config.adversarial.network = "srgan"
    config.adversarial.options = ConfigDict({"features": 64, "stages": 4, "hidden": 1024})
    config.adversarial.weight = 1e-3
    config.adversarial.optimizer.update(config.optimizer)
    two_rates(config.adversarial.schedule)


def two_rates(schedule: Config) -> None:
    """Set 100,000 updates at the first rate, and as many at a tenth of it."""
    schedule.update(name="step", every=STEPS // 2, factor=0.1, final=0.1, warmup=0)


def content(config: Config, variant: str) -> None:
    """Set equation 5: features in place of pixels, at a scale at which the losses compare (section 3.2).

    The loss is the mean over channels too, as that of the pixels is; the equation leaves it open.
    """
    config.pixel_weight = 0.0
    config.perceptual.weight = 1.0
    config.perceptual.layer = f"relu{variant[-2]}_{variant[-1]}"
    config.perceptual.feature_scale = 1 / 12.75
