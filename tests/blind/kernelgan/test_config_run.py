"""KernelGAN from its config: every photo once, losses in the record, and what is refused."""

import json

import numpy as np
import pytest

from jaxsr.blind.kernelgan.config_run import train_kernels
from jaxsr.data.images import Photo, write_photo
from jaxsr.data.kernel_files import read_kernel
from jaxsr.support.errors import UserError
from tests.models.test_configs import load_config
from tests.restoration.tiles.test_tiled_run import photo


@pytest.fixture
def config(tmp_path):
    """Return a config of four steps on two photos, one broken."""
    write_photo(tmp_path / "photos" / "a.png", Photo(photo(90, 92)))
    (tmp_path / "photos" / "broken.png").write_bytes(b"no image")
    config = load_config("kernelgan", "x2")
    config.update(steps=4, log_every=2, seeds=2)
    config.data.train = str(tmp_path / "photos")
    return config


def test_every_photo_once(config, tmp_path, capsys):
    assert train_kernels(config, tmp_path / "run") == 1
    assert "broken.png" in capsys.readouterr().err
    assert {path.name for path in (tmp_path / "run" / "kernels").iterdir()} == {"a.npz", "a.mat", "a.png"}
    kernel = read_kernel(tmp_path / "run" / "kernels" / "a.npz")
    lines = [json.loads(line) for line in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()]
    assert [(line["photo"], line["seed"], line["step"]) for line in lines] == [
        ("a.png", seed, step) for seed in (0, 1) for step in (2, 4)
    ]
    assert all(np.isfinite(line["generator_loss"]) for line in lines)
    write_photo(tmp_path / "photos" / "b.png", Photo(photo(92, 90)))
    train_kernels(config, tmp_path / "run")  # the new one alone
    lines = [json.loads(line) for line in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()]
    assert [line["photo"] for line in lines[4:]] == ["b.png"] * 4
    np.testing.assert_array_equal(read_kernel(tmp_path / "run" / "kernels" / "a.npz"), kernel)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"seeds": 0}, "seeds=0 must be at least 1"),
        ({"data.train": ""}, "data.train is empty"),
        ({"fidelity": "papre"}, "unknown fidelity 'papre'; did you mean 'paper'"),
        ({"model.scale": 3}, "scale=3"),
    ],
)
def test_mistakes_write_nothing(fields, message, config, tmp_path):
    config.update_from_flattened_dict(fields)
    with pytest.raises(UserError, match=message):
        train_kernels(config, tmp_path / "run")
    assert not (tmp_path / "run").exists()
