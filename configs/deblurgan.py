"""DeblurGAN (Kupyn et al., CVPR 2018, arXiv 1711.07064): removes motion blur from RGB photos.

python -m jaxsr.train --config=deblurgan:wild --workdir=runs/deblurgan --config.data.pairs=data/gopro

Variants: `wild` learns from pairs of blurred and sharp photos, such as GoPro's, in --config.data.pairs; `synth` from
sharp photos in --config.data.train, blurred on the device by random camera shake; `comb` from both, two photos blurred
on the device for each pair. The loss needs VGG19's weights up to conv3_3: --config.perceptual.weights=FILE, the
variable JAXSR_VGG19, or torchvision's file in the cache folder.

The paper reports on GoPro's test photos (RGB) 27.2, 23.6 and 28.7 dB, for `wild`, `synth` and `comb`. Its authors
reduced the photos to 640x360 first: --config.data.rescale="(0.5,)", or for a prepared data set prepare_data's
--rescale=0.5. Unlike theirs, patches are flipped and turned (--config.data.augment=False leaves them), and the gradient
penalty is that of the Wasserstein GAN's paper, one for each photo; --config.adversarial.penalty_form=pixel is that of
their code.

A short run on two cores, on BSDS400, five minutes: `synth` with features up to conv3_1 alone and
    --config.perceptual.layer=conv3_1 --config.steps=800 --config.batch_size=4 --config.data.patch=64
    --config.data.kernel_size=32 --config.model.options.features=16 --config.model.options.blocks=3
    --config.model.options.dropout=0.0 --config.adversarial.options.features=16 --config.adversarial.options.depth=2
    --config.optimizer.learning_rate=5e-4 --config.adversarial.optimizer.learning_rate=5e-4
ends with a critic that scores sharp patches 17.4 and restored ones 9.5, features 14 % nearer than after 100 updates,
and 26.2 dB on pairs of GoPro, which have 27.5 as they are: what the critic adds is for the eye, and takes longer.
"""

from ml_collections import ConfigDict

from jaxsr.training.config import Config, default_config
from jaxsr.training.training_recipes import check_variant, published_recipe

VARIANTS = ("wild", "synth", "comb")
STEPS = 300_000  # 300 epochs of 1,000 photos


def get_config(variant: str = "wild") -> Config:
    """Return the config of `variant`, "wild", "synth" or "comb"."""
    check_variant(variant, VARIANTS)
    config = default_config()
    config.task = "deblur"
    config.model.name = "deblurgan"
    config.model.scale = 1
    config.model.options = ConfigDict({"features": 64, "blocks": 9, "dropout": 0.5})
    config.data.patch = 256
    config.data.train = ""
    if variant != "wild":
        config.data.degradation = "motion"
        config.data.kernel_size = 64
        config.data.train = "samples"
    if variant == "comb":
        config.data.synthetic_share = 2 / 3
    recipe(config)
    return config


def recipe(config: Config) -> None:
    """Set sections 3.1 and 5: 100 times the features' distance, a Wasserstein critic, Adam, one photo at a time."""
    config.steps, config.batch_size = STEPS, 1
    config.pixel_weight = 0.0
    config.perceptual.weight = 100.0
    config.perceptual.layer = "conv3_3"  # before the activation, and photos as they are, as in the authors' code
    config.perceptual.convention = "none"
    config.adversarial.loss = "wasserstein"
    config.adversarial.network = "patch"
    config.adversarial.options = ConfigDict({"features": 64, "depth": 3})
    config.adversarial.weight = 1.0
    config.adversarial.updates = 5
    config.adversarial.penalty = 10.0
    published_recipe(config, "adam", 1e-4)
    config.optimizer.momentum = 0.5
    config.schedule.name = "linear"
    config.schedule.hold = 0.5
    config.adversarial.optimizer.update(config.optimizer)
    config.adversarial.schedule.update(config.schedule)
