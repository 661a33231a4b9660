"""Outputs of reference implementations, from their own weights."""

import jax.numpy as jnp
import numpy as np
import pytest

from jaxsr.weights.importers import import_tensors

GOLDEN = {
    "srcnn_955": ("srcnn", 2),
    **{f"fsrcnn_x{s}": ("fsrcnn", s) for s in (2, 3, 4)},
    **{f"espcn_x{s}": ("espcn", s) for s in (2, 3, 4)},
    "espcn_rgb_x3": ("espcn", 3),
    "vdsr": ("vdsr", 2),
}


@pytest.mark.shared
@pytest.mark.parametrize("file", GOLDEN)
def test_golden_file(shared, file):
    name, scale = GOLDEN[file]
    data = np.load(shared / "golden" / f"{file}.npz")
    tensors = {key.removeprefix("param/"): data[key] for key in data if key.startswith("param/")}
    model = import_tensors(name, tensors, scale=scale)
    output = model.apply(jnp.asarray(data["in/x"].transpose(0, 2, 3, 1)))
    expected = data["out/y"].transpose(0, 2, 3, 1)
    assert np.abs(output - expected).max() <= 1e-5 * np.abs(expected).max()


@pytest.mark.shared
def test_the_residual_of_vdsr(shared):
    data = np.load(shared / "golden" / "vdsr.npz")
    model = import_tensors("vdsr", {k.removeprefix("param/"): data[k] for k in data if k.startswith("param/")}, scale=2)
    x = data["in/x"].transpose(0, 2, 3, 1)
    expected = data["out/y"].transpose(0, 2, 3, 1) - x  # 6 % of the output
    assert np.abs(model.apply(jnp.asarray(x)) - x - expected).max() <= 1e-5 * np.abs(expected).max()
