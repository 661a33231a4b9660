"""Our weight files: round trips, cards, and what is refused."""

import dataclasses
import json

import jax
import jax.numpy as jnp
import ml_dtypes
import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

from jaxsr.api.restoring import restore
from jaxsr.api.scoring import EvaluateOptions, evaluate
from jaxsr.data.images import Photo, write_photo
from jaxsr.models import MODELS, Model
from jaxsr.models.serialization import write_weights
from jaxsr.support.errors import UserError
from jaxsr.weights import load, save, shipped_names, shipped_weights, weight_files
from tests.helpers.networks import lively, network
from tests.helpers.photos import photo


@pytest.fixture
def model():
    spec = MODELS["fsrcnn"]
    module = spec.module(3, feature_channels=8, shrink_channels=4, mapping_layers=2)
    return Model(spec, module, 3, lively(module))


def edited(path, **facts):
    """Change the card of a weight file."""
    with safe_open(path, framework="numpy") as file:
        card = json.loads(file.metadata()["card"])
    save_file(load_file(path), path, metadata={"card": json.dumps({**card, **facts})})


def test_a_file_alone_brings_the_model_back(model, tmp_path):
    save(tmp_path / "w.safetensors", model, licence="CC0", scores=[1])
    loaded = load(tmp_path / "w.safetensors")
    assert loaded.module == model.module and loaded.scale == 3 and loaded.name == "fsrcnn-x3"
    x = jnp.asarray(np.random.default_rng(0).random((1, 9, 8, 1)), jnp.float32)
    np.testing.assert_array_equal(loaded.apply(x), model.apply(x))
    assert loaded.card["licence"] == "CC0" and loaded.card["scores"] == [1]
    widths = {"feature_channels": 8, "shrink_channels": 4, "mapping_layers": 2, "channels": 1}
    assert loaded.card["options"] == {**widths, "padding": "zero"}


@pytest.mark.parametrize(
    ("name", "shown"), [("fsrcnn-faces", "fsrcnn-faces-x3"), ("faces", "fsrcnn-x3"), ("fsrcnn-\n", "fsrcnn-x3")]
)
def test_weights_may_have_a_name_of_their_own(name, shown, model, tmp_path):
    save(tmp_path / "w.safetensors", model, name=name)
    assert load(tmp_path / "w.safetensors").name == shown


def test_saving_again_keeps_the_card(model, tmp_path):
    save(tmp_path / "a.safetensors", model, licence="CC0")
    save(tmp_path / "b.safetensors", load(tmp_path / "a.safetensors"))
    assert load(tmp_path / "b.safetensors").card == load(tmp_path / "a.safetensors").card


@pytest.mark.parametrize(
    ("facts", "message"),
    [
        ({"format": 99}, "has format 99, this version reads up to 1; upgrade jaxsr"),
        ({"model": "swinir"}, "holds the unknown model 'swinir'; upgrade jaxsr"),
        ({"scale": 9}, "fsrcnn has no scale 9"),
        ({"options": {"feature_channels": 9}}, "do not fit the network: params/.* is "),
    ],
)
def test_cards_that_do_not_fit(facts, message, model, tmp_path):
    save(tmp_path / "w.safetensors", model)
    edited(tmp_path / "w.safetensors", **facts)
    with pytest.raises(UserError, match=message):
        load(tmp_path / "w.safetensors")


def test_foreign_and_broken_files(model, tmp_path):
    save_file({"x": np.ones(2)}, tmp_path / "foreign.safetensors")
    with pytest.raises(UserError, match="has no card.*import_weights"):
        load(tmp_path / "foreign.safetensors")
    save(tmp_path / "w.safetensors", model)
    (tmp_path / "w.safetensors").write_bytes((tmp_path / "w.safetensors").read_bytes()[:-100])
    with pytest.raises(UserError, match="is not a readable .safetensors file"):
        load(tmp_path / "w.safetensors")
    with pytest.raises(UserError, match="no weight file .*gone.safetensors"):
        load(tmp_path / "gone.safetensors")
    (tmp_path / "w.onnx").write_bytes(b"\x08\x08\x12\x05jaxsr")
    with pytest.raises(UserError, match="w.onnx is an export, for other programs; give the weights that it was made"):
        load(tmp_path / "w.onnx")


