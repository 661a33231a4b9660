"""SRNTT (Zhang et al., CVPR 2019, arXiv 1903.00834): x4 with the texture of a reference photo, on RGB.

python -m jaxsr.train --config=srntt:content --workdir=runs/content --config.data.train=data/photos
python -m jaxsr.train --config=srntt:full --workdir=runs/srntt --config.initial_weights=runs/content \
    --config.data.references=data/cufed --config.data.validation=data/cufed5

Variants: `content` trains the network that enlarges alone, whose features the others keep; `l2` is SRNTT-l2, trained
by reconstruction alone, `full` adds features, textures and a critic. Folders of references hold hr and ref1 to
refn, each with photos of the same names, or CUFED5's NNN_0.png and NNN_1.png; matches are found once and kept in the
cache folder. VGG19's weights are needed: --config.perceptual.weights=FILE, the variable JAXSR_VGG19, or
torchvision's file in the cache folder. The losses' weights are those for Caffe's file, whose features are larger;
--config.perceptual.feature_scale makes up for it. The paper reports for CUFED5 25.61 dB, for l2 26.24.

Short runs on two cores: `content` on T91 and BSDS400, two minutes, then `l2` on three scenes with four views each,
fifteen minutes, both with --config.model.options.features=16 --config.model.options.blocks=4, the first with
    --config.data.patch=24 --config.batch_size=8 --config.steps=3000 --config.optimizer.learning_rate=0.002
    --config.schedule.name=cosine
the second with
    --config.data.patch=20 --config.batch_size=4 --config.steps=3000 --config.data.hr_reference_share=0.0
    --config.optimizer.name=muon --config.optimizer.momentum=0.95 --config.optimizer.learning_rate=0.005
    --config.schedule.name=cosine
On two other scenes (y, Pillow's bicubic; PSNR in dB, SSIM) the most similar reference gives 29.04, 0.718, the least
similar of four 28.94, 0.710, the photo as its own reference 28.83, 0.702, and a view of another scene 28.58, 0.690;
bicubic has 29.12, 0.702.
"""

from ml_collections import ConfigDict

from jaxsr.training.config import Config, default_config
from jaxsr.training.training_recipes import check_variant, published_recipe

VARIANTS = ("content", "l2", "full")
PAIRS = 11_871 // 9  # updates for each of CUFED's photos to be seen once


def get_config(variant: str = "full") -> Config:
    """Return the config of `variant`, "content", "l2" or "full"."""
    check_variant(variant, VARIANTS)
    config = default_config()
    config.model.name = "srntt"
    config.model.scale = 4
    config.model.options = ConfigDict({"features": 64, "blocks": 16, "alone": variant == "content"})
    config.data.patch = 40
    config.batch_size = 9
    config.loss = "l1"
    published_recipe(config, "adam", 1e-4)
    config.data.stretch = 0.0
    config.schedule.name = "constant"
    if variant == "content":
        config.loss = "mse"
        config.steps = 1_000_000  # SRResNet's
        config.optimizer.layer_rates = ConfigDict({"small": 0.0, "medium": 0.0, "large": 0.0})
        return config
    config.task = "reference"
    config.pixel_weight = 2.0  # of photos in [-1, 1]
    config.data.references = "data/cufed"
    config.data.augment = False
    config.initial_weights = "runs/content"
    config.optimizer.layer_rates = ConfigDict({"content": 0.0, "enlargement": 0.0})
    config.perceptual.fallback_to_deepest_layer = True
    config.steps = 5 * PAIRS
    if variant == "full":
        full(config)
    return config


def full(config: Config) -> None:
    """Set section 3.3 and the authors' numbers: all losses after reconstruction alone, two updates of the critic.

    The rate stays as it is: the authors' falls to nearly nothing early (docs/systems/srntt.md). The gradient penalty
    is one for each photo; `adversarial.penalty_form` "pixel" is that of their code.
    """
    config.pretraining.steps = 5 * PAIRS
    config.pretraining.learning_rate = 1e-4
    config.steps = 105 * PAIRS
    config.perceptual.weight = 1e-4
    config.perceptual.layer = "relu5_1"
    config.texture.weight = 1e-4
    config.adversarial.loss = "wasserstein"
    config.adversarial.network = "srntt"
    config.adversarial.options = ConfigDict({"features": 32, "stages": 5, "hidden": 1024})
    config.adversarial.weight = 1e-6
    config.adversarial.updates = 2
    config.adversarial.penalty = 10.0
    config.adversarial.optimizer.update(config.optimizer)
    config.adversarial.optimizer.layer_rates = ConfigDict()
    config.adversarial.schedule.update(config.schedule)
