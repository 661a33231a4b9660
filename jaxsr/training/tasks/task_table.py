"""The table of tasks: what each value of `config.task` means for crops, batches, checks and validation."""

import dataclasses
from collections.abc import Callable

from jaxsr.models import ModelSpec
from jaxsr.support.errors import choose
from jaxsr.support.types import Device, Key, Tree
from jaxsr.training.batches import Batches
from jaxsr.training.config import Config
from jaxsr.training.feeds.feed import Feed
from jaxsr.training.feeds.open_photos import open_photos
from jaxsr.training.tasks import blind_task, deblur_task, reference_task, super_resolution_task
from jaxsr.training.tasks.validation_sets import ValidationSet, degraded_photos


@dataclasses.dataclass(frozen=True)
class Task:
    """What a run learns.

    Attributes:
        crop_size: `(config, spec)` to the side of the HR crop that makes one patch, with the context that the
            degradation needs.
        open_feed: `(config, crop size, devices)` to the source of crops, whose kind only the task knows.
        make_batch: `(config, spec, crops, keys)` to network inputs and targets; runs inside the compiled step. Each
            example is augmented and degraded by its own key of `keys` (N,).
        check: `(config, spec)` raises UserError for fields that do not go with the task.
        validation_set: `config` to the pairs that models are scored on while training.
    """

    crop_size: Callable[[Config, ModelSpec], int]
    open_feed: Callable[[Config, int, list[Device]], Feed]
    make_batch: Callable[[Config, ModelSpec, Tree, Key], Batches]
    check: Callable[[Config, ModelSpec], None]
    validation_set: Callable[[Config], ValidationSet]


TASKS: dict[str, Task] = {
    "sr": Task(  # photos enlarged that a fixed degradation made small
        crop_size=super_resolution_task.crop_size,
        open_feed=open_photos,
        make_batch=super_resolution_task.make_batch,
        check=super_resolution_task.check,
        validation_set=degraded_photos,
    ),
    "blind": Task(  # the same, each photo having been blurred by an unknown kernel of its own
        crop_size=blind_task.crop_size,
        open_feed=open_photos,
        make_batch=blind_task.make_batch,
        check=blind_task.check,
        validation_set=degraded_photos,
    ),
    "deblur": Task(  # motion blur removed at full size
        crop_size=deblur_task.crop_size,
        open_feed=deblur_task.open_feed,
        make_batch=deblur_task.make_batch,
        check=deblur_task.check,
        validation_set=deblur_task.validation_set,
    ),
    "reference": Task(  # photos enlarged with textures from a similar one
        crop_size=reference_task.crop_size,
        open_feed=reference_task.open_feed,
        make_batch=reference_task.make_batch,
        check=reference_task.check,
        validation_set=reference_task.validation_set,
    ),
}


def task_of(config: Config) -> Task:
    """Return the row of TASKS that `config.task` names; raises UserError for another name."""
    return choose("task", config.task, TASKS)
