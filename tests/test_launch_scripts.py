"""The scripts of launch/ with stand-ins for the programs that they start: what they ask for, and what they refuse."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

LAUNCH = Path(__file__).parents[1] / "launch"
PYTHON = """#!/bin/sh
echo "$*" >>asked
case $* in
"-m venv .venv") mkdir -p .venv/bin && cp "$0" .venv/bin/python && touch .venv/pip ;;
"-m pip "*) [ -e .venv/pip ] ;;
esac
"""


@pytest.fixture
def checkout(tmp_path):
    """Return a checkout with the scripts, and an interpreter `python` that writes what it is asked to `asked`."""
    shutil.copytree(LAUNCH, tmp_path / "launch")
    for name in ("pyproject.toml", "setup.py"):
        (tmp_path / name).touch()
    program(tmp_path / "python", PYTHON)
    return tmp_path


def program(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)


def bash(folder, *words, **environment):
    variables = os.environ | environment
    return subprocess.run(
        ["bash", *words], cwd=folder, env=variables, capture_output=True, text=True, check=False, timeout=60
    )


def test_an_environment_that_was_left_without_pip_is_made_again(checkout):
    program(checkout / ".venv" / "bin" / "python", PYTHON)
    for _ in range(2):  # the second time nothing is left to do
        done = bash(checkout, "-c", "set -eu; source launch/install.sh; install dev", PYTHON="./python")
        assert done.returncode == 0, done.stderr
    asked = (checkout / "asked").read_text()
    assert asked.count("-m venv .venv") == asked.count("-m pip install") == 1
    assert list((checkout / ".venv").glob("installed-dev-*"))


def test_a_folder_that_is_no_environment_is_not_deleted(checkout):
    (checkout / "my photos").mkdir()
    program(checkout / "bin" / "uv", "#!/bin/sh\nexit 1\n")
    path = f"{checkout / 'bin'}:{os.environ['PATH']}"
    done = bash(checkout, "launch/bounds.sh", "lowest", PATH=path, VENV=str(checkout / "my photos"))
    assert done.returncode == 2 and "is no environment, and would be deleted; name a folder" in done.stderr
    assert done.stderr.count("\n") == 1 and (checkout / "my photos").is_dir()


def test_the_folder_of_the_demonstration_is_the_caller_s(checkout):
    carried = checkout / "carried"
    photos = f"mkdir -p '{carried}'; touch '{carried}/chelsea.png' '{carried}/coffee.png'"
    program(checkout / "python", f"#!/bin/sh\n[ $1 != -c ] || {{ {photos}; echo '{carried}'; }}\n")
    program(checkout / ".venv" / "bin" / "python", (checkout / "python").read_text())
    (checkout / "elsewhere").mkdir()
    python = str(checkout / "python")
    for words, folder in ((["my run"], checkout / "elsewhere" / "my run"), ([], checkout / "runs" / "demo")):
        bash(checkout / "elsewhere", "../launch/demo.sh", *words, PYTHON=python)
        assert (folder / "photos" / "coffee.png").is_file()


@pytest.mark.parametrize("jobs", ["0", "00", "-1", "many"])
def test_a_wrong_number_of_runs_at_once_is_refused(jobs, checkout):
    done = bash(checkout, "launch/weights.sh", "srcnn-x2", JOBS=jobs)
    assert done.returncode == 2 and f"JOBS={jobs} is not a positive number" in done.stderr
    assert not (checkout / "asked").exists()


def test_slurm_s_processes_get_the_job_s_cores_and_the_first_of_many_hosts(checkout):
    hosts = "for i in $(seq 1 20000); do echo node-$i; done"
    program(checkout / "bin" / "scontrol", f"#!/bin/sh\n{hosts}\n")
    program(checkout / "bin" / "srun", '#!/bin/sh\necho "$JAXSR_COORDINATOR $SRUN_CPUS_PER_TASK"; echo "$*"\n')
    job = {"SLURM_SUBMIT_DIR": str(checkout), "SLURM_JOB_ID": "20001", "SLURM_JOB_NODELIST": "node-[1-20000]"}
    path = f"{checkout / 'bin'}:{os.environ['PATH']}"
    line = ["launch/slurm.sh", "--config=espcn:x3", "--workdir=my run"]
    done = bash(checkout, *line, PATH=path, SLURM_CPUS_PER_TASK="8", PYTHON="python3", **job)
    assert done.returncode == 0, done.stderr
    asked = "--kill-on-bad-exit=0 python3 -m jaxsr.train --config=espcn:x3 --workdir=my run"
    assert done.stdout.splitlines() == ["node-1:12001 8", asked]


@pytest.mark.parametrize(("script", "words"), [("multi_gpu.sh", []), ("multi_process.sh", ["1"])])
def test_paths_in_the_flags_are_those_of_the_caller(script, words, checkout):
    program(checkout / ".venv" / "bin" / "python", '#!/bin/sh\n[ "$1" = - ] || echo "$PWD $*"\n')
    (checkout / "my photos").mkdir()
    done = bash(checkout / "my photos", f"../launch/{script}", *words, "--workdir=run")
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{checkout / 'my photos'} -m jaxsr.train --workdir=run\n"
