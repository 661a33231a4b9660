"""Image restoration in JAX: published networks to train, to score, and to use on a photo.

    model = jaxsr.load("fsrcnn-x2")        # a shipped name or a weight file
    photo = jaxsr.restore(photo, model)    # a NumPy array, PIL image or path; the same kind and depth out

`python -m jaxsr` lists the commands and the models. Public names are imported when first used.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jaxsr.blind.kernelgan.estimation import estimate_kernel
    from jaxsr.models import Model
    from jaxsr.restoration.photo import restore
    from jaxsr.support.errors import UserError
    from jaxsr.weights import load

    __version__: str

_HOME = {
    "Model": "jaxsr.models",
    "UserError": "jaxsr.support.errors",
    "estimate_kernel": "jaxsr.blind.kernelgan.estimation",
    "load": "jaxsr.weights",
    "restore": "jaxsr.restoration.photo",
}

__all__ = ["Model", "UserError", "__version__", "estimate_kernel", "list_models", "load", "restore"]


def list_models() -> list[str]:
    """Return the names of the networks, and of the weights that ship, which end in their scale."""
    from jaxsr.models import MODELS
    from jaxsr.weights import shipped_names

    return sorted({*MODELS, *shipped_names()})


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("jaxsr")
    if name not in _HOME:
        raise AttributeError(f"module 'jaxsr' has no attribute {name!r}")
    value = globals()[name] = getattr(importlib.import_module(_HOME[name]), name)
    return value


def __dir__() -> list[str]:
    return __all__
