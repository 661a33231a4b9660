"""Fewer devices than the tests have, and what is compiled for them."""

import contextlib
from collections.abc import Callable, Iterator

import jax
import pytest
from jax import monitoring


@contextlib.contextmanager
def only(count: int) -> Iterator[None]:
    """Let JAX tell of `count` local devices inside the block."""
    every = jax.local_devices()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(jax, "local_devices", lambda: every[:count])
        patch.setattr(jax, "local_device_count", lambda: count)
        yield


@contextlib.contextmanager
def compilations(tell: Callable[[str], object]) -> Iterator[None]:
    """Call `tell` with the name of each program that is compiled inside the block."""

    def listen(name, seconds, **facts):
        if name.endswith("backend_compile_duration"):
            tell(facts["fun_name"])

    monitoring.register_event_duration_secs_listener(listen)
    try:
        yield
    finally:
        monitoring.unregister_event_duration_listener(listen)
