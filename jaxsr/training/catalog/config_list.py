"""The table of the packaged configs that `python -m jaxsr.train --list` prints."""

import functools
from collections.abc import Sequence

import jax

from jaxsr.models import ESTIMATORS, count_parameters, model_spec
from jaxsr.models.kernelgan import init_generator
from jaxsr.support.errors import choose
from jaxsr.support.model_options import Option
from jaxsr.training.catalog.config_files import config_names, default_variant, load_config, variants_of
from jaxsr.training.catalog.training_costs import hours, recorded_costs
from jaxsr.training.config import Config

COLUMNS = ("config", "parameters", "steps", "GiB", "hours", "paper")
PER_PHOTO = "-"  # GiB and hours of what learns from each photo by itself
NOTES = (
    "*: what the name alone means, as in --config=espcn. kernelgan's steps are those for each photo.",
    "GiB and hours are estimates, for one H100 at the config's own batch size. GiB: weights, optimizer, activations in",
    "float32, as XLA's compiler for the CPU assigns them; a GPU adds working space, and the photos that it keeps.",
    "Hours, with --config.precision=bf16 (DAN: float32): the operations of all steps, at the rates of nine trainings,",
    "up to five of them on one H100 at a time, and no more than 220 steps a second. Networks without such a training",
    "get the middle rate of the nine. Expect from half to three times as long.",
)


def config_table(name: str = "") -> list[str]:
    """Return the lines of the table of all packaged configs, or of the one called `name`.

    Raises UserError, naming the nearest, for an unknown name.
    """
    names = config_names()
    if name:
        choose("config", name, dict.fromkeys(names))
    rows = [row for each in ([name] if name else names) for row in config_rows(each)]
    return [*aligned([COLUMNS, *rows]), "", *NOTES]


def config_rows(name: str) -> list[tuple[str, ...]]:
    """Return a row for each variant of the packaged config `name`."""
    costs, default = recorded_costs(), default_variant(name)
    rows = []
    for variant in variants_of(name):
        full_name = f"{name}:{variant}"
        config = load_config(full_name)
        cost = costs.get(full_name)
        held, needed = (two_digits(cost.gibibytes), two_digits(hours(config, cost))) if cost else (PER_PHOTO,) * 2
        label = full_name + ("*" if variant == default else "")
        rows.append((label, f"{parameters(config):,}", f"{steps(config):,}", held, needed, paper(config)))
    return rows


def parameters(config: Config) -> int:
    """Return the number of trainable scalars of the config's network, without computing it."""
    if config.model.name in ESTIMATORS:
        generator = jax.eval_shape(init_generator, jax.eval_shape(lambda: jax.random.key(0)))
        return sum(leaf.size for leaf in jax.tree.leaves(generator))
    return _count_parameters(config.model.name, config.model.scale, tuple(config.model.options.to_dict().items()))


@functools.cache
def _count_parameters(name: str, scale: int, options: tuple[tuple[str, Option], ...]) -> int:
    """Return the count of a network; variants that differ in how they train share it."""
    return count_parameters(model_spec(name), scale, **dict(options))


def steps(config: Config) -> int:
    """Return the updates that a run makes in all; KernelGAN's for one photo, whose runs begin anew by several seeds."""
    return config.steps * (config.seeds if config.model.name in ESTIMATORS else 1)


def paper(config: Config) -> str:
    """Return where the config's network was published."""
    name = config.model.name
    return ESTIMATORS[name] if name in ESTIMATORS else model_spec(name).paper


def two_digits(number: float) -> str:
    """Return a number rounded to two digits, "<0.1" for less than that."""
    return "<0.1" if number < 0.1 else f"{float(f'{number:.2g}'):,g}"


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return `rows` as lines; the first and the last column begin on the left, numbers end on the right."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    last = len(widths) - 1
    return [
        "  ".join(
            cell.ljust(width) if i in (0, last) else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
