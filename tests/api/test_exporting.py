"""Models as files for other programs: they agree with the model, carry its card, and appear whole or not at all."""

import dataclasses
import json
import zipfile

import jax
import numpy as np
import pytest

import jaxsr
from jaxsr.api import exporting
from jaxsr.engines.runtimes import is_installed
from jaxsr.models import MODELS, Model
from jaxsr.support.errors import UserError
from jaxsr.weights.readers.bounds import EXPORT_SUFFIXES
from tests.helpers.networks import REDUCED, quiet_variables
from tests.helpers.photos import photo

NETWORKS = [name for name, spec in MODELS.items() if not (spec.needs or spec.per_photo)]
with_onnx = pytest.mark.skipif(not is_installed("onnxruntime"), reason="jaxsr[onnxruntime] is not installed")


@with_onnx
def test_an_onnx_file_restores_photos_of_any_size_and_carries_the_card(tmp_path):
    import onnx
    import onnxruntime

    model = jaxsr.load("espcn-x2")
    file = jaxsr.export(model, tmp_path / "espcn.onnx")
    session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    for shape in ((7, 9), (40, 23)):
        photos = np.float32(photo(*shape)[None] / 255)
        (result,) = session.run(["restored"], {"photos": photos})
        assert np.abs(result - model(photos)).max() < exporting.TOLERANCE
    card = {each.key: each.value for each in onnx.load(file).metadata_props}
    assert (card["model"], card["scale"], card["licence"]) == ("espcn", "2", model.card["licence"])


def test_a_stablehlo_file_restores_photos_and_carries_the_card(tmp_path):
    model = jaxsr.load("espcn-x2")
    with zipfile.ZipFile(jaxsr.export(model, tmp_path / "espcn.stablehlo", channels=1)) as archive:
        program = jax.export.deserialize(bytearray(archive.read(exporting.PROGRAM)))
        card = json.loads(archive.read(exporting.CARD))
    photos = np.float32(photo(19, 12)[None, ..., :1] / 255)
    assert np.abs(program.call(photos) - model(photos)).max() < exporting.TOLERANCE
    assert card["licence"] == model.card["licence"]
    assert (card["scale"], card["options"]["features"], card["scores"]) == (2, [64, 32], model.card["scores"])


def test_the_scale_can_be_asked_for(tmp_path):
    file = jaxsr.export("bicubic", tmp_path / "b.StableHLO", scale=3)
    with zipfile.ZipFile(file) as archive:
        program = jax.export.deserialize(bytearray(archive.read(exporting.PROGRAM)))
    assert program.call(np.zeros((1, 8, 6, 3), np.float32)).shape == (1, 24, 18, 3)
    with pytest.raises(UserError, match="was made for scale 2, not 3"):
        jaxsr.export(jaxsr.load("espcn-x2"), file, scale=3)


@with_onnx
@pytest.mark.slow
@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("suffix", EXPORT_SUFFIXES)
def test_every_network_of_one_input(name, suffix, tmp_path):
    """`export` itself compares with the model, on photos of three sizes."""
    scale = 3 if 3 in MODELS[name].scales else MODELS[name].scales[0]
    module = MODELS[name].module(scale, **REDUCED[name])
    model = Model(MODELS[name], module, scale, quiet_variables(module))
    assert jaxsr.export(model, tmp_path / f"model{suffix}").stat().st_size > 1000


@pytest.mark.parametrize(
    ("model", "file", "message"),
    [
        ("kernelgan", "a.onnx", "kernelgan cannot be exported: it trains its networks on each photo"),
        ("zssr", "a.onnx", "zssr cannot be exported: it trains its network on each photo"),
        ("srntt", "a.stablehlo", "srntt cannot be exported: it takes features of references"),
        ("fsrcnn-x2,padding=valid", "a.onnx", "padding='valid' is for training; restore with another padding"),
        ("fsrcnn-x2,padding=valid", "a.stablehlo", "padding='valid' is for training; restore with another padding"),
        ("espcn-x2", "a.tflite", "is neither ONNX nor StableHLO"),
    ],
)
def test_what_cannot_be_exported_is_refused_in_one_line(model, file, message, tmp_path):
    with pytest.raises(UserError, match=message):
        jaxsr.export(model, tmp_path / file)
    assert not list(tmp_path.iterdir())


def test_a_network_that_learns_from_each_photo_is_refused(tmp_path):
    with pytest.raises(UserError, match="zssr cannot be exported: it trains its network on each photo"):
        jaxsr.export(jaxsr.create("zssr", scale=2, key=jax.random.key(0)), tmp_path / "z.stablehlo")


def test_a_result_that_differs_leaves_no_file(tmp_path, monkeypatch):
    model = jaxsr.load("espcn-x2")
    other = dataclasses.replace(model, variables=jax.tree.map(lambda x: 1.01 * x, model.variables))
    write = exporting._stablehlo
    monkeypatch.setattr(exporting, "_stablehlo", lambda model, channels: write(other, channels))
    with pytest.raises(UserError, match="is not written: on photos of 4x9 the exported espcn-x2 differs"):
        jaxsr.export(model, tmp_path / "a.stablehlo")
    assert not list(tmp_path.iterdir())


def test_a_missing_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(exporting, "is_installed", lambda engine: False)
    with pytest.raises(UserError, match=r"pip install 'jaxsr\[onnxruntime\]'"):
        jaxsr.export("espcn-x2", tmp_path / "a.onnx")


@pytest.mark.parametrize("channels", [True, 1.0, 2, "3", (3,)])
def test_other_numbers_of_channels_are_refused(channels, tmp_path):
    with pytest.raises(UserError, match="channels=.*: photos have 3 .RGB. or 1 .grey."):
        jaxsr.export("espcn-x2", tmp_path / "a.stablehlo", channels=channels)
