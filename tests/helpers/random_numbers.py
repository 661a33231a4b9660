"""Random numbers that don't depend on the order of the tests."""

from types import ModuleType

import numpy as np

_STARTS: dict[tuple[str, str], dict] = {}


def restart_generators(module: ModuleType) -> None:
    """Set the module's NumPy generators back to where they stood at the first call, before any test drew from them."""
    for name, value in vars(module).items():
        if isinstance(value, np.random.Generator):
            value.bit_generator.state = _STARTS.setdefault((module.__name__, name), value.bit_generator.state)
