"""Engines of an extra, which a machine may lack."""

import pytest

from jaxsr.engines.runtimes import is_installed


def needs(engine: str) -> None:
    """Skip the test where the packages of `engine` are missing."""
    if not is_installed(engine):
        pytest.skip(f"jaxsr[{engine}] is not installed")
