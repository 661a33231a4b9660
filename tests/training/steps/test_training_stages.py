"""Steps of a run of any length are one program: the number of updates is an argument of it."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxsr.devices.meshes import BATCH_AXIS
from jaxsr.training.optimizers import make_schedule
from tests.helpers.steps import parts_of, with_patch_critic


def lowered(config) -> str:
    """Return the program of the last stage of `config`, before it is compiled."""
    parts = parts_of(config)
    keys = jax.random.split(jax.random.key(0), len(parts.crops))
    arguments = jax.tree.map(lambda x: jnp.asarray(x)[None], (parts.state, {}, parts.crops, keys))
    stage = parts.stages[-1]

    def run(updates, *rest):
        return jax.vmap(stage.make_step(updates), axis_name=BATCH_AXIS)(*rest)

    return jax.jit(run).lower(np.int32(stage.updates), *arguments).as_text()


@pytest.mark.parametrize("name", ["cosine", "linear", "exponential"])
def test_another_number_of_steps_is_the_same_program(name, tiny):
    fields = {"schedule.name": name, "schedule.warmup": 2, "data.patch": 4}
    assert lowered(tiny(steps=10, **fields)) == lowered(tiny(steps=1_000, **fields))


@pytest.mark.slow
def test_so_it_is_for_two_networks(tiny):
    fields = {"schedule.name": "cosine", "adversarial.schedule.name": "linear"}
    short, long = (with_patch_critic(tiny, steps=steps, **fields) for steps in (10, 1_000))
    assert lowered(short) == lowered(long)


@pytest.mark.parametrize("name", ["cosine", "linear", "exponential"])
def test_a_traced_number_gives_the_same_rates(name, tiny):
    config = tiny(**{"schedule.name": name, "schedule.warmup": 3}).schedule
    plain = make_schedule(config, 0.1, 20)
    traced = jax.jit(lambda steps, count: make_schedule(config, 0.1, steps)(count))
    for count in (0, 2, 3, 11, 12, 19):
        assert float(traced(20, count)) == pytest.approx(float(plain(count)), rel=1e-6)
