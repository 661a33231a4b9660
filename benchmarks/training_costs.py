"""Counts what a training step of every config computes and holds, for `python -m jaxsr.train --list`.

python -m benchmarks.training_costs [espcn rdn:x2 ...]

renews the rows of those configs, or of all, in jaxsr/training/catalog/training_costs.json, without training. Operations
are those of convolutions and matrix products in the traced step, exact; memory is what XLA's compiler for the CPU
assigns to the step at the config's batch size, in float32. All of them take a quarter of an hour on two cores.
"""

import functools
import json
import math
from collections.abc import Iterator, Sequence
from typing import Any

import jax
import jax.numpy as jnp

from jaxsr.devices.meshes import BATCH_AXIS
from jaxsr.devices.parallel import example_keys
from jaxsr.models import ModelSpec, model_spec
from jaxsr.support import command_line
from jaxsr.support.errors import choose
from jaxsr.support.files import written_whole
from jaxsr.support.types import Tree
from jaxsr.training.catalog.config_files import config_names, load_config, variants_of
from jaxsr.training.catalog.training_costs import COSTS_FILE, Cost, recorded_costs
from jaxsr.training.config import Config
from jaxsr.training.feeds.blurred_feed import BlurredCrops
from jaxsr.training.feeds.reference_feed import ReferenceCrops
from jaxsr.training.objectives.objective import make_losses
from jaxsr.training.state import create_state
from jaxsr.training.steps.adversary import make_adversary
from jaxsr.training.steps.training_stages import Stage, make_stages, start_adversary
from jaxsr.training.tasks.task_table import task_of

PER_PHOTO = ("kernelgan",)  # whose steps are no training steps of config.py's kind
FAST_COMPILE: Any = {"xla_backend_optimization_level": 0}  # code is not run; buffers are assigned before this stage


def cost_of(config: Config, *, memory: bool = True) -> Cost:
    """Return what the step of each stage of `config` computes, and what the last one holds (0 without `memory`)."""
    traced = [jax.jit(step).trace(*arguments) for step, arguments in stage_steps(config)]
    gigaflops = [operations(step.jaxpr.jaxpr) / 1e9 for step in traced]
    held = held_bytes(traced[-1].lower().compile(compiler_options=FAST_COMPILE)) / 2**30 if memory else 0.0
    return Cost([float(f"{each:.6g}") for each in gigaflops], float(f"{held:.3g}"))


def stage_steps(config: Config) -> Iterator[tuple[Any, tuple[Tree, ...]]]:
    """Yield for each stage of `config` its step on one device, and the shapes of what it takes."""
    if config.perceptual.weight or config.task == "reference":
        config.perceptual.weights = "random"  # shapes matter, not values
        config.perceptual.fallback_to_deepest_layer = False
    config.initial_weights = ""
    spec, task = model_spec(config.model.name), task_of(config)
    losses, adversary = make_losses(config), make_adversary(config)
    make_batch = functools.partial(task.make_batch, config, spec)
    crops = crop_shapes(config, task.crop_size(config, spec))
    for stage in make_stages(config, spec, losses, adversary, make_batch):
        state = jax.eval_shape(functools.partial(first_state, config, spec, stage))
        one_device = jax.vmap(functools.partial(one_step, config, stage), (None, None, 0), axis_name=BATCH_AXIS)
        yield one_device, (state, jax.eval_shape(lambda: losses.vgg_params), crops)


def one_step(config: Config, stage: Stage, state: Tree, vgg_params: Tree, crops: Tree) -> Tree:
    """Return what `stage` makes of a state and a whole batch."""
    keys = example_keys(jax.random.wrap_key_data(state.key), state.step, config.batch_size)
    return stage.step(state, vgg_params, crops, keys)


def first_state(config: Config, spec: ModelSpec, stage: Stage) -> Tree:
    """Return the state with which `stage` starts; it is traced for its shapes alone."""
    module = spec.module(config.model.scale, **{**config.model.options.to_dict(), **spec.training_options})
    variables = {"params": {}, **module.init(jax.random.key(0), jnp.zeros((1, 32, 32, module.channels)))}
    beside = start_adversary(config, spec, make_adversary(config))
    return create_state(variables, stage.optimizer, beside, seed=0, averaged=config.ema_decay > 0)


