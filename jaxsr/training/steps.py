"""Training steps: pure functions `(state, constants, batch, keys) -> (state, metrics)`."""

import inspect
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import optax

from jaxsr.devices.parallel import average_over_devices, example_keys
from jaxsr.imaging.color import from_range, to_range
from jaxsr.imaging.patches import center_crop
from jaxsr.models import ModelSpec, restored_image
from jaxsr.models.srntt import Maps
from jaxsr.training.accumulation import joined, mean_of_parts, scan_parts
from jaxsr.training.config import Config
from jaxsr.training.critic import Critic
from jaxsr.training.objectives import Objective
from jaxsr.training.pairs import Pair, Pairs, make_pairs, pair_scales
from jaxsr.training.precision import computing_in
from jaxsr.training.state import CriticState, TrainState, update_average
from jaxsr.training.terms import Terms

Metrics = dict[str, jax.Array]
Results = dict[int, Any]  # what a network returns, by scale
Step = Callable[[TrainState, Any, jax.Array, jax.Array], tuple[TrainState, Metrics]]
Draw = Callable[[Any, Any, jax.Array], jax.Array]  # (data, number of the step in it, keys) -> uint8 crops
FINITE = ("loss", "gradient_norm", "critic_loss", "critic_gradient_norm")  # metrics without which a run is lost


def make_step(
    config: Config,
    spec: ModelSpec,
    optimizer: optax.GradientTransformation,
    objective: Objective,
    terms: Terms,
    critic: Critic | None = None,
    *,
    pretraining: bool = False,
) -> Step:
    """Return the step that fits a network's output to the sharp patch.

    It minimises the objective, the `terms`, and what the `critic` thinks of the output after updates of its own on the
    same patches. In `pretraining` the objective alone. With `config.accumulate` the patches come in parts; the critic
    then needs the network's outputs of all before them, computed once more.
    """
    critic = None if pretraining else critic
    forward = make_forward(config, spec, objective)
    loss_of = make_loss(config, objective, None if pretraining else terms, critic)
    channels = spec.module(config.model.scale, **config.model.options.to_dict()).channels
    parts = config.accumulate

    def prepared(constants: Any, crops: jax.Array, keys: jax.Array) -> tuple[Pairs, Maps | None]:
        pairs = make_pairs(crops, keys, config, spec, channels)
        return pairs, terms.maps(constants, pairs[config.model.scale], keys) if terms.maps else None

    def compared(pairs: Pairs, results: Results) -> dict[str, jax.Array]:
        ((scale, pair),) = pairs.items()
        fake = restored_image(results[scale])
        return {"real": center_crop(pair.sharp, *fake.shape[1:3]), "fake": fake}

    def step(state: TrainState, constants: Any, hr: jax.Array, keys: jax.Array) -> tuple[TrainState, Metrics]:
        def outputs(_: None, part: Any) -> tuple[None, dict[str, jax.Array]]:
            pairs, maps = prepared(constants, *part)
            return None, compared(pairs, forward(state.params, state.statistics, pairs, part[1], maps)[0])

        def of_part(carry: Any, part: Any) -> tuple[Any, Any]:
            (before, opponent), opposed = carry, {}
            pairs, maps = prepared(constants, *part)
            results, pull, statistics = jax.vjp(
                lambda params: forward(params, before, pairs, part[1], maps), state.params, has_aux=True
            )
            if critic is not None and parts == 1:
                opponent, opposed = critic.train(keys, opponent, **compared(pairs, results))
            (loss, told), slopes = jax.value_and_grad(loss_of, has_aux=True)(
                results, pairs, maps, statistics, state.step, constants, opponent
            )
            return (statistics, opponent), (loss, told, opposed, pull(slopes))

        opponent, earlier = state.critic, {}
        if critic is not None and parts > 1:
            both = joined(scan_parts(outputs, None, (hr, keys), parts)[1])
            opponent, earlier = critic.train(keys, opponent, **both)
        (statistics, opponent), found = mean_of_parts(of_part, (state.statistics, opponent), (hr, keys), parts)
        loss, told, opposed, (gradients,) = found
        loss, told, statistics, gradients = average_over_devices((loss, told, statistics, gradients))
        updates, optimizer_state = optimizer.update(gradients, state.optimizer, state.params)
        params = optax.apply_updates(state.params, updates)
        variables = {"params": params, **statistics}
        average = update_average(state.average, variables, config.ema_decay, state.step) if state.average else {}
        metrics = {"loss": loss, "psnr": -10 * jnp.log10(told.pop("error")), **told, **opposed, **earlier}
        metrics["gradient_norm"] = optax.tree.norm(gradients)
        return TrainState(state.step + 1, state.key, params, statistics, average, optimizer_state, opponent), metrics

    return step


