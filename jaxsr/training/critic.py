"""The second network of adversarial training: what it is, how it starts, and its updates."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import optax

from jaxsr.devices.meshes import BATCH_AXIS
from jaxsr.devices.parallel import average_over_devices
from jaxsr.losses.adversarial import ADVERSARIAL, FORMS, AdversarialLoss, gradient_penalty
from jaxsr.models import srntt_discriminator
from jaxsr.models.deblurgan import PatchCritic
from jaxsr.models.srgan import Discriminator
from jaxsr.support.errors import choose
from jaxsr.training.accumulation import mean_of_parts
from jaxsr.training.config import Config
from jaxsr.training.optimizers import make_optimizer, make_schedule
from jaxsr.training.precision import computing_in
from jaxsr.training.state import CriticState

Metrics = dict[str, jax.Array]

# name -> (network, arguments of its calls while training)
CRITICS: dict[str, tuple[Any, Mapping[str, Any]]] = {
    "srgan": (Discriminator, {"train": True, "axis": BATCH_AXIS}),
    "srntt": (srntt_discriminator.Discriminator, {"train": True, "axis": BATCH_AXIS}),
    "patch": (PatchCritic, {}),
}


@dataclasses.dataclass(frozen=True)
class Critic:
    """A network that tells sharp photos, in [0, 1], from restored ones. It sees both in [-1, 1]."""

    network: Any
    arguments: Mapping[str, Any]
    losses: AdversarialLoss
    optimizer: optax.GradientTransformation
    penalty: float
    penalty_form: str
    updates: int
    precision: str = "float32"
    parts: int = 1

    def start(self, shape: tuple[int, ...], *, seed: int) -> CriticState:
        """Return the state before the first update, for photos of `shape` (H, W, C)."""
        key = jax.random.fold_in(jax.random.key(seed), 1)  # the generator's own is that of `seed`
        variables = dict(jax.jit(self.network.init)(key, jnp.zeros((1, *shape))))
        params = variables.pop("params")
        return CriticState(params=params, statistics=variables, optimizer=self.optimizer.init(params))

    def train(
        self, keys: jax.Array, state: CriticState, *, real: jax.Array, fake: jax.Array
    ) -> tuple[CriticState, Metrics]:
        """Return the state after all `updates` on photos (N, H, W, C), a key of `keys` for each, and mean metrics.

        All see the same photos, as DeblurGAN's and SRNTT's authors have it, in `parts`.
        """

        def update(state: CriticState, i: jax.Array) -> tuple[CriticState, Metrics]:
            drawn = jax.vmap(lambda key: jax.random.fold_in(jax.random.fold_in(key, 9), i))(keys)
            if self.penalty_form == "pixel":  # one place for the batch, also of its parts
                drawn = jnp.broadcast_to(drawn[0], drawn.shape)
            return self._update(drawn, state, real, fake)

        on_cpu = jax.default_backend() == "cpu"  # where convolutions crawl inside loops
        state, metrics = jax.lax.scan(update, state, jnp.arange(self.updates), unroll=self.updates if on_cpu else 1)
        return state, jax.tree.map(jnp.mean, metrics)

    def deceived(self, state: CriticState, fake: jax.Array) -> jax.Array:
        """Return what the generator minimises of the scores of its photos `fake` (N, H, W, C), their mean."""
        scores, _ = self._scores(state.params, state.statistics, fake, self.precision)
        return self.losses.generator(fake=scores).mean()

    def _scores(
        self, params: Any, statistics: Any, photos: jax.Array, precision: str = "float32"
    ) -> tuple[jax.Array, Any]:
        """Return the scores of `photos` and the statistics after them."""

        def apply(params: Any, x: jax.Array) -> tuple[jax.Array, Any]:
            return self.network.apply({"params": params, **statistics}, x, mutable=list(statistics), **self.arguments)

        return computing_in(precision, apply)(params, 2 * photos - 1)

    def _update(
        self, keys: jax.Array, state: CriticState, real: jax.Array, fake: jax.Array
    ) -> tuple[CriticState, Metrics]:
        """Return the state after one update, and its metrics."""

        def loss_of(
            params: Any, statistics: Any, real: jax.Array, fake: jax.Array, keys: jax.Array
        ) -> tuple[jax.Array, tuple[Any, Metrics]]:
            before = statistics
            of_real, statistics = self._scores(params, statistics, real, self.precision)
            of_fake, statistics = self._scores(params, statistics, fake, self.precision)
            loss = self.losses.critic(real=of_real, fake=of_fake).mean()
            told = {"critic_loss": loss, "critic_real": of_real.mean(), "critic_fake": of_fake.mean()}
            if self.penalty:
                penalty = self._penalty(keys, params, before, real, fake)  # in float32: squares of slopes
                loss, told = loss + self.penalty * penalty, {**told, "critic_penalty": penalty}
            return loss, (statistics, told)

        def of_part(statistics: Any, part: Any) -> tuple[Any, Any]:
            slope = jax.value_and_grad(loss_of, has_aux=True)
            (_, (statistics, told)), gradients = slope(state.params, statistics, *part)
            return statistics, (told, gradients)

        found = mean_of_parts(of_part, state.statistics, (real, fake, keys), self.parts)
        statistics, (told, gradients) = average_over_devices(found)
        updates, optimizer = self.optimizer.update(gradients, state.optimizer, state.params)
        state = CriticState(optax.apply_updates(state.params, updates), statistics, optimizer)
        return state, {**told, "critic_gradient_norm": optax.tree.norm(gradients)}

    def _penalty(self, keys: jax.Array, params: Any, statistics: Any, real: jax.Array, fake: jax.Array) -> jax.Array:
        """Return the mean gradient penalty, the gradient being by photos in [-1, 1]."""

        def score(photos: jax.Array) -> jax.Array:
            return self._scores(params, statistics, (photos + 1) / 2)[0]

        ends = {"real": 2 * real - 1, "fake": 2 * fake - 1}
        return gradient_penalty(keys, score, **ends, form=self.penalty_form).mean()


def make_critic(config: Config) -> Critic | None:
    """Return the critic of the `adversarial` section; None where it names no loss."""
    section = config.adversarial
    if not section.loss:
        return None
    build, arguments = choose("critic", section.network, CRITICS)
    choose("form of the gradient penalty", section.penalty_form, FORMS)
    rate = section.optimizer.learning_rate
    updates = (config.steps - config.pretraining.steps) * section.updates
    return Critic(
        network=build(**section.options.to_dict()),
        arguments=arguments,
        losses=choose("adversarial loss", section.loss, ADVERSARIAL),
        optimizer=make_optimizer(section.optimizer, make_schedule(section.schedule, rate, updates)),
        penalty=section.penalty,
        penalty_form=section.penalty_form,
        updates=section.updates,
        precision=config.precision,
        parts=config.accumulate,
    )
