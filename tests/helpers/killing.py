"""A short run killed at random moments, resumed each time: `python -m tests.helpers.killing --times=50`.

Prints where the run was killed and where it resumed. Ends with an error if more was lost than the steps since the last
save, if the log has a gap, if a temporary file is left, or if the weights differ from those of an undisturbed run.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter

from jaxsr.weights import load

ROOT = Path(__file__).parents[2]
SAVE_EVERY = 3
FLAGS = {"batch_size": 2, "data.patch": 8, "log_every": 1, "checkpoint_every": SAVE_EVERY, "validate_every": 20}


def killed_run(folder: Path, *, times: int, steps: int, seed: int = 0) -> list[int]:
    """Return how many steps were lost by the kills of a run of `steps`, of which there are `times`.

    Two in three come at a random moment after a step, when most of the time goes into checkpoints, pictures and
    weights; the third while the process starts and resumes. Raises AssertionError where something is wrong.
    """
    photo = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    (folder / "photos").mkdir(parents=True)
    Image.fromarray(photo).filter(ImageFilter.BoxBlur(2)).save(folder / "photos" / "photo.png")
    whole, killed = folder / "whole", folder / "killed"
    startup, rest = finish(whole, folder / "photos", steps)
    moments, lost, reached = random.Random(seed), [], 0
    for number in range(times):
        with start(killed, folder / "photos", steps) as process:
            if number % 3 == 2:
                time.sleep(moments.uniform(0.4, 1) * startup)
            else:
                resumed = first_step(process)
                lost += [check_loss(reached, resumed)] if number else []
                time.sleep(moments.uniform(0, rest / times))
            process.kill()
        if process.returncode == 0:
            break  # faster than the killer
        reached = last_logged(killed)
    finish(killed, folder / "photos", steps)
    compare(whole, killed, steps)
    return lost


def start(workdir: Path, photos: Path, steps: int) -> subprocess.Popen:
    """Return the started run, on one core."""
    fields = {**FLAGS, "steps": steps, "data.train": photos, "data.validation": photos}
    flags = [f"--config.{name}={value}" for name, value in fields.items()]
    command = [sys.executable, "-m", "jaxsr.train", "--config=espcn:x2", f"--workdir={workdir}", *flags]
    environment = os.environ | {"JAX_PLATFORMS": "cpu", "JAX_NUM_CPU_DEVICES": "1"}
    return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)


def finish(workdir: Path, photos: Path, steps: int) -> tuple[float, float]:
    """Run to the end; return the seconds up to the first step and from there."""
    began = time.monotonic()
    with start(workdir, photos, steps) as process:
        first_step(process)
        startup = time.monotonic() - began
        process.communicate()
    assert process.returncode == 0, f"a run of {workdir} that is not killed fails"
    return startup, time.monotonic() - began - startup


def first_step(process: subprocess.Popen) -> int:
    """Return, once the run prints a step, from which step it resumed."""
    assert process.stdout is not None
    resumed = 0
    for line in process.stdout:
        if line.startswith("resuming from step "):
            resumed = int(line.split(" ")[3])
        if line.startswith("step "):
            break
    return resumed


def check_loss(reached: int, resumed: int) -> int:
    """Return the steps lost; a save that was under way when the kill came is none, so the one before it counts."""
    assert reached - resumed <= 2 * SAVE_EVERY, f"at step {reached}, but resumed from {resumed}"
    print(f"killed at step {reached}, resumes from {resumed}", flush=True)
    return max(reached - resumed, 0)


def last_logged(workdir: Path) -> int:
    """Return the last step of the log's whole lines."""
    path = workdir / "metrics.jsonl"
    lines = path.read_text().splitlines() if path.exists() else []
    return max((json.loads(line)["step"] for line in lines if line.endswith("}")), default=0)


def compare(whole: Path, killed: Path, steps: int) -> None:
    """Raise AssertionError unless both runs ended with the same weights and a whole log, and left no rubbish."""
    one, other = load(whole).params, load(killed).params
    assert all(np.array_equal(one[layer][name], other[layer][name]) for layer in one for name in one[layer])
    lines = [json.loads(line) for line in (killed / "metrics.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines if line["kind"] == "train"] == list(range(1, steps + 1))
    places = ("*", "samples/*", "checkpoints/*")
    names = [{path.relative_to(run) for place in places for path in run.glob(place)} for run in (whole, killed)]
    left = {str(path) for path in names[1] - names[0] if "tfevents" not in path.name}
    assert not left, f"left behind: {left}"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=50)
    parser.add_argument("--steps", type=int, default=600)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        lost = killed_run(Path(folder), times=options.times, steps=options.steps, seed=options.seed)
    print(f"{options.times} kills, at most {max(lost)} steps lost; the same weights in the end")
