"""The weights that are scored: bicubic's none, those that ship, a folder of further ones, published, and ZSSR's."""

import dataclasses
import functools
import hashlib
import re
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from pathlib import Path

import jax
import numpy as np

from jaxsr.blind.zssr.settings import ESTIMATE, ZSSRSettings
from jaxsr.models import MODELS, Model, count_parameters
from jaxsr.support.errors import UserError
from jaxsr.support.model_options import parse_model
from jaxsr.weights import load_file
from jaxsr.weights.formats import READERS, read_tensors
from jaxsr.weights.importers import IMPORTERS, import_tensors
from jaxsr.weights.readers.bounds import refusals
from jaxsr.weights.shipped_weights import SHIPPED, name_of, shipped_files

BICUBIC, OURS, LEARNED, PUBLISHED = "bicubic", "ours", "learned", "published"  # kinds of weights


@dataclasses.dataclass(frozen=True)
class Contestant:
    """Weights of a system and what they are called.

    Bicubic has no model, and ZSSR, which makes its own for each photo, has settings instead.
    """

    system: str
    kind: str
    name: str
    model: Model | None = None
    zssr: ZSSRSettings | None = None

    @property
    def scales(self) -> Sequence[int]:
        """The scales that the weights serve."""
        if self.model is None:
            return (1, 2, 3, 4, 8)
        spec, own = self.model.spec, self.model.scale
        return [scale for scale in spec.scales if spec.shares(own, scale)]

    def at_scale(self, scale: int) -> Model | None:
        """Return the model for `scale`, one of `scales`."""
        return self.model if self.model is None or scale == self.model.scale else self.model.at_scale(scale)

    @functools.cached_property
    def parameters(self) -> int:
        """The number of trainable scalars."""
        if self.zssr is not None:
            return count_parameters(MODELS["zssr"], MODELS["zssr"].scales[0])
        if self.model is None:
            return 0
        return count_parameters(self.model.spec, self.model.scale, **self.model.options)

    @functools.cached_property
    def digest(self) -> str:
        """A digest of what the scores depend on: the version of the package, options and weights."""
        digest = hashlib.sha256(repr((version("jaxsr"), self.system)).encode())
        if self.zssr is not None:
            digest.update(repr(self.zssr).encode())
        if self.model is not None:
            digest.update(repr(sorted(self.model.options.items())).encode())
            for leaf in jax.tree.leaves(self.model.variables):
                digest.update(str(leaf.shape).encode() + np.asarray(leaf).tobytes())
        return digest.hexdigest()


def own_contestants(folder: Path | None = None) -> list[Contestant]:
    """Return bicubic, the weights that ship, and those in `folder`, which take precedence where names are equal.

    Raises UserError for a missing folder, and for a file that is no weight file.
    """
    if folder is not None and not folder.is_dir():
        raise UserError(f"--weights={folder} is no folder; name one of weight files")
    files = {path.stem: path for place in (SHIPPED, folder) if place for path in sorted(place.glob("*.safetensors"))}
    models = {name: load_file(path) for name, path in files.items()}
    ours = [Contestant(model.spec.name, OURS, name, model) for name, model in models.items()]
    return [Contestant(BICUBIC, BICUBIC, BICUBIC), *sorted(ours, key=lambda each: each.parameters)]


def zssr_contestants(options: str) -> list[Contestant]:
    """Return ZSSR by `options` of `--model=zssr`, "steps=1500,crop=64": by KernelGAN's kernel, and by the true one.

    Raises UserError for options that it does not have, and for a kernel among them.
    """
    _, named = parse_model(f"zssr,{options}" if options else "zssr")
    if "kernel" in named:
        raise UserError("--zssr takes no kernel: ZSSR is scored by an estimated kernel and by each photo's own")
    settings, listed = ZSSRSettings.from_options(named), f",{options}" if options else ""
    estimated = dataclasses.replace(settings, kernel=ESTIMATE)
    return [
        Contestant("kernelgan+zssr", LEARNED, f"zssr,kernel={ESTIMATE}{listed}", zssr=estimated),
        Contestant("zssr", LEARNED, f"zssr,kernel=FILE{listed}", zssr=settings),
    ]


def loaded_name(system: str, name: str, scale: int) -> str:
    """Return what `--model` takes for weights called `name`: at x3 vdsr-x3 for vdsr-x2x3x4, a file that ships."""
    file = shipped_files().get((system, scale))
    return name_of(system, scale) if file is not None and file.stem == name else name


def published_contestants(folder: Path) -> tuple[list[Contestant], dict[str, str]]:
    """Return the published weights in `folder`, and why some of them were not read.

    A file's name says which system it is of: vdsr_twtygqyy.pth. Files of other names are not looked at.
    """
    contestants, skipped = [], {}
    for path in _weight_files(folder):
        system = next((word for word in re.split(r"[_.\-]", path.stem.lower()) if word in MODELS), None)
        try:
            if system is not None:
                contestants.append(Contestant(system, PUBLISHED, path.name, _imported(path, system)))
        except UserError as error:
            skipped[path.name] = str(error).replace(f"{path.parent}/", "")
    return contestants, skipped


def _weight_files(folder: Path) -> Iterator[Path]:
    if not folder.is_dir():
        raise UserError(f"--published={folder} is no folder; name the one of the published weight files")
    suffixes = (*READERS.keys() - {".safetensors"}, ".index")
    return (path for path in sorted(folder.iterdir()) if path.is_file() and path.suffix.lower() in suffixes)


def _imported(path: Path, system: str) -> Model:
    """Return the model of a published file.

    Where the arrays do not tell the scale, the file's name does, or any will do for weights that serve all.
    """
    if system not in IMPORTERS:
        raise UserError(f"there is no importer for {system}")
    with refusals(path, f"no {system}", "give its published weights"):
        tensors = read_tensors(path)
        named, spec = re.search(r"x(\d)(?![0-9])", path.stem), MODELS[system]
        scale = int(named[1]) if named else spec.scales[0] if spec.shares(*spec.scales) else None
        try:
            return import_tensors(system, tensors)
        except UserError as error:
            if scale is None or "scale" not in str(error):
                raise
            return import_tensors(system, tensors, scale=scale)
