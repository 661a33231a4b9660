"""The adversarial step: updates of the adversary on a batch, then one of the network whose photos it judges."""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from jaxsr.imaging.patches import center_crop
from jaxsr.models import restored_image
from jaxsr.support.types import Key, Metrics, Params, Tree, Variables
from jaxsr.training.objectives.objective import Results, Targets
from jaxsr.training.state import TrainState
from jaxsr.training.steps.adversary import Adversary
from jaxsr.training.steps.step import Examples, Step, StepSpec, apply_update, forward_pass


class Photos(NamedTuple):
    """What an adversary tells apart: `real` HR patches and restored ones, `fake`, both (N, H, W, C) in [0, 1]."""

    real: jax.Array
    fake: jax.Array


def make_adversarial_step(spec: StepSpec, adversary: Adversary) -> Step:
    """Return the step `(state, vgg_params, crops, keys) -> (state, metrics)` of both networks.

    The adversary learns from the same photos first; the generator then lowers `spec.losses` and its adversarial loss.
    """

    def step(state: TrainState, vgg_params: Params, crops: Tree, keys: Key) -> tuple[TrainState, Metrics]:
        generated = forward_pass(spec, state, vgg_params, crops, keys)
        real, fake = generated.outputs(photos_of)
        adversary_state, adversary_metrics = adversary.train(keys, state.adversary, real=real, fake=fake)

        def loss(results: Results, examples: Examples, statistics: Variables) -> tuple[jax.Array, Metrics]:
            targets = Targets(examples.batches, examples.swapped, vgg_params)
            total, metrics = spec.losses(results, targets, statistics, state.step)
            real, fake = photos_of(results, examples)
            generator_loss = adversary.generator_loss(adversary_state, fake)
            contrast = jnp.std(fake) / jnp.maximum(jnp.std(real), 1e-3)
            metrics = {**metrics, "adversarial": generator_loss, "contrast": contrast}
            return total + spec.losses.adversarial * generator_loss, metrics

        statistics, (metrics, gradients) = generated.backward(loss)
        state, metrics = apply_update(spec, state, statistics, gradients, metrics)
        return state.replace(adversary=adversary_state), {**metrics, **adversary_metrics}  # type: ignore[attr-defined]

    return step


def photos_of(results: Results, examples: Examples) -> Photos:
    """Return the photos of a batch of one scale."""
    ((scale, batch),) = examples.batches.items()
    fake = restored_image(results[scale])
    return Photos(center_crop(batch.hr, *fake.shape[1:3]), fake)
