"""Times a collection of photos: `restore` in one process, and with --ray on one machine, each from files to files.

What Ray costs is the difference: both have the same device. Starting Python, Ray and an actor, and compiling, are told
apart from the photos by a second collection, of a few photos alone.
pip install -e ".[ray]" && python -m benchmarks.photo_collections --photos=1000
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

CONTESTANTS = {"one process": (), "with --ray": ("--ray=auto",)}
FEW = 4  # photos of the collection that shows what starting takes


def make_collection(folder: Path, count: int, side: int) -> Path:
    """Write `count` photos of `side` x `side` pixels to `folder`: smooth colours with grain; return `folder`."""
    rng = np.random.default_rng(0)
    folder.mkdir()
    for number in range(count):
        coarse = rng.integers(0, 256, (side // 16, side // 16, 3), np.uint8)
        smooth = Image.fromarray(coarse).resize((side, side), Image.Resampling.BICUBIC)
        grain = rng.normal(0, 3, (side, side, 3))
        photo = np.clip(np.asarray(smooth) + grain, 0, 255).astype(np.uint8)
        Image.fromarray(photo).save(folder / f"{number:05d}.png")
    return folder


def seconds(photos: Path, output: Path, model: str, flags: tuple[str, ...]) -> float:
    """Return the seconds of the whole command; raises CalledProcessError where a photo fails."""
    command = [sys.executable, "-m", "jaxsr.restore", str(photos), f"--output={output}", f"--model={model}", *flags]
    began = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=os.environ)
    return time.perf_counter() - began


def main() -> None:
    """Print a line for each contestant, and what Ray costs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=int, default=1000)
    parser.add_argument("--side", type=int, default=256)
    parser.add_argument("--model", default="fsrcnn-x2")
    options = parser.parse_args()
    rates, wholes = [], []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        few = make_collection(folder / "few", FEW, options.side)
        many = make_collection(folder / "many", options.photos, options.side)
        for number, (contestant, flags) in enumerate(CONTESTANTS.items()):
            start = seconds(few, folder / f"few{number}", options.model, flags)
            whole = seconds(many, folder / f"many{number}", options.model, flags)
            rates.append((whole - start) / (options.photos - FEW))
            wholes.append(whole)
            print(f"{contestant}: {whole:.1f} s, {start:.1f} s for {FEW} photos, {1000 * rates[-1]:.1f} ms a photo")
    print(f"overhead of Ray: {wholes[1] / wholes[0] - 1:+.0%} in all, {rates[1] / rates[0] - 1:+.0%} a photo")


if __name__ == "__main__":
    main()
