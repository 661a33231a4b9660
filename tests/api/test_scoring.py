"""`jaxsr.evaluate` from Python: models and folders of every kind, and what does not fit together."""

import functools

import pytest

from jaxsr.api.degrading import degrade
from jaxsr.api.scoring import EvaluateOptions, evaluate, evaluate_restored
from jaxsr.data.images import Photo, write_photo
from jaxsr.evaluation.pair_options import PairOptions
from jaxsr.support.errors import UserError
from jaxsr.weights import load
from tests.helpers.photos import smooth


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Return a folder of two HR photos."""
    folder = tmp_path_factory.mktemp("hr")
    for name, width in (("a", 48), ("b", 50)):
        write_photo(folder / f"{name}.png", Photo(smooth(48, width)))
    return folder


@pytest.fixture(scope="module")
def gaussian_set(data, tmp_path_factory):
    folder = tmp_path_factory.mktemp("set")
    assert degrade(data / "a.png", folder, kind="gaussian8", scale=3) == 8
    return folder


def test_a_name_and_a_model_score_alike(data):
    calls = []
    scores = evaluate("bicubic", data, scale=2, progress=lambda done, total: calls.append((done, total)))
    assert calls == [(1, 2), (2, 2)]
    assert list(scores) == ["y8"] and scores["y8"].model == "bicubic-x2"
    assert scores["y8"].mean == pytest.approx(scores["y8"].baseline, abs=1e-3)
    again = evaluate(load("bicubic-x2"), str(data), options=EvaluateOptions(protocols=("y8", "rgb")))
    assert again["y8"].mean == scores["y8"].mean and set(again) == {"y8", "rgb"}


def test_a_set_brings_its_scale_and_a_degradation_makes_the_same_pairs(data, gaussian_set):
    of_set = evaluate("bicubic", gaussian_set)["y8"]
    options = EvaluateOptions(pairs=PairOptions("gaussian8"))
    made = evaluate("bicubic", data, scale=3, options=options)["y8"]
    assert of_set.scale == 3 and len(of_set.rows) == 8
    for row, other in zip(of_set.rows, made.rows[:8], strict=True):
        assert row.name == other.name and row.scores == pytest.approx(other.scores, abs=1e-3)


@pytest.mark.slow
def test_every_degradation_scores(data):
    for name in ("pillow", "bd", "dn", "isotropic", "anisotropic", "div2krk", "real"):
        options = EvaluateOptions(pairs=PairOptions(name), protocols=("y",))
        scores = evaluate("bicubic", data, scale=2, options=options)["y"]
        assert len(scores.rows) == 2 and 10 < scores.mean["psnr"] < 80
    restored = evaluate_restored(
        data, data, scale=1, options=EvaluateOptions(pairs=PairOptions("motion", 16), protocols=("rgb",))
    )
    assert restored["rgb"].mean["psnr"] == float("inf") > restored["rgb"].baseline["psnr"] > 15


def test_photos_that_fail_are_raised_or_reported(data, tmp_path):
    write_photo(tmp_path / "a.png", Photo(smooth(48, 48)))
    (tmp_path / "broken.png").write_bytes(b"no image")
    failures = []
    scores = evaluate("bicubic", tmp_path, scale=2, on_failure=failures.append)
    assert len(failures) == 1 and "broken.png" in failures[0] and len(scores["y8"].rows) == 1
    with pytest.raises(UserError, match="broken.png"):
        evaluate("bicubic", tmp_path, scale=2)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"lr": "lr", "pairs": PairOptions("bd")}, "--quantize_lr and --degradation make LR photos, --lr gives them"),
        ({"reference_level": "1"}, "--reference_level is for a model of srntt"),
        ({"protocols": ("rbg",)}, "unknown protocol 'rbg'; did you mean 'rgb'"),
        ({"pairs": PairOptions("bdd")}, "unknown degradation 'bdd'; did you mean 'bd'"),
        ({"pairs": PairOptions("bd", 7)}, "bd takes no kernel_size"),
        ({"pairs": PairOptions("bd", quantize_lr=True)}, "quantize_lr is for bicubic; photos by bd have 8 bits"),
        ({"pairs": PairOptions("div2krk", 21)}, "div2krk at scale 2 has kernels of 11x11, not of 21"),
    ],
)
def test_options_that_do_not_fit(options, message, data):
    with pytest.raises(UserError, match=message):
        evaluate("bicubic", data, scale=2, options=EvaluateOptions(**options))


def test_options_and_data_of_other_kinds(data):
    with pytest.raises(UserError, match="options=.* is no EvaluateOptions; write"):
        evaluate("bicubic", data, options={"engine": "xla"})  # pyright: ignore[reportArgumentType]
    with pytest.raises(UserError, match="pairs='bd' is no PairOptions; write"):
        evaluate("bicubic", data, options=EvaluateOptions(pairs="bd"))  # pyright: ignore[reportArgumentType]
    with pytest.raises(UserError, match=r"protocols='y8' is no list or tuple; write protocols=\['y8'\]"):
        evaluate("bicubic", data, options=EvaluateOptions(protocols="y8"))
    with pytest.raises(UserError, match="reference='a.png' is no list or tuple"):
        evaluate("srntt-x4", data, options=EvaluateOptions(reference="a.png"))
    with pytest.raises(UserError, match="None is not a path; name a file or a folder"):
        evaluate("bicubic", None)  # pyright: ignore[reportArgumentType]


def test_data_that_does_not_fit(data, gaussian_set):
    with pytest.raises(UserError, match="the data is a paired set of scale 3"):
        evaluate("bicubic", gaussian_set, scale=2)
    for model in ("deblurgan", load("bicubic-x2")):  # of which scale 1 or 2 would be refused in turn
        with pytest.raises(UserError, match="paired set of scale 3, .* is for [12]; use a model of scale 3"):
            evaluate(model, gaussian_set)
    with pytest.raises(UserError, match="scale=3 is not that of bicubic-x2"):
        evaluate(load("bicubic-x2"), data, scale=3)
    with pytest.raises(UserError, match="scale=0 must be a whole number from 1 on"):
        evaluate_restored(data, data, scale=0)
    restored = functools.partial(evaluate_restored, data, data, scale=2)
    for given in (EvaluateOptions(ensemble=True), EvaluateOptions(engine="xla"), EvaluateOptions(precision="bf16")):
        with pytest.raises(UserError, match="--save, --ensemble, --engine and --precision are for --model"):
            restored(options=given)
    with pytest.raises(UserError, match="holds sharp photos alone; .*--degradation=motion"):
        evaluate_restored(data, data, scale=1)
