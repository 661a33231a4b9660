"""The picture of a run's curves: it is drawn from whatever the log holds, and never ends a run."""

import json

import numpy as np
import pytest
from PIL import Image

from jaxsr.training.run import curves
from jaxsr.training.run.curves import draw_curves

TRAIN = [{"step": step, "kind": "train", "loss": 1 / step} for step in range(10, 110, 10)]
SCORES = {"kind": "validation", "ssim": 0.9, "bicubic_psnr": 27.5, "learning_rate": 1e-3}
VALIDATION = [{"step": step, "psnr": 20 + step / 10, **SCORES} for step in (50, 100)]


@pytest.fixture
def drawn(tmp_path, monkeypatch, capsys):
    """Return a function that draws a log's lines and returns the figure, after a look at the file."""
    figures = []
    original = curves._figure
    monkeypatch.setattr(curves, "_figure", lambda *arguments: figures.append(original(*arguments)) or figures[-1])

    def draw(*lines):
        text = "\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines)
        (tmp_path / "metrics.jsonl").write_text(text)
        draw_curves(tmp_path, "espcn-x2")
        assert capsys.readouterr().out == ""
        with Image.open(tmp_path / "curves.png") as picture:
            picture.load()
            assert picture.size == (960, 1080)
        assert {path.name for path in tmp_path.iterdir()} == {"metrics.jsonl", "curves.png"}
        return figures[-1]

    return draw


def labels(panel):
    return [] if panel.get_legend() is None else [text.get_text() for text in panel.get_legend().get_texts()]


def test_loss_psnr_and_rate_over_the_steps(drawn):
    figure = drawn(*TRAIN, *VALIDATION)
    loss, psnr, rate = figure.axes
    assert figure.get_suptitle() == "espcn-x2"
    raw, smoothed = loss.lines
    np.testing.assert_allclose(raw.get_xydata(), [(each["step"], each["loss"]) for each in TRAIN])
    assert smoothed.get_alpha() is None and raw.get_alpha() < 0.5 and loss.get_yscale() == "log"
    np.testing.assert_allclose(psnr.lines[0].get_xydata(), [(50, 25), (100, 30)])
    assert list(psnr.lines[1].get_ydata()) == [27.5, 27.5]
    assert labels(psnr) == ["espcn-x2: 30.00 dB, best 30.00 dB at step 100", "bicubic: 27.50 dB"]
    np.testing.assert_allclose(rate.lines[0].get_xydata(), [(50, 1e-3), (100, 1e-3)])


def test_the_running_mean():
    values = np.random.default_rng(0).random(90)
    smoothed = curves._smoothed(values)
    np.testing.assert_allclose(smoothed[[0, 40, 89]], [values[:4].mean(), values[37:44].mean(), values[86:].mean()])


def test_adversarial_runs_have_two_losses_of_any_sign(drawn):
    later = [{"step": 110, "kind": "train", "loss": 2.0, "adversary_loss": -1.5}]
    blurred = {"step": 110, "kind": "validation", "psnr": 24.0, "input_psnr": 23.5, "learning_rate": 0.0}
    loss, psnr, _ = drawn(*TRAIN, *later, blurred).axes
    assert labels(loss) == ["training loss", "adversary's loss"] and loss.get_yscale() == "linear"
    assert labels(psnr)[1] == "blurred input: 23.50 dB"


def test_unreadable_records_are_left_out(drawn):
    nan = {"step": 120, "kind": "train", "loss": float("nan")}
    odd = (
        "[1]",
        "null",
        "",
        "\x00",
        '{"step": "7"}',
        '{"kind": "train"}',
        '{"step": 130, "kind": "train", "loss": "x"}',
    )
    loss, psnr, _ = drawn(*TRAIN, nan, *odd, *VALIDATION[:1], '{"step": 140, "kind": "tr').axes
    assert len(loss.lines[0].get_xdata()) == len(TRAIN)
    assert len(psnr.lines[0].get_xdata()) == 1


@pytest.mark.parametrize(
    ("lines", "panels"),
    [([], []), (TRAIN[:1], ["loss"]), (VALIDATION[:1], ["validation PSNR, dB", "learning rate"])],
)
def test_almost_nothing(lines, panels, drawn):
    assert [panel.get_ylabel() for panel in drawn(*lines).axes if panel.lines] == panels


def test_the_climb_of_the_first_validations_does_not_set_the_axis(drawn):
    many = [
        {"step": step, "psnr": psnr, **SCORES} for step, psnr in enumerate([9, 26, 27, 28, 28, 28, 28, 28], start=1)
    ]
    assert drawn(*many).axes[1].get_ylim()[0] > 26
    many[-1]["psnr"] = 8  # collapsed
    assert drawn(*many).axes[1].get_ylim()[0] < 8


def test_a_failure_takes_one_line(tmp_path, capsys):
    (tmp_path / "metrics.jsonl").mkdir()
    draw_curves(tmp_path, "espcn-x2")
    out = capsys.readouterr().out
    assert out.startswith("curves.png is not drawn (") and len(out.splitlines()) == 1
