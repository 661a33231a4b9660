"""Validate a config before training."""

import inspect
from pathlib import Path

from absl import logging
from ml_collections import ConfigDict

from jaxsr.data.listing import is_data_set
from jaxsr.losses.pixel import LOSSES
from jaxsr.models import ModelSpec
from jaxsr.models.precision import PRECISIONS
from jaxsr.support.errors import UserError, choose, nearest
from jaxsr.support.paths import real_path, user_path
from jaxsr.training.config import Config, default_config, network_of, photo_fields
from jaxsr.training.config_bounds import check_bounds, check_plain, field_names, field_of
from jaxsr.training.feeds.open_photos import names_listed
from jaxsr.training.objectives.supervision import SUPERVISIONS
from jaxsr.training.tasks.task_table import task_of

TASK_FIELDS = {  # fields that one task has, and which others must leave as they are
    "data.scales": "sr",
    "data.pairs": "deblur",
    **dict.fromkeys(("data.noise", "data.exposures", "data.jitter", "data.shakes", "data.synthetic_share"), "deblur"),
    **dict.fromkeys(("data.references", "data.reference_level", "data.hr_reference_share"), "reference"),
    **dict.fromkeys(("texture.weight", "texture.by_similarity"), "reference"),
}


def check_names(config: Config) -> None:
    """Raise UserError for a field that training does not have, which would go unheeded, and for one that is missing.

    Python lets a misspelt field be set. Sections that are empty by default, such as `model.options`, hold any names.
    """
    defaults = default_config()
    known, own = field_names(defaults), field_names(config)
    free = tuple(f"{name}." for name in known if field_of(defaults, name) == ConfigDict())
    for name in own:
        if name not in known and not name.startswith(free):
            raise UserError(f"config has a field {name!r}, which training does not have; {nearest(name, known)}")
    for name in known:
        if name not in own:
            raise UserError(f"config lacks the field {name!r}; start from jaxsr.default_config()")


def check_config(config: Config, spec: ModelSpec) -> None:
    """Raise UserError, naming field, value, bound and remedy, for a config that cannot train `spec`'s network."""
    if spec.per_photo:
        raise UserError(
            f"{spec.name} learns from each photo: python -m jaxsr.restore PHOTO --output=DIR --model={spec.name}"
        )
    _check_values(config)
    choose("loss", config.loss, LOSSES)
    supervision = choose("supervision", config.supervision.name, SUPERVISIONS)
    for keyword in supervision.call_kwargs.keys() - inspect.signature(spec.build.__call__).parameters.keys():
        raise UserError(f'{spec.name} has no {keyword} to supervise; set --config.supervision.name="output"')
    if supervision.needs_kernels:
        _check_kernels(config, spec)
    _check_task(config, spec)
    _check_losses(config, spec)


def check_share(config: Config, share: int) -> None:
    """Raise UserError unless the `share` of a batch that a device gets divides into `accumulate` parts."""
    if share % config.accumulate:
        raise UserError(
            f"accumulate={config.accumulate} does not divide the {share} of batch_size={config.batch_size} that each "
            f"device gets; set --config.accumulate"
        )


def check_workdir(config: Config, workdir: Path) -> None:
    """Raise UserError where photos lie in `workdir`, to which a run adds a picture of its curves."""
    for field in (*photo_fields(config.data), "validation"):
        if real_path(workdir) in _places(config.data[field]):
            raise UserError(
                f"--workdir={workdir} holds the photos of data.{field}, and the run's curves.png would be one of them; "
                f"choose another folder, as in --workdir=runs/{config.model.name}"
            )


def _places(text: str) -> list[Path]:
    """Return the real paths of the comma-separated names in `text`, but for the built-in samples."""
    return [real_path(user_path(name)) for name in names_listed(text) if name != "samples"]


def warn_of_odd_values(config: Config) -> None:
    """Log a warning for each choice that a run can be made with, but that is hardly meant."""
    _warn_of_warmup(config)
    _warn_of_photos_in_both(config)
    _warn_of_unused_photos(config)


def _warn_of_warmup(config: Config) -> None:
    """Say so where the warm-up of a learning rate is longer than the run, whose rate then stays below the config's."""
    generator = config.steps - config.pretraining.steps
    counts = {"": generator, "adversarial.": generator * config.adversarial.updates if config.adversarial.loss else 0}
    for half, updates in counts.items():
        warmup, rate = (field_of(config, half + name) for name in ("schedule.warmup", "optimizer.learning_rate"))
        if warmup > updates > 0:
            logging.warning(
                f"{half}schedule.warmup={warmup} is longer than the {updates} updates of the run, whose learning rate "
                f"ends at {rate * updates / warmup:.2g}, not {rate:g}; set --config.{half}schedule.warmup to less"
            )