def test_names_and_scales(model, tmp_path):
    assert load("bicubic", scale=4).name == "bicubic-x4"
    for name, message in {
        "fsrcn-x2": "unknown model 'fsrcn'; did you mean 'fsrcnn'",
        "FSRCNN-x2": "unknown model 'FSRCNN'; did you mean 'fsrcnn'",
        "auto": "auto chooses a model for restore alone, and takes no options; name a model, such as",
        "auto,rounds=3": "auto chooses a model for restore alone",
        "fsrcnn-x": "unknown model 'fsrcnn-x'",
        "fsrcnn-x2b": "unknown model 'fsrcnn-x2b'",
        "zssr-x4": r"zssr has no weights, it learns from each photo: .* PHOTO --output=DIR --model=zssr --scale=4",
        "zssr-x9": "zssr has no scale 9; choose one of: 2, 3, 4",
        "runs/gone": "no weight file or run folder runs/gone; check the path",
        "drcn-x2": "no weights ship for drcn at scale 2; shipped: .*jaxsr.train --config=drcn.*import_weights",
        "real-gan-x3": "real has no scale 3; choose one of: 4, 2",
    }.items():
        with pytest.raises(UserError, match=message):
            load(name)
    save(tmp_path / "w.safetensors", model)
    with pytest.raises(UserError, match="was made for scale 3, not 2"):
        load(tmp_path / "w.safetensors", scale=2)
    with pytest.raises(UserError, match="must end in .safetensors"):
        save(tmp_path / "w.npz", model)


def test_further_weights_of_a_network_that_lack_a_scale(monkeypatch):
    files = {key: path for key, path in shipped_weights.shipped_files().items() if key != ("real-gan", 2)}
    for module in (shipped_weights, weight_files):
        monkeypatch.setattr(module, "shipped_files", lambda: files)
    with pytest.raises(
        UserError, match=r"no weights ship for real-gan at scale 2.*--config=real:x2-gan .*--model=real"
    ):
        load("real-gan-x2")


@pytest.mark.parametrize("name", ["fsrcnn", "fsrcnn-x2", "bicubic"])
@pytest.mark.parametrize("scale", [0, -2, 2.0])
def test_a_scale_that_no_network_has_is_not_the_default(name, scale):
    with pytest.raises(UserError, match=rf"{name.removesuffix('-x2')} has no scale {scale}; choose one of: 2, 3, 4"):
        load(name, scale=scale)


