"""Importers: published weights, by the tensor names of each network's reference code, as models of this package.

One file per paper holds `convert(tensors) -> Imported`; options are read off names and shapes. `import_tensors` here
is what others call. Open first: `layouts.py` (other frameworks' layouts), then `import_espcn.py`, a short one.
"""

from collections.abc import Callable

import numpy as np

from jaxsr.models import Model, ModelSpec, model_spec
from jaxsr.support.errors import UserError
from jaxsr.support.messages import first_few, one_line
from jaxsr.support.model_options import Option
from jaxsr.support.types import Tree
from jaxsr.weights.cards import as_float32, network_of
from jaxsr.weights.importers import (
    import_dan,
    import_deblurgan,
    import_espcn,
    import_fsrcnn,
    import_lapsrn,
    import_mslapsrn,
    import_rdn,
    import_srcnn,
    import_srdensenet,
    import_srresnet,
    import_vdsr,
)
from jaxsr.weights.importers.layouts import Imported, Tensors, WatchedTensors
from jaxsr.weights.importers.tensorflow import import_drcn, import_srntt
from jaxsr.weights.importers.wrappings import unwrappings
from jaxsr.weights.weight_files import check_shapes

IMPORTERS: dict[str, Callable[[Tensors], Imported]] = {
    "srcnn": import_srcnn.convert,
    "fsrcnn": import_fsrcnn.convert,
    "espcn": import_espcn.convert,
    "vdsr": import_vdsr.convert,
    "rdn": import_rdn.convert,
    "lapsrn": import_lapsrn.convert,
    "mslapsrn": import_mslapsrn.convert,
    "srresnet": import_srresnet.convert,
    "srgan": import_srresnet.convert,
    "drcn": import_drcn.convert,
    "srdensenet": import_srdensenet.convert,
    "danv1": import_dan.convert_v1,
    "danv2": import_dan.convert_v2,
    "deblurgan": import_deblurgan.convert,
    "srntt": import_srntt.convert,
}
MAX_REASON = 200  # characters of what went wrong inside an importer


def import_tensors(name: str, tensors: Tensors, *, scale: int | None = None, **options: Option) -> Model:
    """Return the model `name` with published `tensors` (name -> array, in the layout of their framework).

    `scale` is required where the shapes do not determine it; `options` override those read off the shapes. Wrappers of
    trainers are taken off the names. Raises UserError when a name is missing, a layer of the file has no place, the
    scale is unknown, or a shape does not fit the network.
    """
    return build(name, convert(name, tensors), scale=scale, **options)


def build(name: str, imported: Imported, *, scale: int | None = None, **options: Option) -> Model:
    """Return the model `name` of what an importer read, as `import_tensors` does."""
    spec = model_spec(name)
    scale = _agreed_scale(spec, scale, imported.scale)
    options = {**imported.options, **options}
    _check_told(spec, options, imported)
    module, shapes = network_of(spec, scale, options)
    variables = {kind: _float32(tree, kind) for kind, tree in imported.variables.items()}
    check_shapes(variables, shapes, f"the tensors of this {name}")
    return Model(spec, module, scale, variables)


def check_importable(name: str) -> None:
    """Raise UserError unless there is an importer for the model `name`."""
    spec = model_spec(name)
    if spec.per_photo:
        raise UserError(
            f"{name} learns from each photo, so no weights of it are published; choose one of: {', '.join(IMPORTERS)}"
        )
    if name not in IMPORTERS:
        raise UserError(f"no importer for {name!r}; choose one of: {', '.join(IMPORTERS)}")


def convert(name: str, tensors: Tensors) -> Imported:
    """Return what the importer of the model `name` reads off the tensors, under the first names that it knows."""
    check_importable(name)
    missing: list[KeyError] = []
    for named in map(WatchedTensors, unwrappings(dict(tensors))):
        try:
            imported = IMPORTERS[name](named)
            _check_all_read(name, named)
            return imported
        except KeyError as error:
            missing.append(error)
        except UserError:
            raise
        except Exception as error:  # importers reshape and count as a network of their kind allows
            reason = one_line(f"{type(error).__name__}: {error}", MAX_REASON)
            raise UserError(f"the arrays do not have the shapes of {name} ({reason}); is it another model?") from error
    have = ", ".join(list(tensors)[:4])
    raise UserError(f"no tensor {missing[0]} for {name}; the file has: {have}, ...; is it another model?")


def _check_all_read(name: str, tensors: WatchedTensors) -> None:
    """Raise UserError for layers that the importer of the model `name` has passed over."""
    unread = tensors.unread_layers()
    if unread:
        raise UserError(f"{name} has no layer for {first_few(unread, most=4)} in the file; is it another model?")


def _agreed_scale(spec: ModelSpec, asked: int | None, shown: int | None) -> int:
    """Return the scale `asked` for, or that which the shapes show; raises UserError where they differ."""
    scale = shown if asked is None else asked
    if scale is None:
        raise UserError(f"the shapes of {spec.name} do not tell its scale; say it: --model={spec.name},scale=3")
    if shown is not None and not spec.shares(scale, shown):
        raise UserError(f"scale={asked} was asked for, but the shapes of this {spec.name} say {shown}")
    return scale


def _check_told(spec: ModelSpec, options: dict[str, Option], imported: Imported) -> None:
    """Raise UserError for one of `options` that the importer did not find in the file, and the caller does not give."""
    for name, found in imported.options.items():
        if found is None and options[name] is None:
            example = f"--model={spec.name},{name}={getattr(spec.build, name)}"
            raise UserError(f"the file of this {spec.name} does not tell its {name}; say it: {example}")


def _float32(tree: Tree, name: str) -> Tree:
    if isinstance(tree, dict):
        return {key: _float32(value, f"{name}/{key}") for key, value in tree.items()}
    return as_float32("the tensors", name, np.asarray(tree), whole_numbers=True)  # MATLAB's zeros are whole numbers


__all__ = ["IMPORTERS", "Imported", "Tensors", "build", "check_importable", "convert", "import_tensors"]
