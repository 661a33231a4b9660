"""The networks, one file per paper, and the one table of them."""

from jaxsr.models import (
    bicubic,
    danv1,
    danv2,
    deblurgan,
    drcn,
    espcn,
    fsrcnn,
    lapsrn,
    mslapsrn,
    rdn,
    srcnn,
    srdensenet,
    srgan,
    srntt,
    srresnet,
    vdsr,
    zssr,
)
from jaxsr.models.forward import extras, restored_image
from jaxsr.models.model import Model, ModelSpec, count_parameters, initial_shapes
from jaxsr.support.errors import choose

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
    "danv1": danv1.SPEC,
    "danv2": danv2.SPEC,
    "zssr": zssr.SPEC,
    "deblurgan": deblurgan.SPEC,
    "srntt": srntt.SPEC,
}


def model_spec(name: str) -> ModelSpec:
    """Return the spec of the model `name`; a UserError names the nearest one when there is none."""
    return choose("model", name, MODELS)


__all__ = [
    "MODELS",
    "Model",
    "ModelSpec",
    "count_parameters",
    "extras",
    "initial_shapes",
    "model_spec",
    "restored_image",
]
