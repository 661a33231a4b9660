"""The fields of a training config with their defaults, as dataclasses. The files in configs/ set what their paper says.

A config is the ConfigDict that `default_config` makes of them: `--config.data.patch=48` sets a field, values keep the
type of their default, and a field that does not exist is refused with the nearest one that does.
"""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from ml_collections import ConfigDict

from jaxsr.models.spec import ModelSpec, Network

Config: TypeAlias = Any  # a ConfigDict: it checks fields by name and value itself, which a type checker cannot
Options: TypeAlias = Mapping[str, Any]  # constructor fields by name; a config may add any


@dataclass(frozen=True)
class ModelSection:
    """`config.model`: the network."""

    name: str = ""  # a row of jaxsr.models.MODELS
    scale: int = 2  # 1 for deblurring
    basis: str = ""  # DAN: a file of published principal components; "" computes them from random kernels
    options: Options = field(default_factory=dict)  # the network's constructor fields, such as feature_channels


@dataclass(frozen=True)
class DataSection:
    """`config.data`: photos, and what patches are made from them."""

    train: str = "samples"  # "samples" (built in) and folders of photos, by comma, or a data set of prepare_data
    validation: str = "samples"  # "samples", a folder of HR photos or a data set with some; never trained on
    patch: int = 32  # side of a training patch in LR pixels
    scales: tuple[int, ...] = ()  # sr: one set of weights for these; patches are then measured in HR pixels
    crops: int = 1  # of each sub-image that is read from a prepared data set; more, where patches are small
    augment: bool = True  # the 8 flips and quarter turns
    stretch: float = 0.25  # share of patches whose contrast is raised, for flat black and white: photos seldom have it
    rescale: tuple[float, ...] = (1.0,)  # the factors that photos are reduced by; a prepared set has its own
    # A row of jaxsr.degradations' table. sr: "bicubic", "pillow", "bd", "dn", "real"; deblur: "motion"; blind:
    # "isotropic", "anisotropic", "gaussian8", "gaussian8_ikc", "div2krk"
    degradation: str = "bicubic"
    kernel_size: int = 21  # side of blur kernels; 64 is DeblurGAN's
    quantize_lr: bool = False  # round the network's input to 8 bits, as a file on disk has it
    noise: float = 0.0  # deblur: standard deviation of the white noise in the blurred photo, in [0, 1]
    exposures: tuple[float, ...] = (0.1, 0.5, 1.0)  # deblur: shares of a shake's time, each with a kernel of its own
    # deblur: levels of camera-shake jitter (the paper's anxiety), of which each shake takes one
    jitter: tuple[float, ...] = (0.01, 0.009, 0.008, 0.007, 0.005, 0.003)
    shakes: int = 1_000  # deblur: number of camera shakes drawn before training; each example takes one
    pairs: str = ""  # deblur: folders of blurred (blur) and sharp photos (sharp), or a data set prepared from such
    synthetic_share: float = 0.0  # deblur: beside pairs, the share of examples blurred here, from data.train
    references: str = ""  # reference: folders of photos with references (hr, ref1, ...), in place of data.train
    reference_level: str = "all"  # reference: "1", the most similar ones, to "5", or "all", each an example
    hr_reference_share: float = 0.5  # reference: share of examples whose textures come from the HR photo itself


@dataclass(frozen=True)
class PerceptualSection:
    """`config.perceptual`: the loss of VGG19's features."""

    weight: float = 0.0  # weight of the mean squared difference of features; 0 needs no weights of VGG19
    layer: str = "relu2_2"  # "relu2_2" is after the activation, "conv2_2" before
    feature_scale: float = 1.0  # what features are multiplied by: SRGAN's is 1 / 12.75
    convention: str = ""  # "torchvision", "caffe" or "none": how photos are normalized; "": by the file
    weights: str = ""  # VGG19's file, or "random" for tests; "": that of JAXSR_VGG19, or in the cache folder
    fallback_to_deepest_layer: bool = False  # where the file ends before `layer`, use its last one, with a warning


@dataclass(frozen=True)
class TextureSection:
    """`config.texture`: SRNTT's texture loss."""

    weight: float = 0.0  # weight of the difference of Gram matrices of output and swapped features
    by_similarity: bool = False  # weight positions by how similar the match is


@dataclass(frozen=True)
class PretrainingSection:
    """`config.pretraining`: a first stage by the pixel loss alone."""

    steps: int = 0  # the first of `config.steps`; 0 has no such stage
    learning_rate: float = 1e-4  # constant; the schedule and the optimizer start after it


@dataclass(frozen=True)
class SupervisionSection:
    """`config.supervision`: which of the network's results the pixel loss compares."""

    name: str = "output"  # "output", "recursions" (DRCN), "levels" (LapSRN), "kernel" or "kernels" (DAN)
    fade: int = 1_000  # recursions: updates over which their loss gives way to that of their weighted sum


