"""What training carries from step to step."""

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
import optax
from flax import struct

from jaxsr.support.errors import UserError
from jaxsr.support.trees import by_path, from_paths
from jaxsr.weights import load
from jaxsr.weights.bases import load_basis


@struct.dataclass
class CriticState:
    """What the second network of adversarial training carries."""

    params: Any
    statistics: Any
    optimizer: optax.OptState


@struct.dataclass
class TrainState:
    """Everything that a resumed run needs: a tree of arrays. `key` is raw key data, which checkpoints can hold."""

    step: jax.Array
    key: jax.Array
    params: Any
    statistics: Any  # the network's other collections, such as {"batch_stats": ...}; empty without one
    average: Any  # exponential moving average of params and statistics; empty without one
    optimizer: optax.OptState
    critic: Any  # a CriticState; {} without adversarial training


def create_state(
    variables: Any, optimizer: optax.GradientTransformation, critic: Any = None, *, seed: int, averaged: bool
) -> TrainState:
    """Return the state before the first step. The average starts at the initial `variables`."""
    statistics = {name: tree for name, tree in variables.items() if name != "params"}
    return TrainState(
        step=jnp.zeros((), jnp.int32),
        key=jax.random.key_data(jax.random.key(seed)),
        params=variables["params"],
        statistics=statistics,
        average=jax.tree.map(jnp.copy, dict(variables)) if averaged else {},
        optimizer=optimizer.init(variables["params"]),
        critic=critic if critic is not None else {},
    )


def initial_variables(module: Any, *, seed: int, weights: str = "", basis: str = "") -> Any:
    """Return the network's variables before training: the paper's initialisation by `seed`.

    With `weights` (a weight file or shipped name) every array of equal path and shape is taken from there,
    as FSRCNN does to go from one scale to another. The file `basis` holds DAN's principal components. Raises UserError
    when no array fits, and for a basis of another size or a network without.
    """
    if basis and "kernel_size" not in {field.name for field in dataclasses.fields(module)}:
        raise UserError(f"{type(module).__name__} has no PCA basis; leave --config.model.basis out")
    constants = {}
    if basis:
        components = load_basis(basis, kernel_size=module.kernel_size, code_length=module.code_length)
        constants = {"constants": {"basis": jnp.asarray(components)}}
    sample = jnp.zeros((1, 32, 32, module.channels))
    variables = {"params": {}, **jax.jit(module.init)(jax.random.key(seed), sample), **constants}
    if not weights:
        return variables
    fresh, given = by_path(variables), by_path(load(weights).variables)
    fitting = {path for path in fresh.keys() & given.keys() if fresh[path].shape == given[path].shape}
    if not fitting:
        raise UserError(f"no parameter of {weights} fits this network; set --config.initial_weights to a relative")
    print(f"{len(fitting)} of {len(fresh)} parameter arrays start from {weights}", flush=True)
    taken = {path: jnp.asarray(given[path]) if path in fitting else fresh[path] for path in fresh}
    return from_paths(taken)


def update_average(average: Any, variables: Any, decay: float, step: jax.Array) -> Any:
    """Return the moving average after `step` updates; young averages forget faster, so that the start is lost."""
    forgetting = 1 - jnp.minimum(decay, (1 + step) / (10 + step))
    return jax.tree.map(lambda old, new: old + forgetting * (new - old), average, variables)


def scored_variables(state: TrainState) -> Any:
    """Return the variables to score and save: the average where there is one."""
    return state.average or {"params": state.params, **state.statistics}
