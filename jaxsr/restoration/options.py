"""How photos are restored: one record of options, checked when it is made, and once against the model."""

import dataclasses
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TypeAlias

import numpy as np
from PIL import Image

from jaxsr.engines.engine_choice import AUTO, check_engine, engine_for
from jaxsr.engines.runtimes import check_precision, takes_bf16
from jaxsr.models import Model
from jaxsr.restoration.precision_choice import CHOICES, chosen_precision
from jaxsr.restoration.reference.reference_features import ReferenceFeatures
from jaxsr.restoration.tiles.placement import Tile, check_tile
from jaxsr.support.errors import UserError, brief, choose
from jaxsr.weights.vgg_files import VGGWeights

PhotoLike: TypeAlias = np.ndarray | Image.Image | str | os.PathLike[str]

REFERENCE_FIELDS = ("reference", "vgg", "copies", "save_matches")


@dataclasses.dataclass(frozen=True, eq=False)
class RestoreOptions:
    """How photos are restored. A value of the wrong kind raises UserError; `check` refuses what does not fit a model.

    Example: `jaxsr.restore("photo.png", "fsrcnn-x2", tile=None, ensemble=True)` sets the fields of this record.

    Attributes:
        tile: the largest side of a tile in pixels, "auto", or None for the whole photo at once. It does not change the
            result, except that DeblurGAN's tiles approximate it, which a warning says.
        ensemble: whether to average over the 8 flips and quarter turns: 8 times slower, a little better.
        quantize: whether the result is clipped and has the photo's dtype, integers rounded half up. Otherwise it is
            float32, neither clipped nor rounded.
        all_rounds: for DAN: whether the extras hold the image of each round.
        engine: what computes: "xla", "openvino", "onnxruntime", or "auto". On CPUs "auto" is the installed engine that
            was measured at least 1.1 times as fast as XLA for the network, else XLA; on other devices, XLA. Results
            agree within 1e-5.
        reference: for SRNTT: photos to take texture from, arrays (H, W, 1 or 3), PIL images or paths, or a single one;
            or the ReferenceFeatures that `prepare` made of some. Without any the photo is its own reference.
        vgg: for SRNTT: VGG19's weights, or their file; by default the file in JAXSR_VGG19 or the cache.
        copies: for SRNTT: whether to match turned and scaled copies of the references, too.
        save_matches: for SRNTT: whether the extras hold the matches.
        precision: what the network computes in: "float32", "bf16" (bfloat16), or "auto", which is bf16 where that is
            faster, was measured to change the result by less than anyone sees (see `precision_choice.py`), and the
            engine has it: onnxruntime has not.
    """

    tile: Tile = "auto"
    ensemble: bool = False
    quantize: bool = True
    all_rounds: bool = False
    engine: str = AUTO
    reference: ReferenceFeatures | PhotoLike | Sequence[PhotoLike] = ()
    vgg: str | Path | VGGWeights = ""
    copies: bool = False
    save_matches: bool = False
    precision: str = AUTO

    def __post_init__(self) -> None:
        """Raise UserError, naming the field, for a value that cannot be used."""
        if isinstance(self.tile, np.integer):
            object.__setattr__(self, "tile", int(self.tile))
        pixels = isinstance(self.tile, int) and not isinstance(self.tile, bool) and self.tile >= 1
        if not (pixels or self.tile in (None, "auto")):
            raise UserError(f"tile={self.tile!r} is not a number of pixels; use 128, 'auto' or None")
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if isinstance(field.default, bool) and not isinstance(value, bool):
                raise UserError(f"{field.name}={value!r} is neither True nor False; the default is {field.default}")
        check_engine(self.engine)
        if not isinstance(self.vgg, str | os.PathLike | VGGWeights):
            raise UserError(f"vgg={brief(self.vgg)} is not a file of VGG19's weights; give its path")
        choose("precision", self.precision, dict.fromkeys(CHOICES))
        if not (self._is_single_reference or isinstance(self.reference, ReferenceFeatures)):
            object.__setattr__(self, "reference", _tuple_of_references(self.reference))

    def with_precision(self, model: Model) -> "RestoreOptions":
        """Return the options with the precision that `precision_for` finds."""
        return dataclasses.replace(self, precision=self.precision_for(model))

    def precision_for(self, model: Model) -> str:
        """Return the precision, or what "auto" stands for with `model` and the engine on this machine."""
        precision = chosen_precision(model, self.precision)
        if self.precision == AUTO and not takes_bf16(engine_for(model.spec.name, self.engine, precision=precision)):
            return "float32"
        return precision

    def check(self, model: Model) -> None:
        """Raise UserError where an option was set that `model` has no use for, or by which it restores no photo."""
        unused: dict[str, str] = {} if "reference" in model.needs else dict.fromkeys(REFERENCE_FIELDS, "srntt")
        if "all_rounds" not in model.spec.detail_options:
            unused["all_rounds"] = "danv1 or danv2"
        for name in self.changed():
            if name in unused:
                raise UserError(f"{model.name} takes no {name}; leave it out, or use {unused[name]}")
        if self.ensemble and "reference" in model.needs:
            raise UserError(f"{model.name} matches an upright photo with references; leave the ensemble out")
        check_tile(model, self.tile)
        check_precision(engine_for(model.spec.name, self.engine, precision=self.precision), self.precision)

    def changed(self) -> list[str]:
        """Return the names of the fields that are not at their default."""
        fields = dataclasses.fields(self)
        return [field.name for field in fields if not _is_default(getattr(self, field.name), field.default)]

    @property
    def references(self) -> Sequence[PhotoLike] | ReferenceFeatures:
        """The references as a list, also where `reference` is a single photo."""
        return [self.reference] if self._is_single_reference else self.reference  # pyright: ignore[reportReturnType]

    @property
    def _is_single_reference(self) -> bool:
        return isinstance(self.reference, np.ndarray | Image.Image | str | os.PathLike)


def _tuple_of_references(references: object) -> tuple:
    """Return `references`, a list or another iterable, as a tuple; raises UserError for what cannot be walked."""
    if not isinstance(references, Iterable):
        raise UserError(f"reference={references!r} is neither a photo nor a list of photos; leave it out for none")
    return tuple(references)


def _is_default(value: object, default: object) -> bool:
    """Return whether `value`, which may be an array or a list of arrays, is `default`."""
    if isinstance(value, list | tuple) and isinstance(default, tuple):
        return not value  # the only such default is empty
    return type(value) is type(default) and value == default


DEFAULT_OPTIONS = RestoreOptions()
