"""A short run killed at random moments, resumed each time: `python -m tests.helpers.killing --times=50`.

Prints where the run was killed and where it resumed, and in the end how many kills each tenth of the run had. Ends with
an error if more was lost than the steps since the last save, if the log has a gap, if a temporary file is left, if the
weights differ from those of an undisturbed run, or if many kills left out a tenth of the run.
"""

import argparse
import itertools
import json
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import jax
import numpy as np
from PIL import Image, ImageFilter

from jaxsr.weights import load

ROOT = Path(__file__).parents[2]
SAVE_EVERY = 3
BINS, MANY_KILLS = 10, 20  # parts of the run; with so many kills each must have one
FLAGS = {"batch_size": 2, "data.patch": 8, "log_every": 1, "checkpoint_every": SAVE_EVERY, "validate_every": 20}


def killed_run(folder: Path, *, times: int, steps: int, seed: int = 0) -> list[int]:
    """Return how many steps were lost by the kills of a run of `steps`, of which there are `times`.

    Two in three come soon after a step, in every part of the run alike: within a step or a save. The third comes while
    the process starts and resumes. Raises AssertionError where something is wrong.
    """
    photo = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    (folder / "photos").mkdir(parents=True)
    Image.fromarray(photo).filter(ImageFilter.BoxBlur(2)).save(folder / "photos" / "photo.png")
    whole, killed = folder / "whole", folder / "killed"
    save_cycle = SAVE_EVERY * finish(whole, folder / "photos", steps) / steps
    moments, startup, lost, places, reached = random.Random(seed), 0.0, [], [], 0
    targets = iter(kill_steps(times - times // 3, steps, moments))
    for number in range(times):
        with start(killed, folder / "photos", steps) as process:
            if number % 3 == 2:
                timer = threading.Timer(moments.uniform(0.4, 1) * startup, process.kill)
                timer.start()
                wait_for(process, 1)  # at the latest, where it starts faster than before
                timer.cancel()
            else:
                startup, resumed = wait_for(process, next(targets))
                lost += [check_loss(reached, resumed)] if number else []
                time.sleep(moments.uniform(0, save_cycle))
            process.kill()
        if process.returncode == 0:
            break  # faster than the killer, after its last step
        reached = last_logged(killed)
        places += [reached] if number % 3 != 2 else []
    finish(killed, folder / "photos", steps)
    compare(whole, killed, steps)
    check_spread(places, steps, times)
    return lost


def kill_steps(kills: int, steps: int, moments: random.Random) -> list[int]:
    """Return after which steps the run is killed, in order: random ones, but equally many in each bin of the run.

    A kill comes up to a save later, so the last steps of a bin are left out.
    """
    width = steps / BINS
    room = max(width - 2 * SAVE_EVERY, 0)
    return sorted(1 + int(number * BINS // kills * width + moments.uniform(0, room)) for number in range(kills))


def start(workdir: Path, photos: Path, steps: int) -> subprocess.Popen:
    """Return the started run, on one core."""
    fields = {**FLAGS, "steps": steps, "data.train": photos, "data.validation": photos}
    flags = [f"--config.{name}={value}" for name, value in fields.items()]
    command = [sys.executable, "-m", "jaxsr.train", "--config=espcn:x2", f"--workdir={workdir}", *flags]
    environment = os.environ | {"JAX_PLATFORMS": "cpu", "JAX_NUM_CPU_DEVICES": "1"}
    return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)


def finish(workdir: Path, photos: Path, steps: int) -> float:
    """Run to the end; return the seconds from the first step on."""
    with start(workdir, photos, steps) as process:
        wait_for(process, 1)
        began = time.monotonic()
        process.communicate()
    assert process.returncode == 0, f"a run of {workdir} that is not killed fails"
    return time.monotonic() - began


def wait_for(process: subprocess.Popen, target: int) -> tuple[float, int]:
    """Wait until the run prints the step `target` or a later one, or ends.

    Return the seconds up to its first step, and from which step it resumed.
    """
    assert process.stdout is not None
    began, startup, resumed = time.monotonic(), 0.0, 0
    for line in process.stdout:
        if line.startswith("resuming from step "):
            resumed = int(line.split(" ")[3])
        if line.startswith("step "):
            startup = startup or time.monotonic() - began
            if int(line.split(" ")[1].split("/")[0]) >= target:
                break
    return startup, resumed


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
    for file in whole.glob("*.safetensors"):
        one, other = load(file).params, load(killed / file.name).params
        jax.tree.map(np.testing.assert_array_equal, dict(one), dict(other))
    lines = [json.loads(line) for line in (killed / "metrics.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines if line["kind"] == "train"] == list(range(1, steps + 1))
    places = ("*", "samples/*", "checkpoints/*")
    names = [{path.relative_to(run) for place in places for path in run.glob(place)} for run in (whole, killed)]
    left = {str(path) for path in names[1] - names[0] if "tfevents" not in path.name}
    assert not left, f"left behind: {left}"


def check_spread(places: list[int], steps: int, times: int) -> None:
    """Print how many kills each bin of the run had; raise AssertionError if one of many kills' bins had none."""
    counts, edges = np.histogram(places, bins=BINS, range=(0, steps))
    for count, (first, last) in zip(counts, itertools.pairwise(edges), strict=True):
        print(f"steps {first:5.0f} to {last:5.0f}: {count:3d} {'#' * int(count)}", flush=True)
    assert times < MANY_KILLS or counts.all(), f"no kill in a tenth of the run: {counts.tolist()}"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=50)
    parser.add_argument("--steps", type=int, default=600)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        lost = killed_run(Path(folder), times=options.times, steps=options.steps, seed=options.seed)
    print(f"{options.times} kills, at most {max(lost)} steps lost; the same weights in the end")
