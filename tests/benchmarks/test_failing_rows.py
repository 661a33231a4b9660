"""Tables of compiling, unrolling and memory: a row that fails is marked, the others go on, the exit status says so."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import memory, motion
from benchmarks.workers import MeasurementFailed


def run(*command):
    root = Path(__file__).parents[2]
    return subprocess.run(
        [sys.executable, "-m", *command], cwd=root, capture_output=True, text=True, timeout=100, check=False
    )


def test_compile_times_that_are_not_measured_end_in_status_1_and_leave_others_in_the_file(tmp_path):
    file, earlier = tmp_path / "times.json", {"vdsr": {"photo_cold": 1.0}, "espcn": {"training_cold": 2.0}}
    file.write_text(json.dumps(earlier))
    flags = ("--networks=espcn,fsrcnn", "--notraining", "--limit=0", f"--json_file={file}")
    found = run("benchmarks.compile_times", *flags)
    assert found.returncode == 1, found.stderr
    recorded = json.loads(file.read_text())
    assert recorded.keys() == {"vdsr", "espcn", "fsrcnn"} and recorded["vdsr"] == earlier["vdsr"]
    assert [recorded[name]["training_cold"] for name in ("espcn", "fsrcnn")] == [2.0, "-"]
    assert [line.split(" | ")[1:] for line in found.stdout.splitlines()[2:]] == 2 * [3 * ["over 0"] + ["-", "- |"]]


def test_runs_that_compile_times_trains_lie_in_a_folder_that_is_removed(tmp_path):
    stub, seen = tmp_path / "python", tmp_path / "seen"
    stub.write_text(f'#!/bin/sh\necho "$TMPDIR" >"{seen}"\ntouch "$TMPDIR/run"\necho \'{{"first": 1.0}}\'\n')
    stub.chmod(0o755)
    call = f"sys.executable = {str(stub)!r}; print(compile_times.seconds_of('espcn', 10, True))"
    program = f"import sys; from benchmarks import compile_times; {call}"
    done = subprocess.run([sys.executable, "-c", program], env=os.environ | {"TMPDIR": str(tmp_path)}, check=False)
    folder = Path(seen.read_text().strip())
    assert done.returncode == 0 and folder.parent == tmp_path and not folder.exists()


def test_a_turn_may_draw_more_motion_kernels_than_there_are_keys():
    call = motion.in_jax(1, 16, 10, (1.0,))
    assert all(call().shape == (1, 1, 16, 16) for _ in range(1001))


@pytest.mark.slow
def test_unrolling_goes_on_after_rows_that_fail():
    found = run("benchmarks.unrolling", "--networks=espcn,fsrcnn", "--side=-1")
    assert found.returncode == 1, found.stderr
    rows = found.stdout.splitlines()[2:]
    assert len(rows) == 12 and all("failed: ValueError: negative dimensions" in row for row in rows)


@pytest.mark.slow
def test_a_row_of_memory_that_fails_does_so_in_a_process_of_its_own():
    with pytest.raises(MeasurementFailed, match="KeyError"):
        memory.measure("no network", 1, 8)
