"""A tiny run through a real config file, on photos made here."""

import numpy as np
import pytest
from PIL import Image, ImageFilter

from jaxsr.degradations import kernels
from tests.models.test_configs import load_config

# Options under which a deep network is shallow and narrow.
REDUCED = {
    "danv1": {"blocks": 2, "features": 8, "estimator_features": 4, "estimator_blocks": 1},
    "danv2": {"groups": 2, "blocks": 1, "features": 8, "estimator_features": 4, "estimator_blocks": 1},
    "deblurgan": {"blocks": 1, "features": 4},
    "drcn": {"features": 8, "recursions": 3},
    "rdn": {"blocks": 2, "layers": 2, "growth": 4, "features": 8},
    "lapsrn": {"depth": 2, "features": 8},
    "mslapsrn": {"depth": 2, "recursions": 2, "features": 8},
    "srdensenet": {"growth": 4, "blocks": 2, "layers": 2, "low_features": 4, "bottleneck_features": 8},
    "srntt": {"blocks": 2, "features": 4},
    "srresnet": {"blocks": 2, "features": 8},
    "srgan": {"blocks": 2, "features": 8},
    "vdsr": {"depth": 4, "features": 8},
}
CRITICS = {
    "deblurgan": {"features": 4, "depth": 1},
    "srgan": {"features": 2, "stages": 2, "hidden": 4},
    "srntt": {"features": 2, "stages": 2, "hidden": 4},
}


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
        config.adversarial.options.update(CRITICS.get(name, {}))
        if "transfer" in variant:
            config.initial_weights = ""
        config.update_from_flattened_dict(fields)
        return config

    return shrink
