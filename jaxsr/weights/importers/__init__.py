"""Published weights, by the tensor names of each network's reference code, to this package's parameters.

One file per paper holds `convert(tensors) -> Imported`. Options are read off names and shapes.
"""

from collections.abc import Callable

import numpy as np

from jaxsr.models import Model, ModelSpec, initial_shapes, model_spec
from jaxsr.support.errors import UserError, choose
from jaxsr.weights.files import check_shapes
from jaxsr.weights.importers import deblurgan, espcn, fsrcnn, lapsrn, mslapsrn, rdn, srcnn, srresnet, vdsr
from jaxsr.weights.importers.common import Imported, Tensors

IMPORTERS: dict[str, Callable[[Tensors], Imported]] = {
    "srcnn": srcnn.convert,
    "fsrcnn": fsrcnn.convert,
    "espcn": espcn.convert,
    "vdsr": vdsr.convert,
    "rdn": rdn.convert,
    "lapsrn": lapsrn.convert,
    "mslapsrn": mslapsrn.convert,
    "srresnet": srresnet.convert,
    "srgan": srresnet.convert,
    "deblurgan": deblurgan.convert,
}


def import_tensors(name: str, tensors: Tensors, *, scale: int | None = None, **options) -> Model:
    """Return the model `name` with published `tensors` (name -> array, in the layout of their framework).

    `scale` is needed where the shapes do not tell it; `options` override what was read off them. Raises
    UserError when a name is missing, the scale is unknown, or a shape does not fit the network.
    """
    spec = model_spec(name)
    convert = choose("model with an importer", name, IMPORTERS)
    try:
        imported = convert(tensors)
    except KeyError as error:
        have = ", ".join(list(tensors)[:4])
        raise UserError(f"no tensor {error} for {name}; the file has: {have}, ...; is it another model?") from None
    scale = _agreed_scale(spec, scale, imported.scale)
    options = {**imported.options, **options}
    module = spec.module(scale, **options)
    variables = {kind: _float32(tree) for kind, tree in imported.variables.items()}
    check_shapes(variables, initial_shapes(module), f"the tensors of this {name}")
    return Model(spec, module, scale, variables)


def _agreed_scale(spec: ModelSpec, asked: int | None, found: int | None) -> int:
    scale = found if asked is None else asked
    if scale is None:
        raise UserError(f"the shapes of {spec.name} do not tell its scale; say it: --model={spec.name},scale=3")
    if found is not None and not spec.shares(scale, found):
        raise UserError(f"scale={asked} was asked for, but the shapes of this {spec.name} say {found}")
    return scale


def _float32(tree):
    if isinstance(tree, dict):
        return {name: _float32(value) for name, value in tree.items()}
    return np.ascontiguousarray(tree, np.float32)


__all__ = ["IMPORTERS", "Imported", "Tensors", "import_tensors"]
