"""Names, files and folders of models, with the options that go with them."""

import shutil

import numpy as np
import pytest

import jaxsr
from jaxsr.api.named_models import load_with_options
from jaxsr.support.errors import UserError


def test_rounds_go_with_dans_name(weights):
    model, options = load_with_options(f"{weights}/danv1.safetensors,rounds=2")
    assert model.module.rounds == 2 and options.all_rounds
    model, options = load_with_options(f"{weights}/danv1.safetensors")
    assert model.module.rounds == 4 and not options.all_rounds


def test_what_srntt_takes_goes_with_its_name(weights):
    _, options = load_with_options(f"{weights}/srntt.safetensors,vgg=random,copies=True,save_matches=True")
    assert (options.vgg, options.copies, options.save_matches) == ("random", True, True)


def test_a_file_whose_name_has_a_comma_is_a_file(weights):
    shutil.copy(weights / "danv1.safetensors", weights / "a,rounds=1.safetensors")
    assert load_with_options(f"{weights}/a,rounds=1.safetensors").model.module.rounds == 4


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("danv1.safetensors,round=2", "unknown option of danv1-x2 'round'; did you mean 'rounds'"),
        ("danv1.safetensors,rounds=two", "rounds='two' is not of type int; write for example rounds=4"),
        ("danv1.safetensors,rounds=0", "rounds=0 must be at least 1"),
        ("danv1.safetensors,features=16", "the weights of .* do not fit the network"),
        ("srntt.safetensors,vgg=3", "vgg=3 is not of type str"),
        ("danv1.safetensors,rounds", "'rounds' is not option=value"),
    ],
)
def test_mistakes_are_named(text, message, weights):
    with pytest.raises(UserError, match=message):
        load_with_options(f"{weights}/{text}")


@pytest.mark.parametrize("model", [None, b"espcn-x2", ["espcn-x2"], np.zeros((2, 2))])
def test_what_is_neither_a_name_nor_a_file_is_refused_by_all_that_take_models(model, tmp_path):
    photo = np.zeros((24, 24), np.uint8)
    for use in (
        lambda: jaxsr.restore(photo, model),
        lambda: jaxsr.evaluate(model, tmp_path),
        lambda: jaxsr.export(model, tmp_path / "a.onnx"),
    ):
        with pytest.raises(UserError, match="is neither a name nor a file; give a file or one of"):
            use()
