"""A Dockerfile's steps, and their run without Docker: `python -m tests.helpers.dockerfile --target=cpu --base=FOLDER`.

`--base` is a root as the Dockerfile's first image has it: debootstrap --variant=minbase trixie FOLDER. Each stage gets
a copy of its base's root, in which its steps run by chroot, as root on Linux; then the image's command is run as its
user, with the arguments after `--`. This shows that the steps work in a clean root. It does not show what Docker itself
brings: its parser, layers and caches, the published base image, the host's GPUs.
"""

import argparse
import fnmatch
import json
import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path, PurePosixPath
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
OWN_OPTION = re.compile(r"--(\w+)=(\S+)\s+")
START = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}


class Step(NamedTuple):
    """An `instruction` such as COPY, its own options such as {"from": "wheel"}, and its `words` as they are written."""

    instruction: str
    options: dict[str, str]
    words: str


class Stage(NamedTuple):
    """A stage named `name` upon another one, or an image, `base`."""

    name: str
    base: str
    steps: list[Step]


def read_stages(path: Path = ROOT / "Dockerfile") -> dict[str, Stage]:
    """Return the stages of a Dockerfile, each of which must have a name, in their order."""
    lines = [line for line in path.read_text().splitlines() if not line.lstrip().startswith("#")]
    stages: dict[str, Stage] = {}
    for line in "\n".join(lines).replace("\\\n", " ").splitlines():
        instruction, _, words = line.strip().partition(" ")
        if instruction == "FROM":
            base, _, name = words.split()
            stages[name] = Stage(name, base, [])
        elif instruction:
            options = {}
            while match := OWN_OPTION.match(words):
                options[match[1]], words = match[2], words[match.end() :]
            list(stages.values())[-1].steps.append(Step(instruction, options, words.strip()))
    return stages


def inherited(stages: dict[str, Stage], target: str) -> list[Step]:
    """Return the steps that make the image `target`: those of the stages below it, then its own."""
    if target not in stages:
        return []
    return inherited(stages, stages[target].base) + stages[target].steps


def context(folder: Path = ROOT) -> list[PurePosixPath]:
    """Return the files that .dockerignore lets into the build, relative to `folder`; the last matching line decides."""
    rules = [line for line in (folder / ".dockerignore").read_text().splitlines() if line and line[0] != "#"]

    def kept(path: PurePosixPath) -> bool:
        keep = True
        for rule in rules:
            pattern = rule.lstrip("!")
            places = [str(part) for part in (path, *path.parents)]
            if any(fnmatch.fnmatch(place, pattern) or fnmatch.fnmatch(f"/{place}", pattern) for place in places):
                keep = rule.startswith("!")
        return keep

    tops = [path for path in folder.iterdir() if kept(PurePosixPath(path.name))]
    files = [path for top in tops for path in (top.rglob("*") if top.is_dir() else [top]) if path.is_file()]
    return sorted(path for file in files if kept(path := PurePosixPath(file.relative_to(folder))))


def inside(root: Path, path: str | PurePosixPath) -> Path:
    """Return where the absolute `path` of a container lies in its `root`."""
    return root / PurePosixPath(path).relative_to("/")


class Build:
    """The roots of stages, made on demand in `folder`."""

    def __init__(self, stages: dict[str, Stage], base: Path, folder: Path, passed: dict[str, str]):
        """Build upon the root `base`; `passed` are variables of this machine that steps need to reach the network."""
        self._stages, self._base, self._folder, self._passed = stages, base, folder, passed
        self._done: dict[str, tuple[dict[str, str], str]] = {}

    def root(self, name: str) -> Path:
        """Return the root of a stage after its steps."""
        if name not in self._stages:
            return self._base
        root = self._folder / name
        if name not in self._done:
            stage = self._stages[name]
            print(f"== {name}", flush=True)
            below = self.root(stage.base)
            subprocess.run(["cp", "--archive", "--reflink=auto", below, root], check=True)
            self._done[name] = self._done.get(stage.base, (dict(START), "/"))
            for step in stage.steps:
                print(f"{step.instruction} {step.words}", flush=True)
                self._take(name, root, step)
        return root

    def _take(self, name: str, root: Path, step: Step) -> None:
        variables, where = self._done[name]
        if step.instruction == "ENV":
            for pair in shlex.split(step.words):
                key, _, value = pair.partition("=")
                variables = variables | {key: value.replace("$PATH", variables["PATH"])}
        elif step.instruction == "WORKDIR":
            where = step.words
            inside(root, where).mkdir(parents=True, exist_ok=True)
        elif step.instruction == "COPY":
            self._copy(root, where, step)
        elif step.instruction == "RUN":
            self._mount_and_run(root, step, variables, where)
        self._done[name] = (variables, where)

    def _copy(self, root: Path, where: str, step: Step) -> None:
        *sources, last = step.words.split()
        target = inside(root, PurePosixPath(where, last))
        if "from" in step.options:
            (source,) = sources
            subprocess.run(["cp", "--archive", inside(self.root(step.options["from"]), source), target], check=True)
            return
        for path in context():
            for source in sources:
                if path.is_relative_to(source):
                    copy = target / (path.relative_to(source) if str(path) != source else path.name)
                    copy.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copy2(ROOT / path, copy)  # with its time, which Docker keeps too

    def _mount_and_run(self, root: Path, step: Step, variables: dict[str, str], where: str) -> None:
        bound = dict(pair.split("=") for pair in step.options.get("mount", "").split(",") if pair)
        if bound:
            shutil.copytree(inside(self.root(bound["from"]), bound["source"]), inside(root, bound["target"]))
        self.enter(root, variables | self._passed, where, ["/bin/sh", "-c", step.words])
        if bound:
            shutil.rmtree(inside(root, bound["target"]))

    def enter(self, root: Path, variables: dict[str, str], where: str, command: list[str], user: str = "0") -> None:
        """Run `command` in `root` with /dev, /proc and this machine's name servers, as `user`; raise if it fails."""
        shutil.copy("/etc/resolv.conf", root / "etc/resolv.conf")
        words = shlex.join(["env", "--ignore-environment", *(f"{k}={v}" for k, v in variables.items()), *command])
        script = (
            f"mount --rbind /dev {root}/dev && mount --types=proc proc {root}/proc && exec chroot "
            f"--userspec={user}:{user} {root} /bin/sh -c {shlex.quote(f'cd {where} && exec {words}')}"
        )
        subprocess.run(["unshare", "--mount", "--pid", "--fork", "/bin/sh", "-c", script], check=True)

    def run(self, target: str, arguments: list[str], user: str | None = None) -> None:
        """Run the image `target` as `docker run` does, as its user or as another one."""
        root, steps = self.root(target), inherited(self._stages, target)
        last = {step.instruction: step.words for step in steps}
        command = json.loads(last["ENTRYPOINT"]) + (arguments or json.loads(last["CMD"]))
        variables, where = self._done[target]
        self.enter(root, variables, where, command, user=user or last["USER"])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--target", default="cpu")
    parser.add_argument("--base", type=Path, required=True)
    parser.add_argument("--folder", type=Path, required=True, help="where the roots are made; must not exist")
    parser.add_argument("--as_user", help="instead of the image's")
    parser.add_argument("--pass", nargs="*", default=[], dest="passed", help="variables that steps get from here")
    parser.add_argument("arguments", nargs="*")
    options = parser.parse_args()
    options.folder.mkdir()
    passed = {name: os.environ[name] for name in options.passed}
    build = Build(read_stages(), options.base.absolute(), options.folder.absolute(), passed)
    build.run(options.target, options.arguments, options.as_user)
