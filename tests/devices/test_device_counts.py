"""Each kind of training on four devices and on one, after 20 steps.

Pixels: test_loop.py; batch normalization with a critic: SRGAN in test_adversarial.py; photos that are learned one by
one: tests/blind. The rest is here. Where a network's gradients turn on signs (Adam's first steps, the ReLUs and maxima
of VGG19's features) rounding is enlarged until it is no longer rounding; so DeblurGAN goes without.
"""

import jax
import numpy as np
import pytest

from jaxsr.devices import parallel
from jaxsr.training.loop import train
from tests.training.test_adversarial import state_of

SGD = {"optimizer.name": "sgd", "adversarial.optimizer.name": "sgd"}  # Adam turns rounding to signs
CASES = {
    ("deblurgan", "comb"): {
        **{"perceptual.weight": 0.0, "pixel_weight": 10.0, "adversarial.weight": 0.01},
        **SGD,
    },
    ("srntt", "full"): {"pretraining.steps": 0},
}


@pytest.mark.slow
@pytest.mark.parametrize(("name", "variant"), CASES)
def test_four_devices_equal_one(name, variant, tiny, tmp_path, monkeypatch):
    """Both networks and their statistics: the blurred photos of two sources, dropout, penalties, swapped textures."""
    fields = {"steps": 20, "log_every": 20, "validate_every": 20, "checkpoint_every": 20, **CASES[name, variant]}
    train(tiny(name, variant, **fields), tmp_path / "four")
    first = jax.local_devices()[:1]
    monkeypatch.setattr(parallel, "devices", lambda batch_size: first)
    train(tiny(name, variant, **fields), tmp_path / "one")
    four, one = (state_of(tiny(name, variant, **fields), tmp_path / each) for each in ("four", "one"))
    assert_same(four, one)


def assert_same(state, other):
    """Compare the networks of two states, and their statistics, up to 1e-5."""
    for each, same in ((state, other), (state.critic, other.critic)):
        for part in ("params", "statistics"):
            jax.tree.map(
                lambda a, b: np.testing.assert_allclose(a, b, atol=1e-5), getattr(each, part), getattr(same, part)
            )
