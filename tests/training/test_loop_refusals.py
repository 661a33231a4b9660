"""What a run refuses before it writes anything."""

import json
from pathlib import Path

import numpy as np
import pytest

from jaxsr.support.errors import UserError
from jaxsr.training.loop import train


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"model.scale": 5}, "espcn has no scale 5"),
        ({"model.name": "espn"}, "unknown model 'espn'; did you mean 'espcn'"),
        ({"loss": "mes"}, "unknown loss 'mes'; did you mean 'mse'"),
        ({"optimizer.name": "adam2"}, "unknown optimizer 'adam2'; did you mean 'adam'"),
        ({"schedule.name": "cosin"}, "unknown schedule 'cosin'; did you mean 'cosine'"),
        ({"supervision.name": "levles"}, "unknown supervision 'levles'; did you mean 'levels'"),
        ({"supervision.name": "levels"}, 'espcn has no levels to supervise; set --config.supervision.name="output"'),
        (
            {"supervision.name": "kernel"},
            "espcn with task='sr' has no kernel to learn; take danv1 or danv2 and --config.task=blind",
        ),
        ({"data.scales": (2, 3)}, r"weights of espcn do not serve the scales \(2, 3\)"),
        ({"data.degradation": "bf"}, "unknown degradation 'bf'; choose one of: bicubic, pillow, bd"),
        ({"data.degradation": "BD"}, "unknown degradation 'BD'; did you mean 'bd'?"),
        ({"task": "srr"}, "unknown task 'srr'; did you mean 'sr'"),
        (
            {"data.degradation": "isotropic"},
            "'isotropic' draws a kernel for each photo, task='sr' takes one of: bicubic,",
        ),
        ({"task": "blind"}, "'bicubic' draws no kernel .*, task='blind' takes one of: isotropic, anisotropic,"),
        ({"task": "deblur"}, "espcn at scale 2 does not learn from data.degradation='bicubic'; deblurring has scale 1"),
        ({"task": "reference"}, "espcn with data.references='': folders of photos with references are for srntt"),
        ({"data.pairs": "data/gopro"}, "data.pairs='data/gopro' is for task='deblur', this config has task='sr'"),
        ({"data.references": "a"}, "data.references='a' is for task='reference', this config has task='sr'"),
        ({"data.noise": 0.1}, "data.noise=0.1 is for task='deblur', this config has task='sr'"),
        ({"data.kernel_size": 31}, "data.kernel_size=31: data.degradation='bicubic' draws no kernel; leave it out"),
        ({"texture.weight": 1.0}, "texture.weight=1.0 is for task='reference'"),
        ({"steps": 0}, "steps=0 must be at least 1"),
        ({"data.rescale": (0.0,)}, r"data.rescale=\(0.0,\) must be factors in \(0, 1\], at least one"),
        ({"data.rescale": ()}, r"data.rescale=\(\) must be factors"),
        ({"data.rescale": (1.0, -1.0)}, r"data.rescale=\(1.0, -1.0\) must be factors"),
        ({"model.options.features": (0, 4)}, r"espcn cannot be built with model.options=.*\(0, 4\).*ZeroDivisionError"),
        ({"model.options.features": (8,)}, r"espcn cannot be built with model.options=.*\(8,\).*IndexError"),
        (
            {"model.options.features": (np.int64(8), 4)},
            r"model.options.features=.*8.* is of type tuple, which config.json cannot hold; set it to a",
        ),
        ({"optimizer.layer_rates.conv1": np.float32(0.1)}, r"layer_rates.conv1=.*0.1.* is of type float32,"),
        ({"model.options.padding": Path("x")}, r"options.padding=PosixPath\('x'\) is of type PosixPath, which config"),
        ({"ema_decay": 1.0}, r"ema_decay=1.0 must lie in \[0, 1\)"),
        ({"data.patch": 200}, "no training photo has 408 pixels a side.*the largest has 151"),
        ({"data.train": "/nowhere"}, "/nowhere"),
        ({"data.train": " , "}, "data.train is empty"),
        ({"initial_weights": "espcn-x9"}, "espcn has no scale 9; choose one of: 2, 3, 4"),
        ({"batch_sise": 4}, "config has a field 'batch_sise', which training does not have; did you mean 'batch_size'"),
        ({"optimizer.learning_rte": 4}, "a field 'optimizer.learning_rte', .*; did you mean 'optimizer.learning_rate'"),
    ],
)
def test_mistakes_are_reported_before_anything_is_written(fields, message, tiny, tmp_path):
    with pytest.raises(UserError, match=message):
        train(tiny(**fields), tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("config", "fields", "message"),
    [
        ("srgan:mse", {"adversarial.options.features": 0}, "srgan cannot be built with adversarial.options=.*'stages'"),
        (
            "srgan:mse",
            {"adversarial.optimizer.layer_rates": {"dense": 0.1}},
            "layer_rates names 'dense', .* did you mean 'dense",
        ),
        ("srgan:vgg22", {"perceptual.convention": "cafe"}, "unknown convention 'cafe'; did you mean 'caffe'"),
        ("srcnn:x2-915", {"data.patch": 6}, "data.patch=6 is enlarged to 12 pixels, of which srcnn, .* to 7 or more"),
        ("srntt:l2", {"data.patch": 2}, "data.patch=2 must be at least 3; set --config.data.patch"),
        (
            "srntt:l2",
            {"data.degradation": "bd"},
            "data.degradation='bd' and data.rescale=.* do not apply to task",
        ),
        ("srntt:l2", {"data.rescale": (0.5,)}, "data.rescale=.0.5,. do not apply to task='reference'"),
        ("deblurgan:wild", {"data.degradation": "real"}, "data.degradation='real' does not apply to data.pairs"),
        (
            "espcn:x2",
            {"data.exposures": (0.2,)},
            "data.exposures=.0.2,. is for task='deblur', this config has",
        ),
        ("espcn:x2", {"texture.by_similarity": True}, "texture.by_similarity=True is for task='reference'"),
    ],
)
def test_so_are_those_of_one_system(config, fields, message, tiny, tmp_path):
    with pytest.raises(UserError, match=message):
        train(tiny(*config.split(":"), **fields), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_network_of_another_task_is_refused(tiny, tmp_path):
    for name, variant, message in (
        ("deblurgan", "wild", "data.pairs=.* is for task='deblur', this config has task='sr'"),
        ("deblurgan", "synth", "deblurgan at scale 1 is not trained by task='sr'; set --config.task=deblur"),
        ("srntt", "full", "data.references=.* is for task='reference'"),
        ("danv1", "x2-iso", "danv1 with task='sr' has no kernel to learn"),
    ):
        with pytest.raises(UserError, match=message):
            train(tiny(name, variant, task="sr", **{"data.shakes": 1_000}), tmp_path / "run")  # the default
    fields = {"data.references": "", "texture.weight": 0.0, "task": "sr"}
    with pytest.raises(UserError, match="srntt takes references, which task='sr' has not; set --config.task=reference"):
        train(tiny("srntt", "full", **fields), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_folder_of_another_model_is_refused(tiny, tmp_path):
    train(tiny(), tmp_path)
    with pytest.raises(UserError, match="model.name='espcn', this config has 'fsrcnn'; choose another --workdir"):
        train(tiny("fsrcnn", "x2"), tmp_path)
    with pytest.raises(UserError, match="optimizer.name='muon', this config has 'sgd'"):
        train(tiny(**{"optimizer.name": "sgd"}), tmp_path)
    assert json.loads((tmp_path / "config.json").read_text())["model"]["name"] == "espcn"
