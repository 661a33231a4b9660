"""What several configs share: published training recipes, and the names of variants."""

from collections.abc import Iterable, Mapping
from typing import TypeVar

from ml_collections import ConfigDict

from jaxsr.support.errors import UserError, nearest
from jaxsr.training.config import Config

T = TypeVar("T")  # what the first half of a variant's name stands for, such as a scale
U = TypeVar("U")  # what the second half stands for, such as the function that sets a recipe

LAPLACIAN_LEAST_RATE = 1e-6  # that LapSRN's and MS-LapSRN's training falls to, in the authors' code

# Both DANs' settings and the sides of their kernels (Luo et al., NeurIPS 2020, section 4.1).
BLIND_SETTINGS = {"x2-iso": 21, "x3-iso": 21, "x4-iso": 21, "x2-aniso": 11, "x4-aniso": 31}


def published_recipe(config: Config, optimizer: str, learning_rate: float) -> None:
    """Set "sgd" or "adam" with momentum 0.9 at a rate, without warm-up, averaged weights and stretched contrast."""
    config.optimizer.name = optimizer
    config.optimizer.momentum = 0.9
    config.optimizer.learning_rate = learning_rate
    config.schedule.warmup = 0
    config.ema_decay = 0.0
    config.data.stretch = 0.0


def step_schedule(config: Config, *, every: int, factor: float) -> None:
    """Multiply the learning rate by `factor` after every `every` updates."""
    config.schedule.name = "step"
    config.schedule.every = every
    config.schedule.factor = factor


def muon_recipe(config: Config, *, steps: int, learning_rate: float = 0.005) -> None:
    """Set this package's own recipe for deep networks: Muon with a cosine schedule."""
    config.optimizer.learning_rate = learning_rate
    config.steps = steps


def laplacian_recipe(config: Config, *, learning_rate: float, halved_every: int, steps: int) -> None:
    """Set what LapSRN and MS-LapSRN share (section 3 of both papers): SGD on the sum of Charbonnier losses.

    Slower biases and the least rate are those of the authors' code.
    """
    published_recipe(config, "sgd", learning_rate)
    config.batch_size = 64
    config.data.rescale = (1.0, 0.9, 0.8, 0.7, 0.6, 0.5)
    config.loss = "charbonnier_sum"
    config.optimizer.weight_decay = 1e-4
    config.optimizer.layer_rates = ConfigDict({"bias": 0.1})
    step_schedule(config, every=halved_every, factor=0.5)
    config.schedule.final = LAPLACIAN_LEAST_RATE / learning_rate
    config.steps = steps


def laplacian_muon_recipe(config: Config, *, batch_size: int) -> None:
    """Set this package's own recipe for LapSRN and MS-LapSRN."""
    config.batch_size = batch_size
    config.loss = "charbonnier"
    muon_recipe(config, steps=12_000)


def blind_setting(config: Config, setting: str) -> None:
    """Set the task, the scale, the kernels and the losses of a row of BLIND_SETTINGS.

    "iso" is the paper's setting 1, isotropic kernels; "aniso" its setting 2, noisy anisotropic ones.
    """
    kernel_size = BLIND_SETTINGS[setting]
    config.task = "blind"
    config.model.scale = int(setting[1])
    config.data.degradation = "isotropic" if setting.endswith("-iso") else "anisotropic"
    config.data.kernel_size = kernel_size
    config.data.quantize_lr = True
    config.supervision.name = "kernel"
    config.loss = "l1"
    config.model.options = ConfigDict(
        {
            **{"kernel_size": kernel_size, "code_length": 10, "kernels": config.data.degradation},
            **{"rounds": 4, "backpropagate_all": False},
        }
    )


def blind_recipe(config: Config, steps: int) -> None:
    """Set how both DANs are trained (section 4.1 and the authors' files): Adam, halved every 200,000 steps."""
    published_recipe(config, "adam", 4e-4)
    config.optimizer.second_momentum = 0.99
    step_schedule(config, every=200_000, factor=0.5)
    config.data.patch = 64
    config.batch_size = 64
    config.steps = steps


def default_recipe(config: Config) -> None:
    """Keep what `default_config` has, this package's own recipe for small networks: Muon with a cosine schedule."""


def scale_names(*scales: int) -> dict[str, int]:
    """Return the scales by the names that variants begin with, "x2" and so on."""
    return {f"x{scale}": scale for scale in scales}


def variant_table(names: Mapping[str, T], recipes: Mapping[str, U]) -> dict[str, tuple[T, U]]:
    """Return a config's VARIANTS, "NAME" for the recipe "" and "NAME-RECIPE" for the others, with what belongs to both.

    Example: `variant_table(scale_names(2, 3), {"": muon, "paper": paper})["x3-paper"]` is (3, paper).
    """
    return {
        f"{name}-{recipe}".removesuffix("-"): (names[name], recipes[recipe]) for recipe in recipes for name in names
    }


def blind_variants(paper: U, own: Mapping[str, U]) -> dict[str, tuple[str, U]]:
    """Return the VARIANTS of a DAN: all settings by the recipe `paper`, isotropic ones also by those of `own`."""
    isotropic = {setting: setting for setting in BLIND_SETTINGS if setting.endswith("-iso")}
    return {**{setting: (setting, paper) for setting in BLIND_SETTINGS}, **variant_table(isotropic, own)}


def choose_variant(variant: str, variants: Mapping[str, T]) -> T:
    """Return `variants[variant]`; raises UserError, listing all variants, for another."""
    check_variant(variant, variants)
    return variants[variant]


def check_variant(variant: str, known: Iterable[str]) -> None:
    """Raise UserError, listing all variants, unless `variant` is one of `known`."""
    if variant not in (known := list(known)):
        choices = f"choose one of: {', '.join(known)}"
        hint = nearest(variant, known)
        raise UserError(f"unknown variant {variant!r}; {choices if hint == choices else f'{hint} {choices}'}")
