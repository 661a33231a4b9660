"""Which options each model has on the page."""

import pytest

import jaxsr
from jaxsr.gui.model_choices import ModelChoice, model_choice, offered_models
from jaxsr.weights.shipped_weights import shipped_files


def test_all_that_is_installed_is_offered_once():
    names = offered_models("runs/mine", "fsrcnn")
    assert names[:2] == ["runs/mine", "fsrcnn"] and len(names) == len(set(names))
    assert {base for base, _ in shipped_files()} | {"bicubic", "zssr"} <= set(names)


def test_options_of_a_name_and_of_a_file(tmp_path):
    assert model_choice("fsrcnn") == ModelChoice((2, 3, 4), 2)
    assert model_choice(" fsrcnn-x3 ") == ModelChoice((3,), 3)
    assert model_choice("zssr") == ModelChoice((2, 3, 4), 2, learns=True)
    jaxsr.load("espcn-x3").save(tmp_path / "mine.safetensors")
    assert model_choice(str(tmp_path / "mine.safetensors")) == ModelChoice((3,), 3)


def test_rounds_are_those_of_the_weights():
    choice = model_choice("danv1,rounds=2")
    assert choice.rounds == jaxsr.load("danv1-x4").options["rounds"] > 1
    assert choice.ensemble and not choice.references


@pytest.mark.parametrize("name", ["fsrcn", "", "gone.safetensors"])
def test_a_wrong_name_is_said(name):
    with pytest.raises(jaxsr.UserError, match=name or "no model yet; choose one, or type a weight file"):
        model_choice(name)
