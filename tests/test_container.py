"""The images, the launchers that use them, and the workflow: that they fit each other and the checkout.

Docker's own parser and the base image are not tried here; tests/helpers/dockerfile.py runs the steps in a clean root.
"""

import json
import re
import shutil
import subprocess
import sys
import zipfile

import pytest
import yaml

from jaxsr.training.catalog.config_files import load_config
from tests.helpers.dockerfile import ROOT, context, inherited, read_stages

STAGES = read_stages()
TARGETS = ("cpu", "cuda")


@pytest.fixture(scope="module")
def job():
    """Return the job of kubernetes.yaml."""
    _, job = yaml.safe_load_all((ROOT / "launch" / "kubernetes.yaml").read_text())
    return job


def last(target, instruction):
    return [step.words for step in inherited(STAGES, target) if step.instruction == instruction][-1]


def variables(target):
    words = " ".join(step.words for step in inherited(STAGES, target) if step.instruction == "ENV")
    return dict(word.split("=", 1) for word in words.split())


def sbatch(option):
    return re.search(rf"^#SBATCH --{option}=(\S+)$", (ROOT / "launch" / "slurm.sh").read_text(), re.MULTILINE)[1]


@pytest.mark.parametrize("target", TARGETS)
def test_an_image_runs_commands_as_an_ordinary_user(target):
    assert json.loads(last(target, "ENTRYPOINT"))[-2:] == ["python", "-m"]
    user = last(target, "USER")
    made = " ".join(step.words for step in inherited(STAGES, target) if step.instruction == "RUN")
    assert user != "0" and f"useradd --uid={user}" in made
    environment = variables(target)
    assert environment["PATH"].startswith("/opt/venv/bin:") and environment["XDG_CACHE_HOME"] == "/cache"
    assert "mkdir --mode=1777 /cache" in made
    assert last(target, "WORKDIR") == "/runs"


def test_stages_follow_each_other_and_copy_what_there_is():
    before = set()
    files = context()
    for stage in STAGES.values():
        assert stage.base in before or stage.base.startswith("debian:")
        for step in stage.steps:
            named = [step.options.get("from"), *re.findall(r"from=([\w-]+)", step.options.get("mount", ""))]
            assert {name for name in named if name} <= before
            if step.instruction == "COPY" and "from" not in step.options:
                for source in step.words.split()[:-1]:
                    assert any(path.is_relative_to(source) for path in files), f"{source} is not in the context"
        before.add(stage.name)
    assert set(TARGETS) < before


def test_the_wheel_is_not_made_where_the_empty_package_was():
    """Setuptools would find an empty jaxsr/__init__.py in build/ there, newer than the checkout's, and keep it."""
    assert last("wheel", "WORKDIR") != last("dependencies", "WORKDIR")
    copied = {word for step in STAGES["wheel"].steps if step.instruction == "COPY" for word in step.words.split()}
    assert {"pyproject.toml", "setup.py", "README.md", "LICENSE", "jaxsr", "configs"} <= copied


def test_the_context_is_what_the_package_needs():
    assert {path.parts[0] for path in context()} == {
        *("pyproject.toml", "setup.py", "README.md", "LICENSE"),
        *("jaxsr", "configs"),
    }
    assert not [path for path in context() if "__pycache__" in path.parts]


@pytest.mark.slow
def test_the_wheel_of_the_context_is_complete(tmp_path):
    """With every module and every weight file; built from what .dockerignore lets through, and nothing else."""
    for path in context():
        (tmp_path / path.parent).mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / path, tmp_path / path)
    flags = ["--quiet", "--no-deps", "--no-cache-dir", f"--wheel-dir={tmp_path / 'wheels'}"]
    subprocess.run([sys.executable, "-m", "pip", "wheel", *flags, "."], cwd=tmp_path, check=True)
    (wheel,) = (tmp_path / "wheels").iterdir()
    held = set(zipfile.ZipFile(wheel).namelist())
    needed = {str(path) for path in context() if path.parts[0] == "jaxsr"}
    assert needed and needed <= held


def test_the_job_fits_the_image(job):
    pod = job["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    commands = (ROOT / "Dockerfile").read_text()
    assert f"--target=cuda --tag={container['image']} ." in commands
    assert "command" not in container  # the image's entry point stays
    module, config, workdir = container["args"]
    assert (ROOT / f"{module.replace('.', '/')}.py").is_file()
    assert load_config(config.removeprefix("--config=")).model.name == "rdn"
    mounts = {mount["mountPath"] for mount in container["volumeMounts"]}
    assert workdir.startswith("--workdir=/runs/") and "/runs" in mounts
    assert pod["securityContext"]["runAsUser"] == pod["securityContext"]["fsGroup"] == int(last("cuda", "USER"))
    assert {mount["name"] for mount in container["volumeMounts"]} == {volume["name"] for volume in pod["volumes"]}


def test_the_job_restarts_as_its_comments_say(job):
    service, _ = yaml.safe_load_all((ROOT / "launch" / "kubernetes.yaml").read_text())
    spec, pod = job["spec"], job["spec"]["template"]["spec"]
    assert pod["restartPolicy"] == "Never" and spec["podFailurePolicy"]["rules"][0]["onExitCodes"]["values"] == [2]
    (container,) = pod["containers"]
    environment = {each["name"]: each.get("value") for each in container["env"]}
    assert int(environment["JAXSR_PROCESSES"]) == spec["completions"] == spec["parallelism"]
    assert environment["JAXSR_COORDINATOR"].startswith(f"{job['metadata']['name']}-0.{service['metadata']['name']}:")
    assert pod["subdomain"] == service["metadata"]["name"]


def test_both_schedulers_give_the_same(job):
    pod = job["spec"]["template"]["spec"]
    resources = pod["containers"][0]["resources"]
    assert sbatch("signal") == f"B:USR1@{pod['terminationGracePeriodSeconds']}"
    assert int(sbatch("cpus-per-task")) == resources["requests"]["cpu"]
    assert sbatch("mem") == resources["requests"]["memory"].removesuffix("i")
    assert int(sbatch("gpus-per-node")) == resources["limits"]["nvidia.com/gpu"]


def test_the_workflow_runs_what_must_pass():
    jobs = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text())["jobs"]
    assert jobs["checks"]["strategy"]["matrix"]["python"] == ["3.11", "3.12", "3.13"]
    assert {"run": "bash .ci/run"} in jobs["checks"]["steps"] and (ROOT / ".ci" / "run").is_file()
    assert tuple(jobs["image"]["strategy"]["matrix"]["target"]) == TARGETS
