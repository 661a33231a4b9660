"""One row's share of `benchmarks.compile_times`: `python -m benchmarks.compile_child NETWORK photo|training STEPS`."""

import json
import sys
import tempfile
import time
from collections.abc import Callable

import jax
import numpy as np

from benchmarks.cases import SIZES
from jaxsr.restoration.photo import restore_pixels
from jaxsr.restoration.tiles.placement import TileCache
from jaxsr.support.compile_cache import use_compile_cache
from jaxsr.training.catalog.config_files import load_config, variants_of
from jaxsr.training.loop import train
from jaxsr.weights import create

SIDE = 256  # of the photo, in pixels


def photo_of(name: str) -> Callable[[], object]:
    """Return a call that restores a photo by the network `name` with random weights."""
    model = create(name, scale=SIZES[name].scale, key=jax.random.key(0))
    pixels, cache = np.random.default_rng(0).integers(0, 256, (SIDE, SIDE, 3), np.uint8), TileCache()
    return lambda: restore_pixels(model, pixels, cache=cache)


def training_of(name: str, steps: int) -> Callable[[], object]:
    """Return a call that trains the network `name` by the first variant of its config."""
    config = load_config(f"{name}:{variants_of(name)[0]}")
    config.update(steps=steps, log_every=1, validate_every=steps, checkpoint_every=steps, initial_weights="")
    config.pretraining.steps, config.optimizer.learning_rate = 0, 1e-6  # nothing is to diverge
    config.perceptual.weights = "random"
    if config.task == "deblur":
        config.data.update(pairs="", train="samples", validation="samples")
    return lambda: train(config, tempfile.mkdtemp())


def main(name: str, what: str, steps: str) -> None:
    """Print {"first": seconds, "second": seconds} of a call, and of the next one where that is a photo."""
    use_compile_cache()
    call, seconds = photo_of(name) if what == "photo" else training_of(name, int(steps)), []
    for _ in range(2 if what == "photo" else 1):
        began = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - began)
    print(json.dumps(dict(zip(("first", "second"), seconds, strict=False))))


if __name__ == "__main__":
    main(*sys.argv[1:])