def crop_shapes(config: Config, side: int) -> Tree:
    """Return the shapes of the feed's crops for one step on one device, whose axis comes first."""
    shape: Any = functools.partial(shape_of, 1, config.batch_size)
    hr = shape(side, side, 3)
    if config.task == "reference":
        matches = (config.data.patch - 2,) * 2
        return ReferenceCrops(hr, hr, shape(*matches, 3, dtype=jnp.int32), shape(*matches, dtype=jnp.float32))
    if config.task != "deblur":
        return hr
    kernels = shape(*[config.data.kernel_size] * 2, dtype=jnp.float32)
    if config.data.degradation != "motion":
        return BlurredCrops(hr, blurred=hr)
    if not config.data.synthetic_share:
        return BlurredCrops(hr, kernels)
    return BlurredCrops(hr, kernels, blurred=hr, is_pair=shape(dtype=jnp.bool_))


def shape_of(*sides: int, dtype: Any = jnp.uint8) -> jax.ShapeDtypeStruct:
    """Return the shape and type of an array."""
    return jax.ShapeDtypeStruct(sides, dtype)


def operations(jaxpr: Any) -> float:
    """Return the operations of the convolutions and matrix products of `jaxpr`, loops included; a product counts two.

    Only the longest branch of a condition counts. Products with the zeros of a dilated input do not.
    """
    total = 0.0
    for equation in jaxpr.eqns:
        name, parameters = equation.primitive.name, equation.params
        if name == "conv_general_dilated":
            kernel, layout = equation.invars[1].aval.shape, parameters["dimension_numbers"].rhs_spec
            size = math.prod(kernel) // kernel[layout[0]] / math.prod(parameters["lhs_dilation"])
            total += 2 * math.prod(equation.outvars[0].aval.shape) * size
        elif name == "dot_general":
            contracted, shape = parameters["dimension_numbers"][0][0], equation.invars[0].aval.shape
            total += 2 * math.prod(equation.outvars[0].aval.shape) * math.prod(shape[axis] for axis in contracted)
        else:
            inner = [operations(each) for each in inner_programs(parameters)]
            repeated = parameters["length"] if name == "scan" else 1
            total += repeated * (max(inner) if name == "cond" else sum(inner))
    return total


def inner_programs(parameters: dict[str, Any]) -> list[Any]:
    """Return the programs that an equation calls: the body of a loop, the branches of a condition."""
    leaves = jax.tree.leaves(parameters, is_leaf=lambda leaf: hasattr(leaf, "jaxpr") or hasattr(leaf, "eqns"))
    return [getattr(leaf, "jaxpr", leaf) for leaf in leaves if hasattr(leaf, "jaxpr") or hasattr(leaf, "eqns")]


def held_bytes(compiled: Any) -> int:
    """Return the bytes of a compiled step at its peak: the state, which is donated in training, and all beside it."""
    analysis = compiled.memory_analysis()
    return analysis.argument_size_in_bytes + analysis.temp_size_in_bytes


def record(name: str, cost: Cost) -> None:
    """Write the row of a variant, sorted among the others, as soon as it is known."""
    costs = {**recorded_costs(), name: cost}
    with written_whole(COSTS_FILE) as path:
        lines = [f'  "{each}": {json.dumps(costs[each]._asdict())}' for each in sorted(costs)]
        path.write_text("{\n" + ",\n".join(lines) + "\n}\n")


def main(arguments: Sequence[str]) -> None:
    """Renew the rows of all variants, or of those that are named, and print them."""
    for key in keys_of(arguments):
        record(key, cost := cost_of(load_config(key)))
        stages = " + ".join(f"{each:,.0f}" for each in cost.gigaflops)
        print(f"{key:22} {stages:>14} GFLOP a step, {cost.gibibytes:.2f} GiB", flush=True)


def keys_of(arguments: Sequence[str]) -> list[str]:
    """Return "config:variant" of all that `arguments` name, all there are without any; raises UserError for others."""
    named = {name: [f"{name}:{variant}" for variant in variants_of(name)] for name in config_names()}
    named = {name: keys for name, keys in named.items() if name not in PER_PHOTO}
    known = named | {key: [key] for keys in named.values() for key in keys}
    chosen = {key for name in arguments or named for key in choose("config", name, known)}
    return [key for keys in named.values() for key in keys if key in chosen]


if __name__ == "__main__":
    command_line.run(main)
