"""Measure what bf16 changes: `python -m benchmarks.precision [--names=N] [--write]`.

For each of the weights that ship, on photos that none was trained on, it prints by how many grey levels the results in
bf16 differ from those in float32, on average and at most, and the seconds of each. Both are computed by XLA, which
rounds to bf16 on any processor; OpenVINO computes in float32 on those that have no bf16. With --write it writes the
table by which `--precision=auto` chooses; where all weights were measured, it also notes whether bf16 is faster on
this machine's platform. Photos are those of --photos, or without it those of the package.
"""

import json
import time
from collections.abc import Sequence
from pathlib import Path

import jax
import numpy as np
from absl import flags

from benchmarks.arguments import check_names, check_no_more
from jaxsr.data.images import read_pixels
from jaxsr.data.listing import list_photos
from jaxsr.data.samples import sample_photos
from jaxsr.models import Model
from jaxsr.restoration.options import RestoreOptions
from jaxsr.restoration.precision_choice import TABLE, Difference, weights_digest
from jaxsr.restoration.tiles.placement import TileCache
from jaxsr.restoration.tiles.tiled_photos import restore_tiled
from jaxsr.support import command_line
from jaxsr.support.files import written_whole
from jaxsr.support.paths import user_path
from jaxsr.weights import load, shipped_names

SIDE = 128  # pixels of the parts of photos that are restored
REPEATS = 3

_NAMES = flags.DEFINE_list("names", None, "Which of the weights that ship; by default all.")
_PHOTOS = flags.DEFINE_string("photos", None, "A folder of photos to measure on.")
_WRITE = flags.DEFINE_bool("write", False, "Write the table that --precision=auto reads.")


def main(arguments: Sequence[str]) -> None:
    """Measure all shipped weights, print the rows, and write each where --write asks for it."""
    check_no_more(arguments)
    check_names("weights", _NAMES.value or (), shipped_names())
    photos = _photos(_PHOTOS.value)
    rows, seconds = {}, np.zeros(2)
    print(f"grey levels of difference, and seconds, on {jax.devices()[0]}")
    print(f"{'weights':12} {'mean':>6} {'most':>6} {'float32':>8} {'bf16':>8}")
    for name in _NAMES.value or shipped_names():
        model = load(name)
        if model.needs:  # a reference, and VGG19's weights
            continue
        difference, taken = measure(model, photos)
        print(f"{name:12} {difference.mean:6.3f} {difference.largest:6.2f} {taken[0]:8.4f} {taken[1]:8.4f}", flush=True)
        rows[name] = {
            "digest": weights_digest(model),
            "mean": round(difference.mean, 3),
            "largest": round(difference.largest, 2),
        }
        seconds += taken
        if _WRITE.value:
            _write(rows, faster=None, photos=len(photos))
    if _WRITE.value:
        _write(rows, faster=None if _NAMES.value else bool(seconds[1] < seconds[0]), photos=len(photos))
        print(f"table in {TABLE}")


def measure(model: Model, photos: Sequence[np.ndarray]) -> tuple[Difference, tuple[float, float]]:
    """Return the Difference of `model` over `photos` (H, W, 1 or 3) uint8, and the seconds of float32 and of bf16."""
    results, seconds = [], []
    for precision in ("float32", "bf16"):
        options, cache = RestoreOptions(quantize=False, precision=precision, engine="xla"), TileCache()
        results.append([restore_tiled(model, pixels, options, cache=cache)[0] for pixels in photos])
        taken = []
        for _ in range(REPEATS):
            began = time.perf_counter()
            restore_tiled(model, photos[0], options, cache=cache)
            taken.append(time.perf_counter() - began)
        seconds.append(min(taken))
    differences = [255 * np.abs(np.clip(a, 0, 1) - np.clip(b, 0, 1)) for a, b in zip(*results, strict=True)]
    mean = float(np.mean(np.concatenate([x.ravel() for x in differences])))
    return Difference(mean, max(float(x.max()) for x in differences)), (seconds[0], seconds[1])


def _photos(folder: str | None) -> list[np.ndarray]:
    """Return the middles of the photos in `folder`, or of those of the package."""
    samples = list(sample_photos("validation").values())
    whole = [read_pixels(path) for path in list_photos([user_path(folder)])] if folder else samples
    corners = [((x.shape[0] - SIDE) // 2, (x.shape[1] - SIDE) // 2) for x in whole]
    return [x[max(y, 0) :, max(z, 0) :][:SIDE, :SIDE] for x, (y, z) in zip(whole, corners, strict=True)]


def _write(rows: dict[str, dict[str, float]], *, faster: bool | None, photos: int) -> None:
    """Write the table; platforms that this machine is not, and shipped weights not in `rows`, stay as they were.

    `faster` tells whether bf16 is faster on this machine's platform; None leaves that as it was too.
    """
    before = json.loads(TABLE.read_text()) if TABLE.exists() else {"faster_on": [], "weights": {}}
    rows = dict(sorted(({n: row for n, row in before["weights"].items() if n in shipped_names()} | rows).items()))
    here = jax.default_backend()
    platforms = {*before["faster_on"]}
    if faster is not None:
        platforms = platforms | {here} if faster else platforms - {here}
    table = {"photos": photos, "measured_on": here, "faster_on": sorted(platforms), "weights": rows}
    with written_whole(Path(TABLE)) as temporary:
        temporary.write_text(json.dumps(table, indent=1) + "\n")


if __name__ == "__main__":
    command_line.run(main)
