"""bf16 is chosen where the table of measurements allows it, and the table is of the weights that ship."""

import dataclasses
import json

import jax
import numpy as np
import pytest
from PIL import Image

from jaxsr.api.restorers import NetworkRestorer, open_restorer
from jaxsr.engines.runtimes import RUNTIMES
from jaxsr.evaluation.folder_scores import ScoreOptions, score_files
from jaxsr.evaluation.sources import Source
from jaxsr.restoration import precision_choice
from jaxsr.restoration.options import RestoreOptions
from jaxsr.restoration.precision_choice import TABLE, Difference, chosen_precision, weights_digest
from jaxsr.support.errors import UserError
from jaxsr.weights import load, shipped_names
from tests.helpers.engines import needs
from tests.helpers.photos import photo
from tests.helpers.tiles import enlarge


@pytest.fixture
def table(monkeypatch):
    """Return a function that replaces the table by one row for a model, on this platform, with or without bf16."""

    def make(model, mean: float, largest: float, *, faster_on=("cpu",), bf16=True):
        monkeypatch.setattr(precision_choice, "has_bf16", lambda: bf16)
        row = {"digest": weights_digest(model), "mean": mean, "largest": largest}
        monkeypatch.setattr(precision_choice, "_table", lambda: {"faster_on": faster_on, "weights": {model.name: row}})

    return make


@pytest.mark.slow
def test_the_table_is_of_the_weights_that_ship():
    """Where this fails for new weights: `python -m benchmarks.precision --write` measures them."""
    rows = json.loads(TABLE.read_text())["weights"]
    models = {name: load(name) for name in shipped_names()}
    expected = {name: weights_digest(model) for name, model in models.items() if not model.needs}
    assert {name: row["digest"] for name, row in rows.items()} == expected


def test_auto_goes_by_the_measured_difference(table):
    model = load("espcn-x2")
    for mean, largest, expected in ((0.4, 1.9, "bf16"), (0.6, 1.9, "float32"), (0.4, 2.1, "float32")):
        table(model, mean, largest)
        assert chosen_precision(model, "auto") == expected
        assert Difference(mean, largest).is_small == (expected == "bf16")
    for elsewhere in ({"faster_on": ("gpu",)}, {"bf16": False}):
        table(model, 0.1, 0.5, **elsewhere)
        assert chosen_precision(model, "auto") == "float32" and chosen_precision(model, "bf16") == "bf16"


def test_auto_leaves_an_engine_what_it_computes_in(table, monkeypatch):
    """ONNX Runtime has no bfloat16 on CPUs, so that nobody who names it alone is told to name another."""
    model = load("espcn-x2")
    table(model, 0.1, 0.5)
    for engine, expected in (("onnxruntime", "float32"), ("openvino", "bf16"), ("xla", "bf16")):
        if engine in RUNTIMES:
            needs(engine)
        assert RestoreOptions(engine=engine).with_precision(model).precision == expected
    monkeypatch.setenv("JAXSR_ENGINE", "onnxruntime")
    assert RestoreOptions().with_precision(model).precision == "float32"


def test_scores_by_that_engine_are_of_that_precision(table, tmp_path):
    needs("onnxruntime")
    model = load("espcn-x2")
    table(model, 0.1, 0.5)
    Image.fromarray(photo(32, 36)).save(tmp_path / "hr.png")
    options = ScoreOptions(["y8"], precision="auto", engine="onnxruntime")
    scores, failures = score_files(model, [Source(tmp_path / "hr.png")], options)
    assert not failures and scores["y8"].precision == "float32"
    with pytest.raises(UserError, match="precision=bf16: onnxruntime computes in float32"):
        score_files(model, [Source(tmp_path / "hr.png")], dataclasses.replace(options, precision="bf16"))


def test_other_weights_were_not_measured(table):
    model = load("espcn-x2")
    table(model, 0.1, 0.5)
    changed = dataclasses.replace(model, variables=jax.tree.map(lambda x: x * np.float32(1.001), model.variables))
    assert chosen_precision(changed, "auto") == chosen_precision(load("espcn-x3"), "auto") == "float32"


def test_the_choice_is_made_once_and_changes_the_result(table):
    model, pixels = load("espcn-x2"), photo(20, 24)
    table(model, 0.1, 0.5)
    restorer = open_restorer(model)
    assert isinstance(restorer, NetworkRestorer) and restorer.options.precision == "bf16"
    auto, half, full = (enlarge(model, pixels, quantize=False, precision=x) for x in ("auto", "bf16", "float32"))
    np.testing.assert_array_equal(auto, half)
    assert 0 < np.abs(half - full).mean() < 1 / 255


def test_zssr_computes_in_float32():
    open_restorer("zssr", options=RestoreOptions(precision="float32"))
    with pytest.raises(UserError, match="zssr takes no precision"):
        open_restorer("zssr", options=RestoreOptions(precision="bf16"))
