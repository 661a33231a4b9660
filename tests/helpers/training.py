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
from tests.helpers import networks

# Deep networks are trained shallow and narrow; srcnn, fsrcnn and espcn as their configs have them.
DEEP = (
    "danv1",
    "danv2",
    "deblurgan",
    "drcn",
    "rdn",
    "real",
    "lapsrn",
    "mslapsrn",
    "srdensenet",
    "srntt",
    "srresnet",
    "srgan",
    "vdsr",
)
REDUCED = {name: networks.REDUCED[name] for name in DEEP}
NARROW_ADVERSARIES = {
    "deblurgan": {"features": 4, "depth": 1},
    "real": {"features": 2, "stages": 2, "hidden": 4},
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
        assert train(config, workdir).step == step
