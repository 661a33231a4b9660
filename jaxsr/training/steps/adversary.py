"""The second network of adversarial training: what it is, how it starts, and its updates.

It is a discriminator, whose scores are logits of a probability (SRGAN), or a critic, whose scores are without bounds
(Wasserstein: DeblurGAN, SRNTT). Where it may be either, it is called the adversary.
"""

import dataclasses
import functools
from collections.abc import Callable, Iterable, Mapping

import flax.linen as nn
import jax
import jax.numpy as jnp
import optax

from jaxsr.devices.meshes import BATCH_AXIS
from jaxsr.devices.parallel import average_over_devices, from_first_device
from jaxsr.losses.adversarial import ADVERSARIAL_LOSSES, PENALTY_FORMS, AdversarialLoss, gradient_penalty
from jaxsr.models.deblurgan import PatchCritic
from jaxsr.models.precision import computing_in
from jaxsr.models.srgan import Discriminator
from jaxsr.models.srntt_critic import Critic
from jaxsr.support.errors import UserError, choose
from jaxsr.support.randomness import Purpose, Stream, seed_key, streams
from jaxsr.support.types import Key, Metrics, Params, Tree, Variables
from jaxsr.training.config import Config
from jaxsr.training.optimizers import make_optimizer, make_schedule
from jaxsr.training.state import AdversaryState
from jaxsr.training.steps.accumulation import mean_of_parts, scan_few

NORMALIZED = {"train": True, "axis": BATCH_AXIS}  # by the statistics of the batch over all devices

# name -> (network, arguments of its calls while training)
ADVERSARIES: dict[str, tuple[Callable[..., nn.Module], Mapping[str, Tree]]] = {
    "srgan": (Discriminator, NORMALIZED),
    "srntt": (Critic, NORMALIZED),
    "patch": (PatchCritic, {}),
}


