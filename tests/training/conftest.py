"""A tiny run through a real config file, on photos made here."""

import numpy as np
import pytest
from PIL import Image

from tests.models.test_configs import load_config


@pytest.fixture(scope="session")
def photos(tmp_path_factory):
    """Return a folder of three smooth, colourful photos."""
    folder = tmp_path_factory.mktemp("photos")
    rng = np.random.default_rng(0)
    for i, side in enumerate((128, 140, 151)):
        coarse = Image.fromarray(rng.integers(0, 256, (9, 9, 3), dtype=np.uint8))
        coarse.resize((side, side + 10), Image.Resampling.BICUBIC).save(folder / f"photo{i}.png")
    return folder


@pytest.fixture
def tiny(photos):
    """Return a function that gives the config of `name:variant`, shrunk to run in seconds."""

    def shrink(name: str = "espcn", variant: str = "x2", **fields):
        config = load_config(name, variant)
        config.update(steps=4, batch_size=4, log_every=2, validate_every=4, checkpoint_every=2)
        config.data.update(train=str(photos), validation=str(photos), patch=min(config.data.patch, 12))
        if "transfer" in variant:
            config.initial_weights = ""
        config.update_from_flattened_dict(fields)
        return config

    return shrink