def test_names_of_files_are_those_that_commands_take(model, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    save(tmp_path / "w.safetensors", model)
    assert load("~/w.safetensors").name == model.name
    with pytest.raises(UserError, match="'' is not a path"):
        load("")


@pytest.mark.parametrize("part", ["config.json", "checkpoints", "checkpoints/100"])
def test_parts_of_a_run_lead_to_its_folder(part, model, tmp_path):
    (tmp_path / "checkpoints" / "100").mkdir(parents=True)
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(UserError, match="not a readable|no weight file"):  # none was written yet
        load(tmp_path / part)
    model.save(tmp_path / "model.safetensors")
    with pytest.raises(
        UserError, match=f"{part} is a part of a run, without weights; give the run's folder, {tmp_path}$"
    ):
        load(tmp_path / part)
    model.save(tmp_path / "checkpoints" / "100" / "model.safetensors")
    for each in (tmp_path, tmp_path / "checkpoints" / "100", tmp_path / "checkpoints" / "100" / "model.safetensors"):
        load(each)


def test_no_name_is_refused():
    with pytest.raises(UserError, match="model None is neither a name nor a file; give a file or one of: .*fsrcnn-x2"):
        load(None)  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize(
    ("name", "made_for", "served", "refused", "message"),
    [
        ("vdsr", 2, (2, 3, 4), 8, "vdsr has no scale 8; choose one of: 2, 3, 4"),
        ("mslapsrn", 4, (2, 3, 4, 8), 0, "mslapsrn has no scale 0; choose one of: 2, 3, 4, 8"),
        ("lapsrn", 4, (3, 4), 2, "was made for scale 4, not 2"),
    ],
)
def test_one_file_serves_all_scales_that_share_weights(name, made_for, served, refused, message, tmp_path):
    spec = MODELS[name]
    module = spec.module(made_for, depth=3, features=3)
    save(tmp_path / "v.safetensors", Model(spec, module, made_for, lively(module)))
    for scale in served:
        model = load(tmp_path / "v.safetensors", scale=scale)
        assert model.name == f"{name}-x{scale}" and model.module.depth == 3
        side = 8 if spec.pre_upsampled else 8 * scale
        assert jax.eval_shape(model.apply, jnp.zeros((1, 8, 8, 1))).shape == (1, side, side, 1)
    with pytest.raises(UserError, match=message):
        load(tmp_path / "v.safetensors", scale=refused)


MARGINS = {2: 2.5, 3: 2.0, 4: 1.3, 8: 1.0}  # dB over bicubic on Set5, by scale: of the smallest networks
DEEP_MARGINS = {  # and of others
    **{"vdsr-x2": 3.6, "vdsr-x3": 2.9, "vdsr-x4": 2.55, "lapsrn-x2": 3.85, "lapsrn-x4": 3.1, "srresnet-x4": 3.15},
    **{
        "lapsrn-x3": 3.4,
        "mslapsrn-x2": 3.6,
        "mslapsrn-x3": 3.1,
        "mslapsrn-x4": 2.8,
        "mslapsrn-x8": 1.7,
        "lapsrn-x8": 1.45,
    },
    **{
        "drcn-x3": 2.7,
        "srdensenet-x4": 2.8,
        "rdn-x2": 4.1,
        "rdn-x4": 3.35,
        "srgan-x4": 2.0,
        "danv1-x2": 5.3,
        "danv1-x4": 4.9,
        "danv2-x2": 5.5,
        "danv2-x4": 4.3,
    },
    **{
        "srntt-x4": 0.8,
        "deblurgan": 0.5,
        "real-x2": 1.4,
        "real-x4": 0.9,
        "real-gan-x2": 1.1,
        "real-gan-x4": 0.6,
    },  # of photos with references, blurred, and degraded ones
}
REAL = ("real-x2", "real-x4", "real-gan-x2", "real-gan-x4")
SCORED_ON = {"srntt-x4": "views", **dict.fromkeys(("deblurgan", *REAL), "Set14")}  # others on Set5


@pytest.mark.parametrize("name", shipped_names())
def test_shipped_weights_beat_bicubic_by_their_own_card(name):
    model = load(name)
    assert model.name == name
    of_scale = [score for score in model.card["scores"] if score.get("scale", model.scale) == model.scale]
    score = next(score for score in of_scale if score["protocol"]["name"] in ("y8", "y"))
    baseline = score["input" if name == "deblurgan" else "bicubic"]
    margin = DEEP_MARGINS[name] if name in DEEP_MARGINS else MARGINS[model.scale]
    assert score["data"].startswith(SCORED_ON.get(name, "Set5"))
    assert score["mean"]["psnr"] > baseline["psnr"] + margin
    assert model.card["licence"] == "Apache-2.0"


@pytest.mark.parametrize("dtype", [np.float16, ml_dtypes.bfloat16, np.float32])
def test_files_of_every_type_restore_and_score(dtype, model, tmp_path):
    """Weights of fewer bits load as float32: a photo is that of the rounded weights, and `evaluate` takes them."""
    path = tmp_path / "w.safetensors"
    write_weights(path, model.variables, {"model": "fsrcnn", "scale": 3, "options": model.options}, dtype=dtype)
    loaded = load(path)
    assert {x.dtype for x in jax.tree.leaves(loaded.variables)} == {np.dtype(np.float32)}
    rounded = jax.tree.map(lambda x: np.asarray(x).astype(dtype).astype(np.float32), model.variables)
    pixels = photo(24, 24)
    expected = restore(pixels, dataclasses.replace(model, variables=rounded))
    np.testing.assert_array_equal(restore(pixels, path), expected)
    write_photo(tmp_path / "hr" / "a.png", Photo(photo(48, 48)))
    for precision in ("float32", "bf16"):
        scores = evaluate(path, tmp_path / "hr", options=EvaluateOptions(precision=precision))["y8"]
        assert np.isfinite(scores.mean["psnr"]) and scores.record()["precision"] == precision


def test_a_file_that_ends_early_is_to_be_got_again(tmp_path):
    network("espcn", 2).save(tmp_path / "own.safetensors")
    content = (tmp_path / "own.safetensors").read_bytes()
    for kept in (100, len(content) - 1):
        (tmp_path / "own.safetensors").write_bytes(content[:kept])
        with pytest.raises(UserError, match="own.safetensors is not a readable .safetensors file: .*; get it again$"):
            load(tmp_path / "own.safetensors")
