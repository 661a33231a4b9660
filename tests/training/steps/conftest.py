"""Configs with an adversary."""

import functools

import pytest

from tests.helpers.steps import with_patch_critic


@pytest.fixture
def against(tiny):
    """Return a function that gives ESPCN on RGB against a small patch critic, as a config."""
    return functools.partial(with_patch_critic, tiny)
