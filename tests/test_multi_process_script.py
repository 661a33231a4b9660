"""The script that starts several processes on one host: what it makes of its arguments, and its exit status."""

import os
import signal
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


def test_sigterm_reaches_all_processes_also_those_that_wait_for_one_that_it_has_ended(tmp_path):
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\ntrap 'exit 143' TERM\necho begun\nfor _ in $(seq 400); do sleep 0.05; done\n")
    python.chmod(0o755)
    environment = os.environ | {"PYTHON": str(python)}
    script = subprocess.Popen(["bash", SCRIPT, "2"], env=environment, stdout=subprocess.PIPE, text=True)
    assert script.stdout is not None
    assert [script.stdout.readline() for _ in range(2)] == ["begun\n", "begun\n"]
    script.send_signal(signal.SIGTERM)
    assert script.wait(timeout=10) == 143  # they would be there for 20 s
    script.stdout.close()
