"""Optimizers and learning-rate schedules by name, with a rate for each layer where a paper asks for it."""

from collections.abc import Mapping

import jax
import jax.numpy as jnp
import optax
from jax.typing import ArrayLike
from optax import contrib

from jaxsr.support.errors import UserError, choose, nearest
from jaxsr.support.trees import by_path, from_paths
from jaxsr.support.types import Tree
from jaxsr.training.config import Config


def make_schedule(config: Config, learning_rate: float, steps: int | jax.Array) -> optax.Schedule:
    """Return the learning rate as a function of the number of updates made before.

    `config` is a `schedule` section, `learning_rate` the highest rate, `steps` the number of updates in all, which may
    be traced: a compiled step then serves any number. Raises UserError for an unknown name.
    """

    def part(count: ArrayLike, hold: float = 0.0) -> jax.Array:
        """Return the share that is done of the updates after the warm-up, or after a share `hold` of these."""
        falling = jnp.maximum(jnp.asarray(steps) - config.warmup, 1)
        held = jnp.round(hold * falling)
        return jnp.clip((count - held) / jnp.maximum(falling - held, 1), 0, 1)

    def cosine(count: ArrayLike) -> jax.Array:
        decay = 0.5 * (1 + jnp.cos(jnp.pi * part(count)))
        return learning_rate * ((1 - config.final) * decay + config.final)

    def dropping(count: ArrayLike) -> jax.Array:
        drops = optax.exponential_decay(learning_rate, config.every, config.factor, staircase=True)
        # Not by its `end_value`, which with a factor of 1 or more is the highest rate
        return jnp.maximum(drops(count), config.final * learning_rate)

    schedules = {
        "constant": lambda: optax.constant_schedule(learning_rate),
        "cosine": lambda: cosine,
        "step": lambda: dropping,
        "linear": lambda: lambda count: learning_rate * (1 - part(count, config.hold)),
        "exponential": lambda: lambda count: learning_rate * config.final ** part(count),
    }
    schedule = choose("schedule", config.name, schedules)()
    if not config.warmup:
        return schedule
    rise = optax.linear_schedule(0.0, learning_rate, config.warmup)
    return optax.join_schedules([rise, schedule], [config.warmup])


def make_optimizer(config: Config, schedule: optax.Schedule) -> optax.GradientTransformation:
    """Return the transformation of an `optimizer` section: clip, decay, direction, rate of each layer, rate.

    Raises UserError for an unknown name.
    """
    directions = {
        "adam": lambda: optax.scale_by_adam(b1=config.momentum, b2=config.second_momentum),
        "sgd": lambda: optax.trace(config.momentum),
        "muon": lambda: scale_by_muon(config.momentum),
    }
    return optax.chain(
        optax.clip_by_global_norm(config.clip_norm) if config.clip_norm else optax.identity(),
        clip_by_rate(config.clip_elements, schedule) if config.clip_elements else optax.identity(),
        optax.add_decayed_weights(config.weight_decay) if config.weight_decay else optax.identity(),
        choose("optimizer", config.name, directions)(),
        scale_by_layer(config.layer_rates.to_dict()),
        optax.scale_by_learning_rate(schedule),
    )


def scale_by_muon(momentum: float) -> optax.GradientTransformation:
    """Return Muon (Jordan et al. 2024) for convolution kernels: momentum with all singular values brought to 1.

    Kernels (H, W, in, out) count as matrices of H W in rows, also those stacked for a scan. Biases and the slopes of
    PReLUs take Adam's direction, with Nesterov's momentum, at a quarter of the rate. On small networks whose gradients
    are dominated by the photo's mean brightness, 2,000 steps of Muon reach more than 20,000 of Adam
    (benchmarks/README.md).
    """

    def dimensions(params: Tree) -> Tree:
        kernel = contrib.MuonDimensionNumbers((-4, -3, -2), (-1,))
        return jax.tree.map(lambda x: kernel if x.ndim >= 4 else None, params)

    muon = contrib.muon(
        1.0, beta=momentum, adam_b1=momentum, adam_learning_rate=0.25, muon_weight_dimension_numbers=dimensions
    )
    return optax.chain(muon, optax.scale(-1.0))  # undo its sign: the caller's rate comes last, after the layers'


def clip_by_rate(bound: float, schedule: optax.Schedule) -> optax.GradientTransformation:
    """Return adjustable gradient clipping: each element to +-bound / learning rate (VDSR, section 3.2).

    However high the rate, no update then exceeds `bound` before momentum.
    """

    def update(updates: Tree, state: Tree, params: Tree = None) -> tuple[Tree, Tree]:
        limit = bound / jnp.maximum(schedule(state.count), 1e-12)
        clipped = jax.tree.map(lambda x: jnp.clip(x, -limit, limit), updates)
        return clipped, optax.ScaleByScheduleState(count=optax.safe_increment(state.count))

    def init(params: Tree) -> Tree:
        return optax.ScaleByScheduleState(count=jnp.zeros([], jnp.int32))

    return optax.GradientTransformation(init, update)


def scale_by_layer(rates: Mapping[str, float]) -> optax.GradientTransformation:
    """Return a transformation that multiplies updates by the rate whose name starts or ends the parameter's path.

    Paths look like `conv3/kernel`, so `conv3` names a layer and `bias` all biases. The longest name that fits wins;
    a parameter that none fits keeps 1, one with 0 stays as it is. Raises UserError, when applied, for a name that fits
    no parameter.
    """

    def scale(updates: Tree, params: Tree) -> Tree:
        factors = layer_factors(updates, rates)
        return jax.tree.map(lambda factor, update: factor * update, factors, updates)

    return optax.stateless(scale) if rates else optax.identity()


def layer_factors(tree: Tree, rates: Mapping[str, float]) -> Tree:
    """Return a tree like `tree` that holds the factor of each leaf; see `scale_by_layer`."""
    paths = list(by_path(tree))
    for name in rates:
        if not any(_fits(path, name) for path in paths):
            layers = dict.fromkeys(path.rsplit("/", 1)[0] for path in paths)
            raise UserError(f"layer_rates names {name!r}, which starts or ends no parameter; {nearest(name, layers)}")

    def factor(path: str) -> float:
        fitting = [name for name in rates if _fits(path, name)]
        return rates[max(fitting, key=len)] if fitting else 1.0

    return from_paths({path: factor(path) for path in paths})


def without_frozen(params: Tree, rates: Mapping[str, float]) -> Tree:
    """Return `params`, those whose factor is 0 as constants, so that no time goes into gradients that have no use."""
    return jax.tree.map(
        lambda factor, x: x if factor else jax.lax.stop_gradient(x), layer_factors(params, rates), params
    )


def _fits(path: str, name: str) -> bool:
    return f"{path}/".startswith(f"{name}/") or path.endswith(f"/{name}")
