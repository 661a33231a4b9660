"""`import jaxsr` stays light, and `python -m jaxsr` lists commands, models and weights."""

import subprocess
import sys

import pytest

import jaxsr
from jaxsr.models import MODELS
from jaxsr.weights import shipped_names

HEAVY = ("jax", "flax", "tensorflow", "torch", "tensorflow_datasets", "scipy", "PIL")


def run(*arguments):
    return subprocess.run([sys.executable, *arguments], capture_output=True, text=True, check=False)


def test_importing_pulls_in_nothing_heavy():
    code = "import time; start = time.perf_counter(); import sys, jaxsr; seconds = time.perf_counter() - start; "
    done = run("-c", f"{code} print(seconds < 0.3, [name for name in {HEAVY} if name in sys.modules])")
    assert done.stdout.strip() == "True []", done.stderr


@pytest.mark.parametrize("command", ["restore", "evaluate", "train", "prepare_data", "import_weights"])
def test_no_command_needs_tensorflow_or_torch(command):
    done = run("-c", f"import sys, jaxsr.{command}; print([n for n in ('tensorflow', 'torch') if n in sys.modules])")
    assert done.stdout.strip() == "[]", done.stderr


def test_public_names():
    for name in jaxsr.__all__:
        assert getattr(jaxsr, name) is not None
    assert set(dir(jaxsr)) == set(jaxsr.__all__)
    assert {*MODELS, "kernelgan", *shipped_names()} == set(jaxsr.list_models())
    with pytest.raises(AttributeError, match="no attribute 'lod'"):
        _ = jaxsr.lod


def test_the_overview_names_everything():
    done = run("-m", "jaxsr")
    assert done.returncode == 0, done.stderr
    for command in ("evaluate", "import_weights", "prepare_data", "restore", "train"):
        assert f"python -m jaxsr.{command} " in done.stdout
    for name in (*MODELS, "kernelgan", *shipped_names()):
        assert name in done.stdout
    assert "12,809" in done.stdout and "arXiv 1608.00367" in done.stdout
