"""Image restoration in JAX: published networks to train, to score, and to use on a photo.

    model = jaxsr.load("fsrcnn-x2")                                        # a shipped name, weight file or run folder
    model = jaxsr.create("rdn", scale=2, key=jax.random.key(0), blocks=4)  # the paper's initialisation
    y = jax.jit(lambda m, x: m(x))(model, x)       # (N, H, W, C) in [0, 1] -> (N, 2 H, 2 W, C): a Model is a pytree
    photo = jaxsr.restore(photo, model)            # a NumPy array, PIL image or path; the same kind and depth out

`python -m jaxsr` lists the commands, the models and the weights. Public names are imported when first used.
"""

import importlib
import sys
import types
from typing import TYPE_CHECKING

from jaxsr.support.interruption import end_at_once_on_interrupt

if sys.argv[:1] == ["-m"]:  # Python's sign that it is starting a command of this package
    end_at_once_on_interrupt()

if TYPE_CHECKING:
    from jaxsr import degradations, imaging, losses, metrics, models
    from jaxsr.api.degrading import degrade
    from jaxsr.api.exporting import export
    from jaxsr.api.restoring import restore
    from jaxsr.api.scoring import evaluate
    from jaxsr.api.training_runs import train
    from jaxsr.blind.kernelgan.estimation import estimate_kernel
    from jaxsr.models import Model, ModelSpec, model_spec
    from jaxsr.restoration.options import RestoreOptions
    from jaxsr.support.errors import UserError
    from jaxsr.training.config import default_config
    from jaxsr.weights import create, load

    __version__: str

# Public name -> module that defines it
_HOMES = {
    "Model": "jaxsr.models",
    "ModelSpec": "jaxsr.models",
    "RestoreOptions": "jaxsr.restoration.options",
    "UserError": "jaxsr.support.errors",
    "create": "jaxsr.weights",
    "default_config": "jaxsr.training.config",
    "degrade": "jaxsr.api.degrading",
    "estimate_kernel": "jaxsr.blind.kernelgan.estimation",
    "evaluate": "jaxsr.api.scoring",
    "export": "jaxsr.api.exporting",
    "load": "jaxsr.weights",
    "model_spec": "jaxsr.models",
    "restore": "jaxsr.api.restoring",
    "train": "jaxsr.api.training_runs",
}
_SUBMODULES = ("degradations", "imaging", "losses", "metrics", "models")

__all__ = [
    "Model",
    "ModelSpec",
    "RestoreOptions",
    "UserError",
    "__version__",
    "create",
    "default_config",
    "degradations",
    "degrade",
    "estimate_kernel",
    "evaluate",
    "export",
    "imaging",
    "list_models",
    "load",
    "losses",
    "metrics",
    "model_spec",
    "models",
    "restore",
    "train",
]


def list_models() -> list[str]:
    """Return the names of all systems, and of the weights that ship, which end in their scale.

    Example: `"fsrcnn-x2" in jaxsr.list_models()`.

    Returns:
        Names, sorted. `jaxsr.create` makes the networks among them, `jaxsr.load` those with weights; "zssr" goes to
        `jaxsr.restore`, "kernelgan" is `jaxsr.estimate_kernel`.
    """
    from jaxsr.models import ESTIMATORS, MODELS
    from jaxsr.weights import shipped_names

    return sorted({*MODELS, *ESTIMATORS, *shipped_names()})


class _Package(types.ModuleType):
    """A package in which a command's module does not hide the public function of its name.

    Importing `jaxsr.train`, a command, makes Python set the attribute `train` of the package to that module. Whoever
    had imported a command would then no longer find the function `jaxsr.train`. The module itself stays in
    `sys.modules`, so that `from jaxsr.train import main` works.
    """

    def __setattr__(self, name: str, value: object) -> None:
        """Set an attribute, unless it is a submodule of a public function's name."""
        if not (name in _HOMES and isinstance(value, types.ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package


def __getattr__(name: str) -> object:
    if name == "__version__":
        from importlib.metadata import version

        return version("jaxsr")
    if name in _SUBMODULES:
        return importlib.import_module(f"jaxsr.{name}")
    if name not in _HOMES:
        raise AttributeError(f"module 'jaxsr' has no attribute {name!r}")
    value = globals()[name] = getattr(importlib.import_module(_HOMES[name]), name)
    return value


def __dir__() -> list[str]:
    return __all__
