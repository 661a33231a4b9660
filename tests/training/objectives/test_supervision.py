"""The losses of DRCN and LapSRN, worked out slowly from the papers' equations."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxsr.imaging.resize import resize
from jaxsr.training.batches import Batch
from jaxsr.training.config import default_config
from jaxsr.training.objectives.objective import Targets, make_losses

RNG = np.random.default_rng(0)
HR = RNG.random((2, 8, 8, 1)).astype(np.float32)
BATCH = Batch(jnp.zeros((2, 4, 4, 1)), jnp.asarray(HR))


class Result(NamedTuple):
    """What a network returns that finds more than the image."""

    sr: np.ndarray
    each: jax.Array | None = None
    levels: tuple[jax.Array, ...] = ()
    codes: jax.Array | None = None
    kernels: jax.Array | None = None


def loss_of(result, batch=BATCH, *, variables=None, step=0, **fields):
    """Return the loss of a network's `result`, and its metrics, by a config with `fields`."""
    config = default_config()
    config.update_from_flattened_dict(fields)
    loss, metrics = make_losses(config)({2: result}, Targets({2: batch}, None, {}), variables or {}, step)
    output = result.sr if isinstance(result, Result) else result
    target = HR[:, 2:6, 2:6] if output.shape[1] == 4 else HR
    assert float(metrics.pop("error")) == pytest.approx(np.square(output - target).mean(), rel=1e-5)
    return loss, metrics


def test_an_unpadded_output_is_compared_with_the_middle():
    output = RNG.random((2, 4, 4, 1)).astype(np.float32)
    loss, metrics = loss_of(output)
    assert float(loss) == pytest.approx(np.square(output - HR[:, 2:6, 2:6]).mean(), rel=1e-5)
    assert metrics == {}


@pytest.mark.parametrize(("step", "alpha"), [(0, 1.0), (25, 0.75), (100, 0.0), (500, 0.0)])
def test_drcn(step, alpha):
    """Section 3.3: every recursion's result, and their weighted sum, each half its squared distance."""
    each = RNG.random((3, 2, 8, 8, 1)).astype(np.float32)
    sr = np.tensordot(np.float32([0.2, 0.3, 0.5]), each, axes=1)
    own = np.mean([[0.5 * np.sum((y - x) ** 2) for y, x in zip(HR, one, strict=True)] for one in each])
    total = np.mean([0.5 * np.sum((y - x) ** 2) for y, x in zip(HR, sr, strict=True)])
    fields = {"loss": "euclidean", "supervision.name": "recursions", "supervision.fade": 100}
    loss, _ = loss_of(Result(sr, each=jnp.asarray(each)), step=step, **fields)
    assert float(loss) == pytest.approx(alpha * own + (1 - alpha) * total, rel=1e-5)


def test_lapsrn():
    """Section 3.2: every level against the sharp photo reduced by bicubic, summed over pixels."""
    levels = [RNG.random((2, side, side, 1)).astype(np.float32) for side in (4, 8)]
    expected = 0.0
    for image in levels:
        target = resize(HR.astype(float), image.shape[1] / 8) if image.shape[1] < 8 else HR
        expected += np.sqrt((image - target) ** 2 + 1e-6).sum() / 2
    pyramid = Result(levels[-1], levels=tuple(map(jnp.asarray, levels)))
    loss, _ = loss_of(pyramid, **{"supervision.name": "levels", "loss": "charbonnier_sum"})
    assert float(loss) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("whole_kernels", [False, True])
@pytest.mark.parametrize(("name", "supervised"), [("kernel", slice(-1, None)), ("kernels", slice(None))])
def test_dan(whole_kernels, name, supervised):
    """The last image, and the code (DANv1) or kernel (DANv2) of the last or all rounds; all are logged."""
    kernels, basis = RNG.random((2, 3, 3)).astype(np.float32), RNG.random((9, 4)).astype(np.float32)
    truth = kernels if whole_kernels else kernels.reshape(2, 9) @ basis
    rounds = RNG.random((3, *truth.shape)).astype(np.float32)
    sr = RNG.random(HR.shape).astype(np.float32)
    result = Result(sr, codes=jnp.asarray(rounds), kernels=jnp.asarray(rounds) if whole_kernels else None)
    batch, constants = BATCH._replace(kernels=jnp.asarray(kernels)), {"constants": {"basis": basis}}
    fields = {"supervision.name": name, "loss": "l1"}
    loss, metrics = loss_of(result, batch, variables=constants, **fields)
    errors = [np.abs(one - truth).mean() for one in rounds]
    assert float(loss) == pytest.approx(np.abs(sr - HR).mean() + np.mean(errors[supervised]), rel=1e-5)
    assert [float(metrics[f"kernel_error_{i}"]) for i in (1, 2, 3)] == pytest.approx(errors, rel=1e-5)


def test_scales_count_alike():
    """One set of weights for several scales: the mean of their losses, and of their errors."""
    outputs = {scale: RNG.random(HR.shape).astype(np.float32) for scale in (2, 4)}
    targets = Targets(dict.fromkeys(outputs, BATCH), None, {})
    loss, metrics = make_losses(default_config())(outputs, targets, {}, 0)
    expected = np.mean([np.square(output - HR).mean() for output in outputs.values()])
    assert float(loss) == pytest.approx(expected, rel=1e-5) == float(metrics["error"])


def test_pretraining_is_by_pixels_alone():
    config = default_config()
    config.update(pixel_weight=3.0, variation_weight=1.0)
    losses = make_losses(config)
    output, targets = RNG.random(HR.shape).astype(np.float32), Targets({2: BATCH}, None, {})
    whole, metrics = losses({2: output}, targets, {}, 0)
    alone, _ = losses.pixel_only()({2: output}, targets, {}, 0)
    assert float(alone) == pytest.approx(np.square(output - HR).mean(), rel=1e-5)
    assert float(whole) == pytest.approx(3 * float(alone) + float(metrics["variation"]), rel=1e-5)
