"""The networks, one file per paper, and `MODELS`, the one table of them.

Open first: `spec.py` (what others know of a network), `model.py` (a network with its weights, called on photos in
[0, 1]), `forward.py` (how a network is run), `precision.py` (in float32 or bfloat16), then `espcn.py`, the shortest of
the papers. `ops/` holds the layers that papers share.
"""

import copyreg
import pickle
from typing import Any

from jaxsr.models import (
    bicubic,
    danv1,
    danv2,
    deblurgan,
    drcn,
    espcn,
    fsrcnn,
    kernelgan,
    lapsrn,
    mslapsrn,
    rdn,
    real,
    srcnn,
    srdensenet,
    srgan,
    srntt,
    srresnet,
    vdsr,
    zssr,
)
from jaxsr.models.forward import extras, restored_image
from jaxsr.models.model import Model
from jaxsr.models.spec import ModelSpec, Options, count_parameters, initial_shapes
from jaxsr.support.errors import UserError, choose

MODELS: dict[str, ModelSpec] = {
    "bicubic": bicubic.SPEC,
    "srcnn": srcnn.SPEC,
    "fsrcnn": fsrcnn.SPEC,
    "espcn": espcn.SPEC,
    "vdsr": vdsr.SPEC,
    "drcn": drcn.SPEC,
    "rdn": rdn.SPEC,
    "lapsrn": lapsrn.SPEC,
    "mslapsrn": mslapsrn.SPEC,
    "srdensenet": srdensenet.SPEC,
    "srresnet": srresnet.SPEC,
    "srgan": srgan.SPEC,
    "real": real.SPEC,
    "danv1": danv1.SPEC,
    "danv2": danv2.SPEC,
    "zssr": zssr.SPEC,
    "deblurgan": deblurgan.SPEC,
    "srntt": srntt.SPEC,
}


# Systems that estimate a blur kernel and restore nothing: name -> paper
ESTIMATORS: dict[str, str] = {"kernelgan": kernelgan.PAPER}


def model_spec(name: str) -> ModelSpec:
    """Return the facts about the network `name`: its scales, channels, context, paper.

    Example: `model_spec("fsrcnn").scales` is (2, 3, 4).

    Args:
        name: a network of `jaxsr.list_models()`, without a scale.

    Returns:
        A ModelSpec.

    Raises:
        UserError: where there is no such model, naming the nearest, and for one that estimates kernels.
    """
    if isinstance(name, str) and name in ESTIMATORS:
        raise UserError(f"{name} estimates a blur kernel and restores nothing: use jaxsr.estimate_kernel(photo)")
    return choose("model", name, MODELS)


def _reduce(spec: ModelSpec) -> tuple[Any, ...]:
    """Copy and pickle a row of MODELS by name: a copied model's tree then equals the model's own."""
    if MODELS.get(spec.name) is spec:
        return model_spec, (spec.name,)
    return object.__reduce_ex__(spec, pickle.DEFAULT_PROTOCOL)  # type: ignore[return-value]


copyreg.pickle(ModelSpec, _reduce)


__all__ = [
    "ESTIMATORS",
    "MODELS",
    "Model",
    "ModelSpec",
    "Options",
    "count_parameters",
    "extras",
    "initial_shapes",
    "model_spec",
    "restored_image",
]
