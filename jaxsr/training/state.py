"""What training carries from step to step."""

import flax.linen as nn
import jax
import jax.numpy as jnp
import optax
from flax import struct

from jaxsr.models import Model
from jaxsr.support.errors import UserError
from jaxsr.support.paths import is_folder, user_path
from jaxsr.support.randomness import Purpose, seed_key
from jaxsr.support.trees import by_path, from_paths
from jaxsr.support.types import Params, Tree, Variables
from jaxsr.weights import load
from jaxsr.weights.bases import load_basis
from jaxsr.weights.shipped_weights import shipped_files

BASIS = "constants/basis"  # the path of DAN's principal components


@struct.dataclass
class AdversaryState:
    """What the second network of adversarial training carries."""

    params: Params
    statistics: Variables
    optimizer: optax.OptState


@struct.dataclass
class TrainState:
    """Everything that a resumed run needs: a tree of arrays. `key` is raw key data, which checkpoints can hold."""

    step: jax.Array
    key: jax.Array
    params: Params
    statistics: Variables  # the network's other collections, such as {"batch_stats": ...}; empty without one
    average: Variables  # exponential moving average of params and statistics; empty without one
    optimizer: optax.OptState
    adversary: Tree  # an AdversaryState; {} without adversarial training


def create_state(
    variables: Variables,
    optimizer: optax.GradientTransformation,
    adversary: AdversaryState | None = None,
    *,
    seed: int,
    averaged: bool,
) -> TrainState:
    """Return the state before the first step. The average starts at the initial `variables`."""
    statistics = {name: tree for name, tree in variables.items() if name != "params"}
    return TrainState(
        step=jnp.zeros((), jnp.int32),
        key=jax.random.key_data(seed_key(seed, Purpose.TRAINING_STEPS)),
        params=variables["params"],
        statistics=statistics,
        average=jax.tree.map(jnp.copy, dict(variables)) if averaged else {},
        optimizer=optimizer.init(variables["params"]),  # type: ignore[arg-type]
        adversary=adversary if adversary is not None else {},
    )


def initial_variables(module: nn.Module, *, seed: int, basis: str = "") -> Variables:
    """Return the network's variables before training: the paper's initialisation by `seed`.

    The file `basis` holds DAN's principal components. Raises UserError for a basis of another size or a network
    without.
    """
    constants = _constants(module, basis) if basis else {}
    sample = jnp.zeros((1, 32, 32, module.channels))  # type: ignore[attr-defined]
    key = seed_key(seed, Purpose.INITIAL_WEIGHTS)
    return {"params": {}, **jax.jit(module.init)(key, sample), **constants}


def _constants(module: nn.Module, basis: str) -> Variables:
    """Return the constants of DAN with the principal components of the file `basis`."""
    if not hasattr(module, "kernel_size"):
        raise UserError(f"{type(module).__name__} has no PCA basis; leave --config.model.basis out")
    components = load_basis(user_path(basis), kernel_size=module.kernel_size, code_length=module.code_length)  # type: ignore[attr-defined]
    return {"constants": {"basis": jnp.asarray(components)}}


def taken_from(weights: str, variables: Variables, scale: int, *, basis: bool = True) -> Variables:
    """Return `variables` with those arrays of `weights`, a file or a shipped name, that have the same path and shape.

    FSRCNN goes from one scale to another in this way. The name of a network alone stands for its weights at `scale`,
    where such ship. Without `basis` that of `variables` stays, which the config names. Prints how many there are.
    Raises UserError where none fits.
    """
    fresh, saved = by_path(variables), by_path(_load_nearest(weights, scale).variables)
    fitting = {path for path in fresh.keys() & saved.keys() if fresh[path].shape == saved[path].shape}
    if not basis:
        fitting -= {BASIS}
    if not fitting:
        raise UserError(
            f"no parameter of {weights} fits this network; set --config.initial_weights to weights of its kind"
        )
    print(f"{len(fitting)} of {len(fresh)} parameter arrays start from {weights}", flush=True)
    return from_paths({path: jnp.asarray(saved[path]) if path in fitting else fresh[path] for path in fresh})


def _load_nearest(weights: str, scale: int) -> Model:
    """Return the model of `weights`; for the name of a network without a scale that of `scale`, where it ships."""
    path = user_path(weights)
    return load(path, scale=None if is_folder(path) or (weights, scale) not in shipped_files() else scale)


def update_average(average: Variables, variables: Variables, decay: float, step: jax.Array) -> Variables:
    """Return the moving average after `step` updates; the decay is warmed up, so that the start is soon forgotten.

    Without an average, {}, there is none after it.
    """
    if not average:
        return average
    weight = 1 - jnp.minimum(decay, (1 + step) / (10 + step))
    return jax.tree.map(lambda old, new: old + weight * (new - old), average, variables)


def scored_variables(state: TrainState) -> Variables:
    """Return the variables to score and save: the average where there is one."""
    return state.average or {"params": state.params, **state.statistics}
