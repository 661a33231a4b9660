"""Lists of models with options, and the scales at which they are opened."""

import shutil

import pytest

from jaxsr.api.comparisons.comparison_models import open_models, scale_of, split_models
from jaxsr.api.restorers import NetworkRestorer
from jaxsr.data.images import Photo, write_photo
from jaxsr.support.errors import UserError
from jaxsr.weights.shipped_weights import SHIPPED
from tests.helpers.photos import photo


@pytest.mark.parametrize(
    ("texts", "models"),
    [
        (["bicubic,fsrcnn-x4,danv2-x4"], ["bicubic", "fsrcnn-x4", "danv2-x4"]),
        (["zssr,steps=300,kernel=estimate,bicubic"], ["zssr,steps=300,kernel=estimate", "bicubic"]),
        (["bicubic", "runs/danv1,rounds=4"], ["bicubic", "runs/danv1,rounds=4"]),
        (["espcn.safetensors,features=(64, 32), bicubic "], ["espcn.safetensors,features=(64, 32)", "bicubic"]),
        (["runs/lr=0.1/model.safetensors,bicubic"], ["runs/lr=0.1/model.safetensors", "bicubic"]),
        (["bicubic,bicubic,", ""], ["bicubic"]),
        ([",".join(f"zssr,seed={seed}" for seed in range(30))], [f"zssr,seed={seed}" for seed in range(30)]),
    ],
)
def test_options_follow_their_model(texts, models):
    assert split_models(texts) == models


def test_a_file_with_commas_and_equals_signs_is_one_model(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("a,b=1.safetensors", "lr=3.safetensors"):
        (tmp_path / name).touch()
    assert split_models(["a,b=1.safetensors", "bicubic,lr=3.safetensors"]) == [
        "a,b=1.safetensors",
        "bicubic",
        "lr=3.safetensors",
    ]


def test_an_option_without_a_model_and_no_models():
    with pytest.raises(UserError, match="'steps=3' has no model before it; write for example zssr,steps=3"):
        split_models(["steps=3,zssr"])
    with pytest.raises(UserError, match="name some"):
        split_models([",", ""])


@pytest.mark.slow
def test_srntt_is_computed_by_the_engine_that_is_asked_for(weights, tmp_path):
    write_photo(tmp_path / "b.png", Photo(photo(16, 20)))
    model = f"{weights}/srntt.safetensors,vgg=random"
    opened, failures = open_models([model], reference=[str(tmp_path / "b.png")], engine="xla")
    (restorer,) = opened.values()
    assert isinstance(restorer, NetworkRestorer) and restorer.options.engine == "xla" and not failures


def scales(models, **options):
    opened, failures = open_models(models, **options)
    return {name: scale_of(restorer) for name, restorer in opened.items()}, failures


def test_a_name_without_a_scale_takes_that_of_the_others():
    assert scales(["bicubic", "fsrcnn-x4", "espcn-x3"]) == ({"bicubic-x4": 4, "fsrcnn-x4": 4, "espcn-x3": 3}, [])
    assert scales(["bicubic", "fsrcnn", "zssr,steps=3"]) == (
        {"bicubic-x2": 2, "fsrcnn-x2": 2, "zssr-x2, steps=3": 2},
        [],
    )
    assert scales(["bicubic", "fsrcnn-x3", "deblurgan"])[0] == {"bicubic-x3": 3, "fsrcnn-x3": 3, "deblurgan": 1}
    assert scales(["bicubic", "srgan"])[0] == {"bicubic-x4": 4, "srgan-x4": 4}  # which has one scale alone
    assert scales(["bicubic", "fsrcnn"], scale=3) == ({"bicubic-x3": 3, "fsrcnn-x3": 3}, [])


def test_a_model_that_cannot_be_opened_is_named_and_the_others_are_there():
    opened, failures = scales(["nope-x2", "bicubic", "fsrcnn-x4"], scale=2)
    assert opened == {"bicubic-x2": 2}
    assert [line.partition(":")[0] for line in failures] == ["nope-x2", "fsrcnn-x4"]


def test_files_are_shown_by_name(tmp_path):
    """Those of equal names, by their paths."""
    (tmp_path / "b").mkdir()
    paths = [tmp_path / name for name in ("espcn.safetensors", "own.safetensors", "b/own.safetensors", "c.safetensors")]
    for path in paths:
        shutil.copy(SHIPPED / "espcn-x2.safetensors", path)
    opened, _ = open_models([*map(str, paths)])
    assert list(opened) == ["espcn-x2", str(paths[1]), str(paths[2]), "c (espcn-x2)"]
