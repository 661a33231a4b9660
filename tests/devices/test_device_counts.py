"""Each kind of training on four devices and on one, after 20 steps.

Pixels: test_loop.py; batch normalization with a critic: SRGAN in tests/training/steps; photos that are learned one by
one: tests/blind. The rest is here. Where a network's gradients turn on signs (Adam's first steps, the ReLUs and maxima
of VGG19's features) rounding is enlarged until it is no longer rounding; so DeblurGAN goes without.
"""

import jax
import pytest

from jaxsr.devices import parallel
from jaxsr.training.loop import train
from tests.helpers.steps import DEVICE_CASES, assert_same_networks, saved_state


@pytest.mark.slow
@pytest.mark.parametrize(("name", "variant"), DEVICE_CASES)
def test_four_devices_equal_one(name, variant, tiny, tmp_path, monkeypatch):
    """Both networks and their statistics: the blurred photos of two sources, dropout, penalties, swapped textures."""
    fields = {"steps": 20, "log_every": 20, "validate_every": 20, "checkpoint_every": 20, **DEVICE_CASES[name, variant]}
    train(tiny(name, variant, **fields), tmp_path / "four")
    first = jax.local_devices()[:1]
    monkeypatch.setattr(parallel, "devices", lambda batch_size: first)
    train(tiny(name, variant, **fields), tmp_path / "one")
    four, one = (saved_state(tiny(name, variant, **fields), tmp_path / each) for each in ("four", "one"))
    assert_same_networks(four, one)
