"""The runtimes of engines, in a process of their own."""

import importlib
import subprocess
import sys

import pytest

from jaxsr.engines.runtimes import is_installed

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


@pytest.mark.slow
def test_signals_are_handled_after_another_thread_has_freed_the_programs():
    """OpenVINO then frees the stack on which signals are handled, where nothing keeps its core."""
    if not is_installed("openvino"):
        pytest.skip("jaxsr[openvino] is not installed")
    command = [sys.executable, "-c", SIGNAL_AFTER_PROGRAMS_ARE_FREED]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stdout) == (0, "handled\n"), done.stderr
