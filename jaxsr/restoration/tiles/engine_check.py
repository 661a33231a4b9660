"""An engine's first result for each network and size is compared with XLA's; one that differs is not used.

OpenVINO and ONNX Runtime choose kernels by the processor and the size of a photo, and a wrong one looks like a
restored photo. What has passed is noted in the cache folder, so that it is checked once on a machine.
"""

import contextlib
import functools
import hashlib
import importlib.metadata
import logging
import platform
from collections.abc import Hashable
from pathlib import Path

import jax
import numpy as np

from jaxsr.restoration.tiles.program import ProgramSpec, whole_tile
from jaxsr.support.files import cache_folder
from jaxsr.support.types import Tree, Variables

LIMITS = {"float32": 0.01, "bf16": 0.05}  # norm of the difference over that of the result, rounded to levels or not
_PASSED: dict[Hashable, bool] = {}

by_xla = jax.jit(whole_tile, static_argnums=0)


def has_passed(key: Hashable) -> bool | None:
    """Return whether the check that `check` noted under `key` was passed, here or on a past day; None before it."""
    if key not in _PASSED and _note(key).exists():
        _PASSED[key] = True
    return _PASSED.get(key)


def check(
    key: tuple[Hashable, ...],
    precision: str,
    spec: ProgramSpec,
    variables: Variables,
    tiles: np.ndarray,
    extra_inputs: Tree,
    result: np.ndarray,
) -> bool:
    """Return whether `result` (N, H, W, C), an engine's for `tiles` (N, h, w, C), is XLA's but for rounding.

    The first tile is compared. `key` starts with the engine's and the network's names, which a warning tells. The
    outcome is noted; results that are not finite decide nothing, since the weights may be broken.
    """
    first = jax.tree.map(lambda x: x[:1], (tiles, extra_inputs))
    expected = np.asarray(by_xla(spec, variables, *first)[0], np.float64)  # squares of 1e20 exceed float32
    if not (np.isfinite(expected).all() and np.isfinite(result).all()):
        return True
    difference = np.linalg.norm(expected - result[:1].astype(np.float64)) / max(np.linalg.norm(expected), 1e-6)
    _PASSED[key] = bool(difference <= LIMITS[precision])
    if _PASSED[key]:
        with contextlib.suppress(OSError):
            _note(key).parent.mkdir(parents=True, exist_ok=True)
            _note(key).touch()
        return True
    height, width = tiles.shape[1:3]
    logging.warning(
        "%s computes %s on %dx%d pixels wrongly, %.0f %% off: XLA does it", *key[:2], width, height, 100 * difference
    )
    return False


@functools.cache
def engine_version(engine: str) -> str:
    """Return the installed version of `engine`."""
    return importlib.metadata.version(engine)


def _note(key: Hashable) -> Path:
    text = f"{key} {platform.node()} {platform.processor()}"
    return cache_folder() / "engines" / hashlib.sha256(text.encode()).hexdigest()[:32]
