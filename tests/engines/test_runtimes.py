"""The runtimes of engines: which are installed, what they raise, and signals in a process that used one."""

import importlib
import subprocess
import sys

import numpy as np
import pytest

from jaxsr.engines.runtimes import RUNTIMES, compile_graph, is_installed
from jaxsr.support.errors import UserError
from tests.helpers.engines import needs

SIGNAL_AFTER_PROGRAMS_ARE_FREED = """
import gc, os, signal, threading
import numpy as np
from jaxsr import load
from jaxsr.restoration.options import RestoreOptions
from jaxsr.restoration.photo import restore_pixels
from jaxsr.restoration.tiles import engine_tiles

def forget():
    engine_tiles._PROGRAMS.clear()
    gc.collect()

restore_pixels(load("espcn-x2"), np.zeros((64, 64, 3), np.uint8), RestoreOptions(engine="openvino"))
thread = threading.Thread(target=forget)
thread.start()
thread.join()
signal.signal(signal.SIGTERM, lambda *_: print("handled", flush=True))
os.kill(os.getpid(), signal.SIGTERM)
"""


def test_folders_of_an_engines_name_are_not_that_engine(tmp_path, monkeypatch):
    """Python takes a folder where it starts for a package, such as the one that exported files are in."""
    for name in ("some_engine", "onnx"):
        (tmp_path / name).mkdir()
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    monkeypatch.delitem(sys.modules, "onnx", raising=False)
    importlib.invalidate_caches()
    assert not is_installed("some_engine")
    (tmp_path / "some_engine" / "__init__.py").touch()
    assert not is_installed("some_engine")
    (tmp_path / "onnx" / "__init__.py").touch()
    importlib.invalidate_caches()
    assert is_installed("some_engine")


def graph_of(operation):
    """Return an ONNX file of one operation, on photos and a shape of 128 tebibytes, more than a process can address."""
    from onnx import TensorProto, helper

    photos = helper.make_tensor_value_info("photos", TensorProto.FLOAT, ["n", "h", "w", 1])
    restored = helper.make_tensor_value_info("restored", TensorProto.FLOAT, None)
    shape = helper.make_tensor("shape", TensorProto.INT64, [4], [1 << 15, 1 << 15, 1 << 15, 1])
    nodes = [
        helper.make_node("Constant", [], ["shape"], value=shape),
        helper.make_node(operation, ["photos", "shape"], ["restored"]),
    ]
    graph = helper.make_graph(nodes, "graph", [photos], [restored])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8).SerializeToString()


@pytest.mark.parametrize("engine", RUNTIMES)
@pytest.mark.parametrize(
    ("operation", "kind", "message"),
    [
        ("Expand", MemoryError, "the photo does not fit into memory by {engine}; use a smaller tile"),
        ("NoSuchOperation", UserError, r"{engine} fails \(.+\); use another engine, such as xla"),
    ],
)
def test_what_an_engine_raises_is_an_error_of_one_photo(engine, operation, kind, message):
    needs(engine)
    with pytest.raises(kind, match=f"^{message.format(engine=engine)}$"):
        compile_graph(engine, graph_of(operation))(np.zeros((1, 1, 1, 1), np.float32))


@pytest.mark.slow
def test_signals_are_handled_after_another_thread_has_freed_the_programs():
    """OpenVINO then frees the stack on which signals are handled, where nothing keeps its core."""
    if not is_installed("openvino"):
        pytest.skip("jaxsr[openvino] is not installed")
    command = [sys.executable, "-c", SIGNAL_AFTER_PROGRAMS_ARE_FREED]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stdout) == (0, "handled\n"), done.stderr
