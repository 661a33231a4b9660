"""The fields of a training config with their defaults. The files in configs/ set what their paper says."""

from collections.abc import Iterable
from typing import Any

from ml_collections import ConfigDict

from jaxsr.support.errors import UserError, nearest

Config = Any  # a ConfigDict: it checks its own fields, by value and when locked by name, not the type checker


def default_config() -> Config:
    """Return a config with every field there is; a field that is not here does not exist."""
    config: Config = ConfigDict()
    config.seed = 0  # decides initial weights, crops and flips
    config.steps = 12_000  # optimiser updates in all
    config.batch_size = 16  # patches per update, over all devices
    config.accumulate = 1  # parts in which a device takes its share of the batch, for lack of memory
    config.precision = "float32"  # or "bf16": what networks compute with; weights and losses are float32
    config.steps_per_dispatch = 0  # updates per call of the compiled program; 0: 1 on a CPU, 20 on an accelerator
    config.ema_decay = 0.999  # the averaged weights are scored and saved; 0 keeps no average
    config.initial_weights = ""  # a weight file or shipped name to start from; "" starts afresh

    config.model = ConfigDict()
    config.model.name = ""  # a row of jaxsr.models.MODELS
    config.model.scale = 2
    config.model.basis = ""  # DAN: a file of published principal components; "" computes them from random kernels
    config.model.options = ConfigDict()  # the network's constructor fields, such as feature_channels

    config.data = ConfigDict()
    config.data.train = "samples"  # "samples" (built in), folders of photos or a data set of prepare_data, by comma
    config.data.validation = "samples"  # "samples" or a folder of HR photos, never trained on
    config.data.patch = 32  # side of a training patch in pixels of the small photo
    config.data.scales = ()  # for weights that serve all scales: patches, of the enlarged photo, are taken at these
    config.data.crops = 1  # of each sub-image that is read from a prepared data set; more, where patches are small
    config.data.augment = True  # the 8 flips and quarter turns
    config.data.stretch = 0.25  # share of patches with more contrast: photos lack the flat black and white of others
    config.data.rescale = (1.0,)  # also train on the photos reduced by these factors
    # How photos are reduced: "BI", "BD", "DN", by "isotropic" or "anisotropic" kernels; at scale 1 blurred, by "motion"
    config.data.degradation = "BI"
    config.data.kernel_size = 21  # side of those kernels; 64 is DeblurGAN's
    config.data.quantize_lr = False  # round the small or blurred photo to 8 bits, as a file on disk has it
    config.data.noise = 0.0  # motion: deviation of the white noise in the blurred photo, in [0, 1]
    config.data.exposures = (0.1, 0.5, 1.0)  # motion: shares of a shake's time, each with a kernel of its own
    config.data.anxieties = (0.01, 0.009, 0.008, 0.007, 0.005, 0.003)  # motion: how nervous the hand can be
    config.data.shakes = 1_000  # motion: how many are drawn before training; each example takes one
    config.data.pairs = ""  # folders of blurred photos (blur) and sharp ones (sharp), or a data set made of such
    config.data.synthetic_share = 0.0  # share of examples that beside the pairs come from data.train, blurred

    config.data.references = ""  # srntt: folders of photos with references (hr, ref1, ...), in place of data.train
    config.data.reference_level = "all"  # "1", the most similar ones, to "5", or "all", each an example
    config.data.truth_share = 0.5  # share of examples that take texture from the sharp photo itself

    config.loss = "mse"  # a row of jaxsr.losses.pixel.LOSSES

    config.pixel_weight = 1.0  # times that loss
    config.variation_weight = 0.0  # times the sum of the output's total variation, in [-1, 1]

    config.perceptual = ConfigDict()
    config.perceptual.weight = 0.0  # times the mean squared difference of features of VGG19; 0 needs no weights of it
    config.perceptual.layer = "relu2_2"  # "relu2_2" is after the activation, "conv2_2" before
    config.perceptual.feature_scale = 1.0  # what features are multiplied by: SRGAN's is 1 / 12.75
    config.perceptual.convention = ""  # "torchvision", "caffe" or "none": how photos are normalized; "": by the file
    config.perceptual.weights = ""  # its file, or "random" for tests; "": that of JAXSR_VGG19, or in the cache folder

    config.perceptual.deepest = False  # where the file ends before the layer, take its last one, loudly
    config.texture = ConfigDict()
    config.texture.weight = 0.0  # srntt: times the difference of Gram matrices of result and swapped features
    config.texture.by_similarity = False  # count places more where the match is good

    config.pretraining = ConfigDict()
    config.pretraining.steps = 0  # the first of `steps`, by the pixel loss alone
    config.pretraining.learning_rate = 1e-4  # constant; the schedule and the optimiser start after it

    config.adversarial = ConfigDict()
    config.adversarial.loss = ""  # "bce" or "wasserstein" trains a critic, too; "" does not
    config.adversarial.weight = 1e-3  # times what the critic thinks of the output
    config.adversarial.network = "srgan"  # a row of jaxsr.training.critic.CRITICS
    config.adversarial.options = ConfigDict()  # the critic's constructor fields
    config.adversarial.updates = 1  # of the critic, on the same photos, for each of the generator
    config.adversarial.penalty = 0.0  # weight of the gradient penalty; 10 for "wasserstein"
    config.adversarial.penalty_form = "sample"  # or "pixel", as in DeblurGAN's and SRNTT's code
    config.adversarial.least_contrast = 0.1  # outputs that had contrast and fall below this share end the run; 0: never

    config.supervision = ConfigDict()
    config.supervision.name = (
        "output"  # what the loss sees: "output", "recursions" (DRCN), "levels" (LapSRN), "kernel" (DAN)
    )
    config.supervision.fade = 1_000  # recursions: updates over which their loss gives way to that of their sum

    config.optimizer = ConfigDict()
    config.optimizer.name = "muon"  # "muon", "adam" or "sgd"
    config.optimizer.learning_rate = 0.02  # at the start; the schedule lowers it
    config.optimizer.momentum = 0.95  # SGD's and Muon's momentum, Adam's b1
    config.optimizer.second_momentum = 0.999  # Adam's b2
    config.optimizer.weight_decay = 0.0  # times the weights, added to their gradient
    config.optimizer.clip_norm = 0.0  # bound on the norm of the whole gradient; 0 for none
    config.optimizer.clip_elements = 0.0  # bound on each gradient element times the rate (VDSR's theta); 0 for none
    config.optimizer.layer_rates = ConfigDict()  # learning-rate factor by start or end ("bias") of the path

    config.schedule = ConfigDict()
    config.schedule.name = "cosine"  # "constant", "cosine", "step", "exponential" or "linear"
    config.schedule.final = 0.01  # cosine, exponential: the last rate over the first; step: the least one over it
    config.schedule.every = 10_000  # step: updates between two drops
    config.schedule.factor = 0.5  # step: what a drop multiplies by
    config.schedule.hold = 0.5  # linear: the share of updates before the rate falls to 0
    config.schedule.warmup = 100  # updates over which the rate first rises from 0

    config.adversarial.optimizer = ConfigDict(config.optimizer.to_dict())  # the critic's own, with the same fields
    config.adversarial.schedule = ConfigDict(config.schedule.to_dict())

    config.log_every = 100  # updates between two lines of metrics
    config.validate_every = 2_000  # updates between two scores, sample pictures and weight files
    config.checkpoint_every = 2_000  # updates between two checkpoints
    return config