@dataclasses.dataclass(frozen=True)
class Adversary:
    """A network that tells HR photos, in [0, 1], from restored ones, with its losses. It sees both in [-1, 1].

    A `penalty` above 0 is the weight of the gradient penalty, of `penalty_form`; `parts` those of a batch (see
    accumulation.py).
    """

    network: nn.Module
    call_kwargs: Mapping[str, Tree]
    losses: AdversarialLoss
    optimizer: optax.GradientTransformation
    penalty: float
    penalty_form: str
    updates: int
    precision: str = "float32"
    parts: int = 1

    def start(self, shape: tuple[int, ...], *, seed: int) -> AdversaryState:
        """Return the state before the first update, for photos of `shape` (H, W, C)."""
        key = seed_key(seed, Purpose.INITIAL_CRITIC)
        variables = dict(jax.jit(self.network.init)(key, jnp.zeros((1, *shape))))
        params = variables.pop("params")
        return AdversaryState(params=params, statistics=variables, optimizer=self.optimizer.init(params))

    def train(
        self, keys: Key, state: AdversaryState, *, real: jax.Array, fake: jax.Array
    ) -> tuple[AdversaryState, Metrics]:
        """Return the state after all `updates` on photos (N, H, W, C), a key of `keys` for each, and mean metrics.

        All see the same photos, as DeblurGAN's and SRNTT's authors have it.
        """

        def update(state: AdversaryState, i: jax.Array) -> tuple[AdversaryState, Metrics]:
            drawn = jax.vmap(lambda key: jax.random.fold_in(key, i))(streams(keys, Stream.PENALTY))
            if self.penalty_form == "pixel":  # one place for the batch, also where it comes in parts or to many devices
                drawn = jnp.broadcast_to(from_first_device(drawn[0]), drawn.shape)
            return self._update(drawn, state, real, fake)

        state, metrics = scan_few(update, state, jnp.arange(self.updates))
        return state, jax.tree.map(jnp.mean, metrics)

    def generator_loss(self, state: AdversaryState, fake: jax.Array) -> jax.Array:
        """Return the generator's mean loss of the scores of its photos `fake` (N, H, W, C)."""
        scores, _ = self._scores(state.params, state.statistics, fake, self.precision)
        return self.losses.generator(scores).mean()

    def _update(
        self, keys: Key, state: AdversaryState, real: jax.Array, fake: jax.Array
    ) -> tuple[AdversaryState, Metrics]:
        """Return the state after one update, and its metrics."""

        def of_part(
            statistics: Variables, part: tuple[jax.Array, jax.Array, Key]
        ) -> tuple[Variables, tuple[Metrics, Params]]:
            loss_of = functools.partial(self._loss, statistics=statistics, real=part[0], fake=part[1], keys=part[2])
            (_, (statistics, metrics)), gradients = jax.value_and_grad(loss_of, has_aux=True)(state.params)
            return statistics, (metrics, gradients)

        means = mean_of_parts(of_part, state.statistics, (real, fake, keys), self.parts)
        statistics, (metrics, gradients) = average_over_devices(means)
        updates, optimizer = self.optimizer.update(gradients, state.optimizer, state.params)
        state = AdversaryState(optax.apply_updates(state.params, updates), statistics, optimizer)  # type: ignore[arg-type]
        return state, {**metrics, "adversary_gradient_norm": optax.tree.norm(gradients)}

    def _loss(
        self, params: Params, *, statistics: Variables, real: jax.Array, fake: jax.Array, keys: Key
    ) -> tuple[jax.Array, tuple[Variables, Metrics]]:
        """Return the loss, the statistics after it, and its metrics."""
        real_scores, fake_scores, after = self._both_scores(params, statistics, real, fake)
        loss = self.losses.adversary(real_scores, fake_scores).mean()
        metrics = {
            "adversary_loss": loss,
            "adversary_real": real_scores.mean(),
            "adversary_fake": fake_scores.mean(),
        }
        if self.penalty:
            penalty = self._penalty(keys, params, statistics, real, fake)
            loss, metrics = loss + self.penalty * penalty, {**metrics, "adversary_penalty": penalty}
        return loss, (after, metrics)

    def _both_scores(
        self, params: Params, statistics: Variables, real: jax.Array, fake: jax.Array
    ) -> tuple[jax.Array, jax.Array, Variables]:
        """Return the scores of `real` and of `fake` photos, and the statistics after both."""
        if not statistics:  # photos do not meet in it: all at once, which reads the weights once
            scores, after = self._scores(params, statistics, jnp.concatenate([real, fake]), self.precision)
            return scores[: len(real)], scores[len(real) :], after
        real_scores, after = self._scores(params, statistics, real, self.precision)
        fake_scores, after = self._scores(params, after, fake, self.precision)
        return real_scores, fake_scores, after

    def _scores(
        self, params: Params, statistics: Variables, photos: jax.Array, precision: str
    ) -> tuple[jax.Array, Variables]:
        """Return the scores of `photos` in [0, 1], and the statistics after them."""

        def apply(params: Params, x: jax.Array) -> tuple[jax.Array, Variables]:
            return self.network.apply({"params": params, **statistics}, x, mutable=list(statistics), **self.call_kwargs)

        return computing_in(precision, apply)(params, 2 * photos - 1)

    def _penalty(self, keys: Key, params: Params, statistics: Variables, real: jax.Array, fake: jax.Array) -> jax.Array:
        """Return the mean gradient penalty, by photos in [-1, 1], in float32: it squares gradients."""

        def score(photos: jax.Array) -> jax.Array:
            return self._scores(params, statistics, (photos + 1) / 2, "float32")[0]

        return gradient_penalty(keys, score, real=2 * real - 1, fake=2 * fake - 1, form=self.penalty_form).mean()


def make_adversary(config: Config) -> Adversary | None:
    """Return the adversary of the `adversarial` section; None where it names no loss."""
    section = config.adversarial
    if not section.loss:
        return None
    build, call_kwargs = choose("adversarial network", section.network, ADVERSARIES)
    _check_options(section.network, build, section.options)
    choose("form of the gradient penalty", section.penalty_form, PENALTY_FORMS)
    return Adversary(
        network=build(**section.options.to_dict()),
        call_kwargs=call_kwargs,
        losses=choose("adversarial loss", section.loss, ADVERSARIAL_LOSSES),
        optimizer=adversary_optimizer(config, config.steps - config.pretraining.steps),
        penalty=section.penalty,
        penalty_form=section.penalty_form,
        updates=section.updates,
        precision=config.precision,
        parts=config.accumulate,
    )


def _check_options(network: str, build: Callable[..., nn.Module], options: Iterable[str]) -> None:
    """Raise UserError for one of `options` that the constructor does not have: those of another adversary."""
    known = [field.name for field in dataclasses.fields(build) if field.name not in ("parent", "name")]  # type: ignore[arg-type]
    for name in options:
        if name not in known:
            raise UserError(
                f"adversarial network {network!r} has no option {name!r}, it has: {', '.join(known)}; set another "
                f"--config.adversarial.network, or config.adversarial.options in a config file"
            )


def adversary_optimizer(config: Config, steps: int | jax.Array) -> optax.GradientTransformation:
    """Return the optimizer of the `adversarial` section, whose rate falls over `steps` updates of the generator."""
    section = config.adversarial
    schedule = make_schedule(section.schedule, section.optimizer.learning_rate, steps * section.updates)
    return make_optimizer(section.optimizer, schedule)
