"""The models that the page offers, and what each of them can be asked for."""

import dataclasses

from jaxsr.api.named_models import split_options
from jaxsr.api.restorers import DEFAULT_SCALE, ZSSR
from jaxsr.models import MODELS
from jaxsr.support.errors import UserError
from jaxsr.weights import load
from jaxsr.weights.shipped_weights import shipped_files, shipped_scales

BICUBIC = "bicubic"


@dataclasses.dataclass(frozen=True)
class ModelChoice:
    """What a model can be asked for.

    Attributes:
        scales: how many times larger it can make a photo.
        scale: the one that it has by default.
        ensemble: whether it can average over flips and turns.
        rounds: how often it alternates by default; 0 for those that do not.
        learns: whether it learns from the photo itself, in steps and for a kernel, as ZSSR does.
        references: whether it takes texture from reference photos.
    """

    scales: tuple[int, ...]
    scale: int
    ensemble: bool = True
    rounds: int = 0
    learns: bool = False
    references: bool = False


def offered_models(*further: str) -> list[str]:
    """Return `further`, then the networks whose weights ship, bicubic and ZSSR, each name once."""
    shipped = sorted({base for base, _ in shipped_files()})
    return list(dict.fromkeys([*further, *shipped, BICUBIC, ZSSR]))


def model_choice(text: str) -> ModelChoice:
    """Return what the model `text` can be asked for: a name, a weight file or a run folder.

    Raises UserError where there is no such model.
    """
    if not text.strip():
        raise UserError("no model yet; choose one, or type a weight file or a run folder")
    name, _ = split_options(text.strip())
    if name == ZSSR:
        return ModelChoice(MODELS[ZSSR].scales, DEFAULT_SCALE, learns=True)
    model = load(name)
    served = [scale for scale in model.spec.scales if model.spec.shares(model.scale, scale)]
    rounds = model.options.get("rounds", 0)
    return ModelChoice(
        tuple(sorted(shipped_scales(name) or served)),
        model.scale,
        ensemble="reference" not in model.needs,
        rounds=rounds if isinstance(rounds, int) else 0,
        references="reference" in model.needs,
    )
