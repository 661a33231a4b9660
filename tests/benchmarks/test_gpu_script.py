"""The script that measures on a GPU: its arguments, its dry run, and that it names what it did not measure."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from jaxsr.weights import shipped_names

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "gpu.sh"


def run(*arguments, timeout=60, **environment):
    environment = os.environ | {"PYTHON": sys.executable, "JAX_PLATFORMS": "cpu"} | environment
    return subprocess.run(
        ["bash", SCRIPT, *arguments], env=environment, capture_output=True, text=True, timeout=timeout
    )


@pytest.mark.parametrize("argument", ["--minutes=0", "--minutes=08", "--minutes=soon", "--wet", "--output="])
def test_wrong_arguments_are_answered_in_one_line(argument, tmp_path):
    found = run(f"--output={tmp_path}", argument)
    assert found.returncode == 2 and found.stderr.startswith("gpu.sh: ") and found.stderr.count("\n") == 1


@pytest.mark.slow
def test_a_dry_run_fills_every_table(tmp_path):
    pytest.importorskip("torch")
    found = run("--dry", f"--output={tmp_path}", "--minutes=20", timeout=1200)
    tables = json.loads((tmp_path / "gpu.json").read_text())["tables"]
    titles = {table["title"].split(":")[0] for table in tables}
    assert {"KernelGAN", "A photo", "A training step of Adam on the mean squared error"} <= titles, found.stdout
    assert all(table["rows"] for table in tables) and "gpu.json" in found.stdout


@pytest.fixture
def commands(tmp_path):
    """Return what the script has its interpreter run on a GPU, by an interpreter that only writes that down."""
    stub, asked = tmp_path / "python", tmp_path / "asked"
    stub.write_text(f'#!/bin/sh\necho "$@" >>{asked}\n')
    stub.chmod(0o755)
    assert run(f"--output={tmp_path / 'out'}", PYTHON=str(stub)).returncode == 0
    return [line.split() for line in asked.read_text().splitlines()]


def test_bf16_is_measured_on_weights_that_load_by_these_names(commands):
    (command,) = [command for command in commands if "benchmarks.precision" in command]
    (names,) = [flag.removeprefix("--names=") for flag in command if flag.startswith("--names=")]
    assert set(names.split(",")) <= set(shipped_names())


def test_no_json_lies_beside_the_tables_that_the_page_cannot_read(commands, tmp_path):
    out = tmp_path / "out"
    written = {Path(flag.partition("=")[2]) for command in commands for flag in command if flag.startswith("--json")}
    assert {path for path in {*written, *out.glob("*.json")} if path.parent == out} == {out / "gpu.json"}
    assert (out / "other" / "precision_differences.json").is_file()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_part_that_runs_and_begins_no_other(number, tmp_path):
    stub, asked = tmp_path / "python", tmp_path / "asked"
    stub.write_text(f'#!/bin/sh\n[ "$1" = -m ] || exit 0\necho "$2" >>"{asked}"\nexec sleep 60\n')
    stub.chmod(0o755)
    heed = "import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_DFL); os.execvp(sys.argv[1], sys.argv[1:])"
    command = [sys.executable, "-c", heed, "bash", SCRIPT, "--output=my output"]  # pytest's processes ignore Ctrl-C
    environment = os.environ | {"PYTHON": str(stub)}
    with subprocess.Popen(command, cwd=tmp_path, env=environment, start_new_session=True) as script:
        while not asked.exists():
            time.sleep(0.05)
        os.killpg(script.pid, number)  # as a terminal does
        assert script.wait(20) == 128 + number
    assert asked.read_text().split() == ["benchmarks.large_photo"]
    assert (tmp_path / "my output" / "large_photo.log").is_file()  # beside the caller
