"""What tests of training share: small networks, and what a run left in its folder."""

import json
import os
import signal

import jax
import numpy as np
import pytest

from jaxsr.training import loop
from jaxsr.training.loop import train
from jaxsr.weights import load

# Options under which a deep network is shallow and narrow.
REDUCED = {
    "danv1": {"blocks": 2, "features": 8, "estimator_features": 4, "estimator_blocks": 1},
    "danv2": {"groups": 2, "blocks": 1, "features": 8, "estimator_features": 4, "estimator_blocks": 1},
    "deblurgan": {"blocks": 1, "features": 4},
    "drcn": {"features": 8, "recursions": 3},
    "rdn": {"blocks": 2, "layers": 2, "growth": 4, "features": 8},
    "lapsrn": {"depth": 2, "features": 8},
    "mslapsrn": {"depth": 2, "recursions": 2, "features": 8},
    "srdensenet": {"growth": 4, "blocks": 2, "layers": 2, "low_features": 4, "bottleneck_features": 8},
    "srntt": {"blocks": 2, "features": 4},
    "srresnet": {"blocks": 2, "features": 8},
    "srgan": {"blocks": 2, "features": 8},
    "vdsr": {"depth": 4, "features": 8},
}
NARROW_ADVERSARIES = {
    "deblurgan": {"features": 4, "depth": 1},
    "srgan": {"features": 2, "stages": 2, "hidden": 4},
    "srntt": {"features": 2, "stages": 2, "hidden": 4},
}


def weights(workdir):
    """Return the arrays that the run in `workdir` saved, by path."""
    return {str(path): np.asarray(x) for path, x in jax.tree_util.tree_leaves_with_path(load(workdir).params)}


def records(workdir, kind):
    """Return the lines of the run's log that are of `kind`, "train" or "validation"."""
    lines = [json.loads(line) for line in (workdir / "metrics.jsonl").read_text().splitlines()]
    return [line for line in lines if line["kind"] == kind]


def stop_after(step, config, workdir):
    """Train until `step`, where SIGTERM arrives as the loop plans its next dispatch."""
    original = loop.steps_to_next_event

    def count(config, now):
        planned = original(config, now)
        if now + planned >= step:
            os.kill(os.getpid(), signal.SIGTERM)
        return planned

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop, "steps_to_next_event", count)
        assert train(config, workdir) == step
