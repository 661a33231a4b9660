"""`import jaxsr` stays light, and `python -m jaxsr` lists commands, models and weights."""

import re
import subprocess
import sys

import pytest

import jaxsr
from jaxsr.__main__ import WIDTH, command_files
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
    lines = done.stdout.splitlines()
    assert max(map(len, lines)) <= WIDTH
    for name in (*command_files(), *MODELS, "kernelgan", *shipped_names()):
        assert [line for line in lines if line.split()[:1] == [name]], name
    assert "4.09 k to 12.8 k Dong et al., ECCV 2016, arXiv 1608.00367" in done.stdout
    assert re.search(r"fsrcnn-x2 +y8 +Set5 36\.76 \(33\.66\)$", done.stdout, re.MULTILINE)


def test_the_front_imports_nothing_heavy():
    code = "import sys, runpy, jaxsr.__main__ as front; runpy.run_module = lambda *names, **options: print(names); "
    code += f"sys.argv[1:] = ['prepare-data', 'a']; front.main(); print(sys.argv[1:], {{*{HEAVY}}} & {{*sys.modules}})"
    done = run("-c", code)
    assert done.stdout.splitlines() == ["('jaxsr.prepare_data',)", "['a'] set()"], done.stderr


@pytest.mark.slow
def test_a_command_by_the_front_is_the_command():
    """The same help, error and exit status as the module's."""
    statuses = {("--help",): 0, ("photo.png",): 2, ("missing.png", "--output=/dev/null/x"): 2}
    for arguments, status in statuses.items():
        front, module = run("-m", "jaxsr", "restore", *arguments), run("-m", "jaxsr.restore", *arguments)
        assert (front.returncode, front.stdout, front.stderr) == (module.returncode, module.stdout, module.stderr)
        assert front.returncode == status and (front.stdout or front.stderr)


@pytest.mark.parametrize(
    ("name", "message"), [("restor", "did you mean 'restore'?"), ("--output=x", "choose one of: app, compare, ")]
)
def test_an_unknown_command_is_answered_in_one_line(name, message):
    done = run("-m", "jaxsr", name)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"jaxsr: unknown command {name!r}; {message}") and done.stderr.count("\n") == 1


def test_ctrl_c_ends_a_command_while_it_imports():
    code = "import os, runpy, signal, sys, jaxsr.__main__ as front; sys.argv[1:] = ['restore']; "
    code += "runpy.run_module = lambda *names, **options: os.kill(os.getpid(), signal.SIGINT); front.main()"
    done = run("-c", code)
    assert (done.returncode, done.stderr) == (130, "\nended by SIGINT\n")
