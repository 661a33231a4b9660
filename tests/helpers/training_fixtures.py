"""Fixtures of tiny runs through real config files, on photos made here; a conftest imports them for its folder."""

import numpy as np
import pytest
from PIL import Image, ImageFilter

from jaxsr.data.builder import write_data_set
from jaxsr.degradations import kernels
from tests.helpers.configs import load_config
from tests.helpers.training import NARROW_ADVERSARIES, REDUCED


@pytest.fixture(scope="session")
def photos(tmp_path_factory):
    """Return a folder of three smooth, colourful photos."""
    folder = tmp_path_factory.mktemp("photos")
    rng = np.random.default_rng(0)
    for i, side in enumerate((128, 140, 151)):
        coarse = Image.fromarray(rng.integers(0, 256, (9, 9, 3), dtype=np.uint8))
        coarse.resize((side, side + 10), Image.Resampling.BICUBIC).save(folder / f"photo{i}.png")
    return folder


@pytest.fixture(scope="session")
def pairs(photos, tmp_path_factory):
    """Return a folder of those photos (sharp), and of blurred ones (blur)."""
    folder = tmp_path_factory.mktemp("pairs")
    for kind, radius in (("sharp", 0), ("blur", 2)):
        (folder / kind).mkdir()
        for path in photos.iterdir():
            Image.open(path).filter(ImageFilter.BoxBlur(radius)).save(folder / kind / path.name)
    return folder


@pytest.fixture(scope="session")
def references(photos, tmp_path_factory):
    """Return a folder of those photos (hr), smaller, with references that are moved (ref1) and turned over (ref2)."""
    folder = tmp_path_factory.mktemp("references")
    for kind, change in (("hr", lambda x: x[:64, :70]), ("ref1", lambda x: x[9:80, 3:70]), ("ref2", lambda x: x[::-1])):
        (folder / kind).mkdir()
        for path in photos.iterdir():
            with Image.open(path) as image:
                Image.fromarray(change(np.asarray(image))).save(folder / kind / path.name)
    return folder


@pytest.fixture(scope="session")
def data_set(photos, tmp_path_factory):
    """Return a prepared data set of those photos."""
    folder = tmp_path_factory.mktemp("data") / "set"
    examples = [(path.stem, np.asarray(Image.open(path))) for path in sorted(photos.iterdir())]
    write_data_set(folder, {"train": iter(examples)})
    return folder


@pytest.fixture
def tiny(photos, pairs, references, monkeypatch):
    """Return a function that gives the config of `name:variant`, shrunk to run in seconds."""
    monkeypatch.setattr(kernels, "PCA_KERNELS", 1_000)

    def shrink(name: str = "espcn", variant: str = "x2", **fields):
        config = load_config(name, variant)
        config.update(steps=4, batch_size=4, log_every=2, validate_every=4, checkpoint_every=2)
        config.data.update(train=str(photos), validation=str(photos), patch=min(config.data.patch, 12))
        if config.data.scales:
            config.data.patch = 16
        if config.model.scale == 8:
            config.data.patch = 6
        config.model.options.update(REDUCED.get(name, {}))
        if name == "deblurgan":
            config.data.update(kernel_size=9, shakes=4, patch=16)
            config.data.pairs = "" if variant == "synth" else str(pairs)
        if config.data.references:
            config.data.update(references=str(references), validation=str(references), patch=8)
            config.initial_weights = ""
        config.pretraining.steps = min(config.pretraining.steps, 1)
        config.pretraining.learning_rate = 2e-4  # two steps of one length can cancel
        config.perceptual.weights = "random"
        config.adversarial.updates = min(config.adversarial.updates, 2)
        config.adversarial.options.update(NARROW_ADVERSARIES.get(name, {}))
        if "transfer" in variant:
            config.initial_weights = ""
        config.update_from_flattened_dict(fields)
        return config

    return shrink