def _warn_of_photos_in_both(config: Config) -> None:
    """Say so where photos are both trained on and scored, whose scores then tell nothing of other photos.

    The samples and prepared data sets hold photos of both kinds.
    """
    name = config.data.validation
    trained = [place for field in photo_fields(config.data) for place in _places(config.data[field])]
    if name != "samples" and not is_data_set(name) and real_path(user_path(name)) in trained:
        logging.warning(
            f"data.validation={name} is trained on too, so its scores tell nothing of other photos; set "
            f"--config.data.validation to a folder of others"
        )


def _warn_of_unused_photos(config: Config) -> None:
    """Say so where photos to train on are named beside pairs or references, which take their place."""
    fields = photo_fields(config.data)
    if "train" not in fields and config.data.train not in ("", default_config().data.train):
        share = " set --config.data.synthetic_share to blur some of them, or" if "pairs" in fields else ""
        logging.warning(
            f"data.train={config.data.train} is not trained on, data.{fields[0]} takes its place;{share} leave "
            f"--config.data.train out"
        )


def _check_values(config: Config) -> None:
    """Raise UserError for a field whose value is out of bounds or no plain one, whatever the task and network."""
    check_plain(config)
    check_bounds(config)
    factors = config.data.rescale
    if not factors or not all(0 < factor <= 1 for factor in factors):
        raise UserError(f"data.rescale={factors} must be factors in (0, 1], at least one; set --config.data.rescale")
    choose("precision", config.precision, PRECISIONS)
    if not 0 <= (steps := config.pretraining.steps) < config.steps:
        raise UserError(
            f"pretraining.steps={steps} must lie in [0, steps={config.steps}); set --config.pretraining.steps"
        )


def _check_task(config: Config, spec: ModelSpec) -> None:
    """Raise UserError for a network or a field that does not go with `config.task`."""
    task, defaults = task_of(config), default_config()
    for name, owner in TASK_FIELDS.items():
        if owner != config.task and (value := field_of(config, name)) != field_of(defaults, name):
            raise UserError(
                f"{name}={value!r} is for task={owner!r}, this config has task={config.task!r}; set "
                f"--config.task={owner} or leave --config.{name} out"
            )
    if config.task != "reference" and "reference" in spec.needed_by(network_of(config, spec)):
        raise UserError(
            f"{spec.name} takes references, which task={config.task!r} has not; set --config.task=reference or "
            f"--config.model.options.alone=True"
        )
    _check_patch(config, spec)
    task.check(config, spec)


def _check_patch(config: Config, spec: ModelSpec) -> None:
    """Raise UserError for a patch of which a network that is trained without padding leaves nothing."""
    if spec.training_options.get("padding") != "valid":
        return
    scale, lost = config.model.scale, 2 * (spec.receptive_radius(network_of(config, spec)) or 0)
    if (side := scale * config.data.patch) <= lost:
        raise UserError(
            f"data.patch={config.data.patch} is enlarged to {side} pixels, of which {spec.name}, trained without "
            f"padding, loses {lost}; set --config.data.patch to {lost // scale + 1} or more"
        )


def _check_losses(config: Config, spec: ModelSpec) -> None:
    """Raise UserError for perceptual or adversarial losses that the network or the patches do not allow."""
    channels = network_of(config, spec).channels
    if config.perceptual.weight and channels != 3:
        raise UserError(f"{spec.name} has {channels} channel, VGG19 sees RGB; set --config.perceptual.weight=0")
    if config.adversarial.loss and config.data.scales:
        raise UserError('adversarial losses need patches of one scale; set --config.data.scales="()"')


def _check_kernels(config: Config, spec: ModelSpec) -> None:
    """Raise UserError unless the network estimates kernels, of the size that the patches are blurred by."""
    size = getattr(network_of(config, spec), "kernel_size", None)
    if size is None or config.task != "blind":
        raise UserError(
            f"{spec.name} with task={config.task!r} has no kernel to learn; take danv1 or danv2 and "
            f'--config.task=blind, or set --config.supervision.name="output"'
        )
    if size != config.data.kernel_size:
        raise UserError(f"data.kernel_size={config.data.kernel_size} is not the network's kernel_size={size}; set both")
