"""Transposed convolutions in ONNX: wide ones have a convolution for each output phase, as on a CPU."""

import jax
import numpy as np
import pytest

from jaxsr.engines.runtimes import RUNTIMES, compile_graph
from jaxsr.engines.tracing import photo_shape, trace
from jaxsr.models.ops.deconvolution import deconvolve
from tests.helpers.engines import needs


@pytest.mark.parametrize("engine", RUNTIMES)
@pytest.mark.parametrize(("width", "convolutions"), [(8, 1), (96, 4)])
def test_wide_ones_are_computed_by_phases_and_all_as_xla_does(engine, width, convolutions):
    needs(engine)
    import onnx  # pyright: ignore[reportMissingImports]

    from jaxsr.engines.onnx_conversion import to_onnx

    rng = np.random.default_rng(0)
    kernel = rng.normal(size=(3, 3, width, width)).astype(np.float32)

    def enlarge(photos: jax.Array) -> jax.Array:
        return deconvolve(photos, kernel, 2, 1)

    file = to_onnx(trace(enlarge, photo_shape(4, width)), ["restored"], {})
    nodes = onnx.load_model_from_string(file).graph.node
    assert sum(node.op_type == "Conv" for node in nodes) == convolutions
    for size in ((7, 6), (4, 9)):
        photos = rng.normal(size=(1, *size, width)).astype(np.float32)
        found = compile_graph(engine, file)(photos)["restored"]
        np.testing.assert_allclose(found, enlarge(photos), rtol=1e-4, atol=1e-3)
