"""Training from Python: by a config or its file, and KernelGAN, which does what `estimate_kernel` does."""

import json

import numpy as np
import pytest
from ml_collections import ConfigDict
from PIL import Image

from jaxsr.api.training_runs import load_config, train
from jaxsr.blind.kernelgan import kernel_files_run
from jaxsr.data.images import Photo, write_photo
from jaxsr.data.kernel_files import read_kernel
from jaxsr.support.errors import UserError
from jaxsr.training.config import default_config
from jaxsr.weights import load
from tests.helpers.blind import block_levels, estimates_of_blobs
from tests.helpers.configs import CONFIGS


def tiny(config, folder):
    """Set few steps on small patches of a photo in `folder`."""
    coarse = Image.fromarray(np.random.default_rng(0).integers(0, 256, (9, 9, 3), dtype=np.uint8))
    (folder / "photos").mkdir()
    coarse.resize((96, 90)).save(folder / "photos" / "a.png")
    config.update(steps=2, batch_size=4, log_every=1)
    config.data.update(train=str(folder / "photos"), validation=str(folder / "photos"), patch=8)
    return config


@pytest.mark.slow
def test_a_default_config_with_a_model_trains_and_its_folder_loads(tmp_path):
    config = tiny(default_config(), tmp_path)
    config.model.name = "espcn"
    assert train(config, tmp_path / "run") == 2
    model = load(tmp_path / "run")
    assert model.name == "espcn-x2" and model.card["training"]["config"]["task"] == "sr"


@pytest.mark.slow
def test_a_config_is_given_by_its_file(tmp_path):
    file = tmp_path / "own.py"
    file.write_text(
        "from jaxsr.training.config import default_config\n\n\n"
        "def get_config(variant='bicubic'):\n"
        "    config = default_config()\n"
        "    config.model.name = 'espcn'\n"
        "    config.data.degradation = variant\n"
        f"    config.data.train = config.data.validation = {str(tmp_path / 'photos')!r}\n"
        "    config.update(steps=1, batch_size=4)\n"
        "    config.data.patch = 8\n"
        "    return config\n"
    )
    assert load_config(f"{file}:bd").data.degradation == "bd"
    tiny(default_config(), tmp_path)
    assert train(file, tmp_path / "run") == 1
    assert json.loads((tmp_path / "run" / "config.json").read_text())["data"]["degradation"] == "bicubic"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("own/nothing.py", "cannot load the config own/nothing.py: no such Python file; choose one of: danv1"),
        ("espcm:x3", "unknown config 'espcm'; did you mean 'espcn'"),
        (str(CONFIGS), "cannot load the config .*configs: no such Python file"),
        (f"{CONFIGS}/espcn.py:x5", "unknown variant 'x5'; .*choose one of: x2, x3, x4"),
        (ConfigDict({"steps": 3}), "config=a ConfigDict without model is not a config; give jaxsr.default_config"),
        (ConfigDict({"model": {"name": "espcn"}}), "config lacks the field 'accumulate'; start from"),
        (3, "config=3 is not a config; give jaxsr.default_config\\(\\), or a name such as 'espcn:x3'"),
    ],
)
def test_a_config_that_is_not_there(name, message, tmp_path):
    with pytest.raises(UserError, match=message):
        train(name, tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.fixture
def kernelgan(tmp_path, monkeypatch):
    """Return a config of KernelGAN, which finds blobs at once, on two photos, one broken."""
    monkeypatch.setattr(
        kernel_files_run, "estimate_kernels", lambda photos, options, **_: estimates_of_blobs(photos, options)
    )
    write_photo(tmp_path / "photos" / "a.png", Photo(block_levels(90, 92)))
    (tmp_path / "photos" / "broken.png").write_bytes(b"no image")
    config = load_config("kernelgan:x2")
    config.update(steps=2, log_every=1, seeds=1)
    config.data.train = str(tmp_path / "photos")
    return config


def test_kernelgan_from_its_config_does_every_photo_once(kernelgan, tmp_path, capsys):
    run = tmp_path / "run"
    assert train(kernelgan, run) == 1
    assert "broken.png" in capsys.readouterr().err
    assert {path.name for path in (run / "kernels").glob("[!.]*")} == {"a_x2.npz", "a_x2.mat", "a_x2.png"}
    assert json.loads((run / "config.json").read_text())["model"]["name"] == "kernelgan"
    kernel = read_kernel(run / "kernels" / "a_x2.npz")
    write_photo(tmp_path / "photos" / "b.png", Photo(block_levels(92, 90)))
    assert train(kernelgan, run) == 2
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    assert [(line["photo"], line["step"]) for line in lines] == [
        (name, i) for name in ("a.png", "b.png") for i in (1, 2)
    ]
    np.testing.assert_array_equal(read_kernel(run / "kernels" / "a_x2.npz"), kernel)


def test_kernelgans_folders_may_stand_apart(kernelgan, tmp_path):
    """As those of other configs: "a, b"."""
    write_photo(tmp_path / "more" / "b.png", Photo(block_levels(92, 90)))
    kernelgan.data.train += f" , {tmp_path / 'more'}"
    assert train(kernelgan, tmp_path / "run") == 2


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"seeds": 0}, "seeds=0 must be at least 1"),
        ({"data.train": ""}, "data.train is empty"),
        ({"data.train": " , "}, "data.train is empty"),
        ({"fidelity": "papre"}, "unknown fidelity 'papre'; did you mean 'paper'"),
        ({"model.scale": 3}, "scale=3"),
    ],
)
def test_a_mistake_in_kernelgans_config_writes_nothing(fields, message, kernelgan, tmp_path):
    kernelgan.update_from_flattened_dict(fields)
    with pytest.raises(UserError, match=message):
        train(kernelgan, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_the_home_folder_is_expanded_in_both_paths(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "own.py").write_text(
        "from jaxsr.training.config import default_config\n\n\n"
        "def get_config():\n"
        "    config = default_config()\n"
        "    config.model.name, config.steps, config.batch_size = 'espcn', 1, 4\n"
        "    config.data.train = config.data.validation = 'photos'\n"
        "    config.data.patch = 8\n"
        "    return config\n"
    )
    tiny(default_config(), tmp_path)
    assert train("~/own.py", "~/run") == 1
    assert (tmp_path / "run" / "config.json").is_file() and not (tmp_path / "~").exists()
