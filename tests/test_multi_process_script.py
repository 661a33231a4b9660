"""The script that starts several processes on one host: what it makes of its arguments, and its exit status."""

import os
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[1] / "launch" / "multi_process.sh"


def run(*arguments, **environment):
    command = ["bash", SCRIPT, *arguments]
    return subprocess.run(
        command, env=os.environ | environment, capture_output=True, text=True, check=False, timeout=60
    )


@pytest.mark.parametrize("arguments", [[], ["0"], ["--config=espcn:x3"], ["08"]])
def test_a_number_of_processes_comes_first(arguments):
    done = run(*arguments)
    assert done.returncode == 2 and done.stderr.startswith("usage: ") and done.stderr.count("\n") == 1


def test_each_process_has_its_number_and_the_worst_status_is_the_script_s(tmp_path):
    python = tmp_path / "my python"
    python.write_text('#!/bin/sh\necho "$JAXSR_PROCESS of $JAXSR_PROCESSES $4"\nexit "$JAXSR_PROCESS"\n')
    python.chmod(0o755)
    done = run("3", "--config=espcn:x3", "--workdir=my run", PYTHON=str(python))
    assert sorted(done.stdout.splitlines()) == [f"{i} of 3 --workdir=my run" for i in range(3)]
    assert done.returncode == 2
