"""How speed and memory grow: with the size of a photo, the patches of a batch, the number of devices.

Of photos jaxsr takes as many tiles as they need, PyTorch all at once. A device is a GPU, or one core. PyTorch is eager.
pip install -e ".[bench]" && python -m benchmarks.growth
"""

import os
from collections.abc import Iterator, Sequence

import jax
import torch  # pyright: ignore[reportMissingImports]

from benchmarks import inference, training
from benchmarks.tables import Table, run
from benchmarks.timing import Prepare, contest, in_new_process, memory_and_seconds

CONTESTANTS = ("jaxsr", "eager")
PHOTO_NETWORKS = ("fsrcnn", "vdsr", "danv1")
BATCH_NETWORKS = ("fsrcnn", "srresnet")
SCALES = {"fsrcnn": 2, "vdsr": 2, "danv1": 2, "srresnet": 4}
PATCH = 24
LONGEST = 12.0  # seconds of a call, expected from the row before; longer ones are skipped


def photo_rows(networks: Sequence[str], sides: Sequence[int]) -> Iterator[list[str]]:
    """Yield a row for each network and side of a square photo, each cell from a process of its own."""
    for name in networks:
        before = dict.fromkeys(CONTESTANTS, 0.0)  # seconds for a pixel
        for side in sides:
            speeds, memory = [], []
            for contestant in CONTESTANTS:
                if before[contestant] * side**2 > LONGEST:
                    speeds.append("skipped")
                    memory.append("")
                    continue
                arguments = (contestant, name, SCALES[name], 1, side, side)
                added, seconds = in_new_process(memory_and_seconds, inference.prepare, arguments)
                before[contestant] = seconds / side**2
                speeds.append(f"{(SCALES[name] * side) ** 2 / 1e6 / seconds:.3g}")
                memory.append(f"{added:.0f}")
            yield [f"{name} x{SCALES[name]}", f"{side}x{side}", *speeds, *memory]


def batch_rows(networks: Sequence[str], batches: Sequence[int], rounds: int) -> Iterator[list[str]]:
    """Yield a row for each network and batch."""
    for name in networks:
        for batch in batches:
            arguments = (name, SCALES[name], PATCH, batch, "float32")
            seconds = in_new_process(times, training.prepare, CONTESTANTS, arguments, rounds)
            speeds = [f"{batch / seconds[contestant]:.0f}" for contestant in CONTESTANTS]
            yield [f"{name} x{SCALES[name]}", str(batch), *speeds, f"{seconds['eager'] / seconds['jaxsr']:.2f}"]


def device_rows(networks: Sequence[str], count: int, rounds: int) -> Iterator[list[str]]:
    """Yield a row for a training step and for photos at once, by each network, on 1, 2, 4 ... devices."""
    works = {
        "16 patches": (training.prepare, lambda name: (name, SCALES[name], PATCH, 16, "float32"), 16),
        "4 photos of 96x96": (inference.prepare, lambda name: (name, SCALES[name], 4, 96, 96), 4),
    }
    there = in_new_process(jax.local_device_count)
    for name in networks:
        for work, (prepare, arguments_of, images) in works.items():
            alone = {}
            for devices in (2**i for i in range(min(count, there).bit_length())):
                arguments = arguments_of(name)
                found = in_new_process(times, prepare, CONTESTANTS, arguments, rounds, devices=devices)
                speeds = {contestant: images / seconds for contestant, seconds in found.items()}
                alone = alone or speeds
                shares = [f"{100 * speeds[c] / alone[c] / devices:.0f}" for c in CONTESTANTS]
                yield [
                    f"{name} x{SCALES[name]}, {work}",
                    str(devices),
                    *(f"{speeds[c]:.1f}" for c in CONTESTANTS),
                    *shares,
                ]


def times(prepare: Prepare, contestants: Sequence[str], arguments: tuple, rounds: int) -> dict[str, float]:
    """Return the seconds of each contestant's call, in this process, PyTorch with a thread for each of its cores."""
    torch.set_num_threads(len(os.sched_getaffinity(0)))  # else one for each core of the machine
    return contest({contestant: prepare(contestant, *arguments) for contestant in contestants}, rounds=rounds)


def tables(
    *,
    sides: Sequence[int] = (64, 128, 256, 512, 1024),
    batches: Sequence[int] = (1, 4, 16, 64),
    devices: int = 8,
    networks: Sequence[str] = tuple(SCALES),
    rounds: int = 3,
) -> Iterator[Table]:
    """Yield the three tables, of those networks among `SCALES`, up to so many `devices`."""
    columns = ("network", "photo", "jaxsr MP/s", "eager MP/s", "jaxsr MiB", "eager MiB")
    chosen = [name for name in PHOTO_NETWORKS if name in networks]
    yield Table("Growth with the photo", columns, photo_rows(chosen, sides), [f"Skipped: over {LONGEST:.0f} s a call."])
    chosen = [name for name in BATCH_NETWORKS if name in networks]
    columns = ("network", "batch", "jaxsr patches/s", "eager patches/s", "jaxsr / eager")
    title = f"Growth with the batch: a training step on patches of {PATCH}x{PATCH}"
    yield Table(title, columns, batch_rows(chosen, batches, rounds), [])
    columns = ("work", "devices", "jaxsr images/s", "eager images/s", "jaxsr, % of ideal", "eager, % of ideal")
    yield Table("Growth with the devices", columns, device_rows(chosen, devices, rounds), [])


if __name__ == "__main__":
    run(tables)