@dataclass(frozen=True)
class OptimizerSection:
    """`config.optimizer`, and `config.adversarial.optimizer` for the second network."""

    name: str = "muon"  # "muon", "adam" or "sgd"
    learning_rate: float = 0.02  # at the start; the schedule lowers it
    momentum: float = 0.95  # SGD's and Muon's momentum, Adam's b1
    second_momentum: float = 0.999  # Adam's b2
    weight_decay: float = 0.0  # times the weights, added to their gradient
    clip_norm: float = 0.0  # bound on the norm of the whole gradient; 0 for none
    clip_elements: float = 0.0  # bound on each gradient element times the rate (VDSR's theta); 0 for none
    layer_rates: Mapping[str, float] = field(default_factory=dict)  # rate factor by start or end ("bias") of the path


@dataclass(frozen=True)
class ScheduleSection:
    """`config.schedule` of the learning rate, and `config.adversarial.schedule` for the second network."""

    name: str = "cosine"  # "constant", "cosine", "step", "exponential" or "linear"
    final: float = 0.01  # cosine, exponential: the last rate over the first; step: the least one over it
    every: int = 10_000  # step: updates between two drops
    factor: float = 0.5  # step: what a drop multiplies by
    hold: float = 0.5  # linear: the share of updates before the rate falls to 0
    warmup: int = 100  # updates over which the rate first rises from 0


@dataclass(frozen=True)
class AdversarialSection:
    """`config.adversarial`: a discriminator or critic that is trained beside the network."""

    loss: str = ""  # "bce" (a discriminator) or "wasserstein" (a critic); "" trains no second network
    weight: float = 1e-3  # weight of the adversarial loss
    network: str = "srgan"  # a row of jaxsr.training.steps.adversary.ADVERSARIES
    options: Options = field(default_factory=dict)  # its constructor fields
    updates: int = 1  # of the second network, on the same photos, for each of the generator
    penalty: float = 0.0  # weight of the gradient penalty; 10 for "wasserstein"
    penalty_form: str = "sample"  # or "pixel", as in DeblurGAN's and SRNTT's code
    min_contrast: float = 0.1  # share of the HR photos' contrast below which a run counts as collapsed; 0: never
    optimizer: OptimizerSection = field(default_factory=OptimizerSection)
    schedule: ScheduleSection = field(default_factory=ScheduleSection)


@dataclass(frozen=True)
class TrainingConfig:
    """All fields of a training run."""

    task: str = "sr"  # what a run learns: "sr", "blind", "deblur" or "reference", a row of task_table.TASKS
    seed: int = 0  # decides initial weights, crops and flips
    steps: int = 12_000  # optimizer updates in all
    batch_size: int = 16  # patches per update, over all devices
    accumulate: int = 1  # parts in which a device takes its share of the batch, for lack of memory
    precision: str = "float32"  # or "bf16": what networks compute with; weights and losses are float32
    steps_per_dispatch: int = 0  # updates per call of the compiled program; 0: 1 on a CPU, 20 on an accelerator
    ema_decay: float = 0.999  # of the averaged weights, which are scored and saved; 0 keeps no average
    initial_weights: str = ""  # a weight file, run folder or shipped name to start from; "" starts afresh
    model: ModelSection = field(default_factory=ModelSection)
    data: DataSection = field(default_factory=DataSection)
    loss: str = "mse"  # the pixel loss, a row of jaxsr.losses.pixel.LOSSES
    pixel_weight: float = 1.0  # weight of the pixel loss
    variation_weight: float = 0.0  # weight of the summed total variation of the output in [-1, 1]
    perceptual: PerceptualSection = field(default_factory=PerceptualSection)
    texture: TextureSection = field(default_factory=TextureSection)
    pretraining: PretrainingSection = field(default_factory=PretrainingSection)
    adversarial: AdversarialSection = field(default_factory=AdversarialSection)
    supervision: SupervisionSection = field(default_factory=SupervisionSection)
    optimizer: OptimizerSection = field(default_factory=OptimizerSection)
    schedule: ScheduleSection = field(default_factory=ScheduleSection)
    log_every: int = 100  # updates between two lines of metrics
    validate_every: int = 2_000  # updates between two scores, sample pictures and weight files
    checkpoint_every: int = 2_000  # updates between two checkpoints; each validation saves one too
    checkpoint_minutes: float = 10.0  # a checkpoint at least so often, in minutes; 0 counts updates alone
    stop_on_collapse: bool = True  # end a run whose scores passed bicubic's and fall 3 dB below, twice in a row


def default_config() -> Config:
    """Return the ConfigDict of all fields of a training run, with their defaults.

    Example: `config = default_config(); config.model.name = "espcn"; config.data.train = "photos"`.

    Returns:
        A ConfigDict with the fields of TrainingConfig.

    Raises:
        TypeError: later, where a field is set to a value of another type; AttributeError where one is read that is not
            there. One that is set by a wrong name is refused by `train`.
    """
    return ConfigDict(dataclasses.asdict(TrainingConfig()))


def photo_fields(data: Options) -> tuple[str, ...]:
    """Return the fields of the section `data` whose photos are trained on: with references there are no others.

    Beside pairs those of `train` are learned from only where a share of the examples is blurred here.
    """
    if data["references"]:
        return ("references",)
    return ("train", "pairs") if data["synthetic_share"] or not data["pairs"] else ("pairs",)


def network_of(config: Config, spec: ModelSpec) -> Network:
    """Return the network of `config.model`; raises UserError for a scale or option that `spec` does not have."""
    return spec.module(config.model.scale, **config.model.options.to_dict())
