"""What can be said against a config before any work starts."""

import inspect

from jaxsr.degradations.motion import check_shake
from jaxsr.models import ModelSpec
from jaxsr.support.errors import UserError, choose
from jaxsr.training.config import Config
from jaxsr.training.objectives import Objective
from jaxsr.training.pairs import is_blind, is_deblurring, makes_blur
from jaxsr.training.precision import PRECISIONS

COUNTS = (
    *("steps", "batch_size", "accumulate", "log_every", "validate_every", "checkpoint_every"),
    *("data.patch", "data.shakes", "supervision.fade"),
)


def check_config(config: Config, spec: ModelSpec, objective: Objective) -> None:
    """Raise UserError, naming field, value, bound and remedy, for a config that cannot train `spec`'s network."""
    if spec.per_photo:
        raise UserError(f"{spec.name} learns from each photo: python -m jaxsr.restore --model={spec.name}")
    for name in COUNTS:
        section, _, field = name.rpartition(".")
        value = (config[section] if section else config)[field]
        if value < 1:
            raise UserError(f"{name}={value} must be at least 1; set --config.{name}")
    choose("precision", config.precision, PRECISIONS)
    if not 0 <= config.ema_decay < 1:
        raise UserError(f"ema_decay={config.ema_decay} must lie in [0, 1); set --config.ema_decay")
    for keyword in objective.asks.keys() - inspect.signature(spec.build.__call__).parameters.keys():
        raise UserError(f'{spec.name} has no {keyword} to supervise; set --config.supervision.name="output"')
    _check_blur(config, spec)
    if config.supervision.name == "kernel":
        _check_kernels(config, spec)
    if config.data.scales:
        _check_scales(config, spec)
    _check_adversarial(config, spec)
    _check_references(config, spec)


def _check_references(config: Config, spec: ModelSpec) -> None:
    """Raise UserError unless references are given to, and only to, a network that takes some."""
    module = spec.module(config.model.scale, **config.model.options.to_dict())
    takes = "reference" in spec.needed_by(module)
    if takes != bool(config.data.references):
        raise UserError(
            f"{spec.name} with data.references={config.data.references!r}: folders of photos with references are for "
            f"srntt unless it is alone; set --config.data.references or --config.model.options.alone"
        )
    if config.texture.weight and not takes:
        raise UserError(f"{spec.name} swaps no textures; set --config.texture.weight=0")
    if not 0 <= config.data.truth_share <= 1:
        raise UserError(f"data.truth_share={config.data.truth_share} must lie in [0, 1]; set --config.data.truth_share")


def check_share(config: Config, share: int) -> None:
    """Raise UserError unless the `share` of a batch that a device gets divides into `accumulate` parts."""
    if share % config.accumulate:
        raise UserError(
            f"accumulate={config.accumulate} does not divide the {share} of batch_size={config.batch_size} that each "
            f"device gets; set --config.accumulate"
        )


def _check_adversarial(config: Config, spec: ModelSpec) -> None:
    """Raise UserError for stages, perceptual or adversarial losses that cannot be."""
    steps = config.pretraining.steps
    if not 0 <= steps < config.steps:
        raise UserError(
            f"pretraining.steps={steps} must lie in [0, steps={config.steps}); set --config.pretraining.steps"
        )
    channels = spec.module(config.model.scale, **config.model.options.to_dict()).channels
    if config.perceptual.weight and channels != 3:
        raise UserError(f"{spec.name} has {channels} channel, VGG19 sees RGB; set --config.perceptual.weight=0")
    if config.adversarial.loss and config.data.scales:
        raise UserError('the critic sees patches of one scale; set --config.data.scales="()"')
    if config.adversarial.updates < 1:
        raise UserError(
            f"adversarial.updates={config.adversarial.updates} must be at least 1; set --config.adversarial.updates"
        )


def _check_blur(config: Config, spec: ModelSpec) -> None:
    """Raise UserError unless blurred photos are asked for where, and only where, a network deblurs."""
    data, scale, deblurring = config.data, config.model.scale, is_deblurring(config)
    if deblurring != (scale == 1):
        blur = "data.pairs" if data.pairs else f"data.degradation={data.degradation!r}"
        raise UserError(
            f"{spec.name} at scale {scale} does not learn from {blur}; deblurring has scale 1 and "
            f'--config.data.pairs=FOLDER or --config.data.degradation="motion"'
        )
    if (data.noise and not makes_blur(config)) or not 0 <= data.noise <= 1:
        raise UserError(
            f'data.noise={data.noise} must lie in [0, 1] and is for data.degradation="motion"; leave it out'
        )
    if not 0 <= data.synthetic_share <= 1 or (data.synthetic_share and not data.pairs):
        raise UserError(
            f"data.synthetic_share={data.synthetic_share} must lie in [0, 1] and is for --config.data.pairs; set both"
        )
    if makes_blur(config):
        if data.degradation != "motion":
            raise UserError(f'data.synthetic_share={data.synthetic_share} needs --config.data.degradation="motion"')
        check_shake(data.kernel_size, data.exposures, data.anxieties)


def _check_kernels(config: Config, spec: ModelSpec) -> None:
    """Raise UserError unless the network estimates kernels, of the size that the patches are blurred by."""
    size = getattr(spec.module(config.model.scale, **config.model.options.to_dict()), "kernel_size", None)
    if size is None or not is_blind(config):
        raise UserError(
            f"{spec.name} on data.degradation={config.data.degradation!r} has no kernel to learn; take danv1 or danv2 "
            f'and "isotropic" or "anisotropic", or set --config.supervision.name="output"'
        )
    if size != config.data.kernel_size:
        raise UserError(f"data.kernel_size={config.data.kernel_size} is not the network's kernel_size={size}; set both")


def _check_scales(config: Config, spec: ModelSpec) -> None:
    """Raise UserError unless one set of weights can be trained at all of `data.scales`."""
    scales, patch = config.data.scales, config.data.patch
    if not spec.shares(*scales, config.model.scale):
        raise UserError(f'weights of {spec.name} do not serve the scales {scales}; set --config.data.scales="()"')
    for scale in scales:
        spec.module(scale)
        if not spec.pre_upsampled and patch % scale:
            raise UserError(f"data.patch={patch} is no multiple of the scale {scale}; set --config.data.patch")
