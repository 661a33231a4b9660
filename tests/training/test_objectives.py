"""The losses of DRCN and LapSRN, worked out slowly from the papers' equations."""

from types import SimpleNamespace

import jax.numpy as jnp
import numpy as np
import pytest

from jaxsr.imaging.resize import resize
from jaxsr.training.config import default_config
from jaxsr.training.objectives import make_objective
from jaxsr.training.pairs import Pair

RNG = np.random.default_rng(0)
SHARP = RNG.random((2, 8, 8, 1)).astype(np.float32)
PAIR = Pair(jnp.zeros((2, 4, 4, 1)), jnp.asarray(SHARP))


def objective(name, **fields):
    config = default_config()
    config.supervision.name = name
    config.update(fields)
    return make_objective(config)


def test_an_unpadded_output_is_compared_with_the_middle():
    output = RNG.random((2, 4, 4, 1)).astype(np.float32)
    loss, restored, told = objective("output").loss(output, PAIR, {}, 0)
    assert float(loss) == pytest.approx(np.square(output - SHARP[:, 2:6, 2:6]).mean(), rel=1e-5)
    assert restored is output and told == {}


@pytest.mark.parametrize(("step", "alpha"), [(0, 1.0), (25, 0.75), (100, 0.0), (500, 0.0)])
def test_drcn(step, alpha):
    """Equations 5 to 7: every recursion's result, and their weighted sum, each half its squared distance."""
    config = default_config()
    config.loss, config.supervision.name, config.supervision.fade = "euclidean", "recursions", 100
    each = RNG.random((3, 2, 8, 8, 1)).astype(np.float32)
    sr = np.tensordot(np.float32([0.2, 0.3, 0.5]), each, axes=1)
    own = np.mean([[0.5 * np.sum((y - x) ** 2) for y, x in zip(SHARP, one, strict=True)] for one in each])
    total = np.mean([0.5 * np.sum((y - x) ** 2) for y, x in zip(SHARP, sr, strict=True)])
    loss, restored, _ = make_objective(config).loss(SimpleNamespace(sr=sr, each=jnp.asarray(each)), PAIR, {}, step)
    assert float(loss) == pytest.approx(alpha * own + (1 - alpha) * total, rel=1e-5)
    assert restored is sr


def test_lapsrn():
    """Equation 4: every level against the sharp photo reduced by bicubic, summed over pixels."""
    levels = [RNG.random((2, side, side, 1)).astype(np.float32) for side in (4, 8)]
    expected = 0.0
    for image in levels:
        target = resize(SHARP.astype(float), image.shape[1] / 8) if image.shape[1] < 8 else SHARP
        expected += np.sqrt((image - target) ** 2 + 1e-6).sum() / 2
    pyramid = SimpleNamespace(sr=levels[-1], levels=tuple(map(jnp.asarray, levels)))
    loss, restored, _ = objective("levels", loss="charbonnier_sum").loss(pyramid, PAIR, {}, 0)
    assert float(loss) == pytest.approx(expected, rel=1e-4)
    assert restored is levels[-1]


@pytest.mark.parametrize("whole_kernels", [False, True])
def test_dan(whole_kernels):
    """The last image, and the last round's code (DANv1) or kernel (DANv2); all rounds are told."""
    kernels, basis = RNG.random((2, 3, 3)).astype(np.float32), RNG.random((9, 4)).astype(np.float32)
    truth = kernels if whole_kernels else kernels.reshape(2, 9) @ basis
    rounds = RNG.random((3, *truth.shape)).astype(np.float32)
    sr = RNG.random(SHARP.shape).astype(np.float32)
    result = SimpleNamespace(sr=jnp.asarray(sr), codes=jnp.asarray(rounds), kernels=None)
    if whole_kernels:
        result.kernels = jnp.asarray(rounds)
    pair = PAIR._replace(kernels=jnp.asarray(kernels))
    loss, restored, told = objective("kernel", loss="l1").loss(result, pair, {"constants": {"basis": basis}}, 0)
    errors = [np.abs(one - truth).mean() for one in rounds]
    assert float(loss) == pytest.approx(np.abs(sr - SHARP).mean() + errors[-1], rel=1e-5)
    assert [float(told[f"kernel_error_{i}"]) for i in (1, 2, 3)] == pytest.approx(errors, rel=1e-5)
    assert restored is result.sr