def make_forward(
    config: Config, spec: ModelSpec, objective: Objective
) -> Callable[[Any, Any, Pairs, jax.Array, Maps | None], tuple[Results, Any]]:
    """Return `forward(params, statistics, pairs, keys, maps)`: results by scale in [0, 1], and new statistics."""
    options = {**config.model.options.to_dict(), **spec.training_options}
    networks = {scale: spec.module(scale, **options) for scale in pair_scales(config, spec)}
    keyed = "keys" in inspect.signature(spec.build.__call__).parameters  # the network drops features

    def forward(params: Any, statistics: Any, pairs: Pairs, keys: jax.Array, maps: Maps | None) -> tuple[Results, Any]:
        arguments: dict[str, Any] = {**spec.training_arguments, **objective.asks}
        if keyed:
            arguments["keys"] = jax.vmap(lambda key: jax.random.fold_in(key, 10))(keys)
        results = {}
        for scale, pair in pairs.items():

            def apply(params: Any, x: jax.Array, statistics: Any, network: Any = networks[scale]) -> tuple[Any, Any]:
                given = [] if maps is None else [jax.tree.map(lambda leaf: leaf.astype(x.dtype), maps)]
                return network.apply({"params": params, **statistics}, x, *given, mutable=list(statistics), **arguments)

            small = to_range(pair.small, spec.value_range)
            results[scale], statistics = computing_in(config.precision, apply)(params, small, statistics)
        if spec.value_range != (0.0, 1.0):
            results = {scale: from_range(restored_image(result), spec.value_range) for scale, result in results.items()}
        return results, statistics

    return forward


def make_loss(
    config: Config, objective: Objective, terms: Terms | None, critic: Critic | None
) -> Callable[..., tuple[jax.Array, Metrics]]:
    """Return `loss_of(results, pairs, maps, statistics, step, constants, opponent)`: the loss, and its parts."""

    def added(
        constants: Any, opponent: CriticState, output: jax.Array, pair: Pair, maps: Maps | None
    ) -> tuple[jax.Array, Metrics]:
        loss, told = terms.loss(constants, output, pair, maps) if terms is not None else (jnp.zeros(()), {})
        if critic is not None:
            told["adversarial"] = critic.deceived(opponent, output)
            told["contrast"] = jnp.std(output) / jnp.maximum(jnp.std(pair.sharp), 1e-3)
            loss = loss + config.adversarial.weight * told["adversarial"]
        return loss, told

    def loss_of(
        results: Results,
        pairs: Pairs,
        maps: Maps | None,
        statistics: Any,
        step: jax.Array,
        constants: Any,
        opponent: CriticState,
    ) -> tuple[jax.Array, Metrics]:
        losses, errors, told = [], [], {}
        for scale, pair in pairs.items():
            pixel_loss, output, told = objective.loss(results[scale], pair, statistics, step)
            sharp = center_crop(pair.sharp, *output.shape[1:3])
            more, parts = added(constants, opponent, output, pair._replace(sharp=sharp), maps)
            losses.append((1.0 if terms is None else config.pixel_weight) * pixel_loss + more)
            errors.append(jnp.mean(jnp.square(output - sharp)))
            told = {**told, **parts}
        return jnp.stack(losses).mean(), {**told, "error": jnp.stack(errors).mean()}

    return loss_of


def dispatch(step: Step, draw: Draw, *, share: int, looped: bool) -> Callable[..., tuple[TrainState, Metrics]]:
    """Return `run(state, constants, data, count)`: `count` steps on `data` in one program, and mean metrics.

    `share` is the batch on one device. `count` is traced, so any number up to the next event runs the same
    program; without `looped` it is 1. `metrics["bad_step"]` is the first step with a non-finite loss or gradient,
    or -1.
    """

    def once(state: TrainState, constants: Any, data: Any, i: Any) -> tuple[TrainState, Metrics]:
        keys = example_keys(jax.random.wrap_key_data(state.key), state.step, share)
        state, metrics = step(state, constants, draw(data, i, keys), keys)
        finite = jnp.isfinite(jnp.stack([metrics[name] for name in FINITE if name in metrics])).all()
        return state, {**metrics, "bad_step": jnp.where(finite, -1, state.step)}

    def loop(state: TrainState, constants: Any, data: Any, count: jax.Array) -> tuple[TrainState, Metrics]:
        def body(i: jax.Array, carry: tuple[TrainState, Metrics]) -> tuple[TrainState, Metrics]:
            state, totals = carry
            state, metrics = once(state, constants, data, i)
            bad = jnp.where(totals["bad_step"] < 0, metrics["bad_step"], totals["bad_step"])
            return state, {**jax.tree.map(jnp.add, totals, metrics), "bad_step": bad}

        shapes = jax.eval_shape(once, state, constants, data, count)[1]
        totals = jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), shapes) | {"bad_step": jnp.int32(-1)}
        state, totals = jax.lax.fori_loop(0, count, body, (state, totals))
        means = jax.tree.map(lambda total: total / count, totals)
        return state, {**means, "bad_step": totals["bad_step"]}

    return loop if looped else lambda state, constants, data, count: once(state, constants, data, 0)