def published_recipe(config: Config, optimizer: str, learning_rate: float) -> None:
    """Set "sgd" or "adam" with momentum 0.9 at a rate, without warm-up, averaged weights and stretched contrast."""
    config.optimizer.name = optimizer
    config.optimizer.momentum = 0.9
    config.optimizer.learning_rate = learning_rate
    config.schedule.warmup = 0
    config.ema_decay = 0.0
    config.data.stretch = 0.0


# The settings of both DANs and the sides of their kernels (Luo et al., NeurIPS 2020, section 4.1).
BLIND_SETTINGS = {"x2-iso": 21, "x3-iso": 21, "x4-iso": 21, "x2-aniso": 11, "x4-aniso": 31}


def blind_setting(config: Config, setting: str) -> None:
    """Set the scale, the kernels and the losses of a row of BLIND_SETTINGS.

    "iso" is the paper's setting 1, isotropic kernels; "aniso" its setting 2, noisy anisotropic ones.
    """
    kernel_size = BLIND_SETTINGS[setting]
    config.model.scale = int(setting[1])
    config.data.degradation = "isotropic" if setting.endswith("-iso") else "anisotropic"
    config.data.kernel_size = kernel_size
    config.data.quantize_lr = True
    config.supervision.name = "kernel"
    config.loss = "l1"
    config.model.options = ConfigDict(
        {
            **{"kernel_size": kernel_size, "code_length": 10, "kernels": config.data.degradation},
            **{"rounds": 4, "backpropagate_all": False},
        }
    )


def blind_recipe(config: Config, steps: int) -> None:
    """Set what both DANs are trained by (section 4.1 and the authors' files): Adam, halved every 200,000 steps."""
    published_recipe(config, "adam", 4e-4)
    config.optimizer.second_momentum = 0.99
    config.schedule.name = "step"
    config.schedule.every = 200_000
    config.schedule.factor = 0.5
    config.data.patch = 64
    config.batch_size = 64
    config.steps = steps


def scale_and_recipe(variant: str, *, scales: Iterable[int], recipes: Iterable[str]) -> tuple[int, str]:
    """Return the two halves of a variant such as "x3" (recipe "") or "x3-paper".

    Raises UserError, listing what there is, for others.
    """
    scale, _, recipe = variant.partition("-")
    names = [f"x{s}" for s in scales]
    known = [f"{name}-{recipe}" if recipe else name for recipe in recipes for name in names]
    check_variant(variant, known)
    return int(scale[1:]), recipe


def check_variant(variant: str, known: Iterable[str]) -> None:
    """Raise UserError, listing what there is, unless `variant` is one of `known`."""
    if variant not in (known := list(known)):
        raise UserError(f"unknown variant {variant!r}; {nearest(variant, known)}; choose one of: {', '.join(known)}")
