"""The page of results: what is scored, what is kept, and that every figure on the page is in the record."""

import dataclasses
import json
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.io import savemat

from benchmarks.results import photo_scores
from benchmarks.results.contestants import Contestant, published_contestants, zssr_contestants
from benchmarks.results.page import page
from benchmarks.results.photo_sets import find_sets, is_scored_on
from benchmarks.results.pictures import side_by_side
from benchmarks.results.published import differences, figures_of, paper_rows
from benchmarks.results.record import Record
from benchmarks.results.scoring import Task, score_task, tasks_of
from jaxsr import list_models
from jaxsr.evaluation import scores
from jaxsr.models import MODELS
from jaxsr.support.errors import UserError
from tests.helpers.networks import network
from tests.helpers.photos import smooth

BICUBIC = Contestant("bicubic", "bicubic", "bicubic")


@pytest.fixture
def sets(tmp_path, monkeypatch):
    """Return a Set5 of two small photos, found below a folder of test sets; NIQE, which needs larger ones, is 5."""
    monkeypatch.setattr(photo_scores, "niqe_of_image", lambda image: 5.0)
    (tmp_path / "test" / "set5" / "hr").mkdir(parents=True)
    for name in ("a", "b"):
        Image.fromarray(smooth(36, 42)).save(tmp_path / "test" / "set5" / "hr" / f"{name}.png")
    return find_sets([tmp_path])


@pytest.fixture
def ours():
    return Contestant("espcn", "ours", "espcn-x2", network("espcn", 2))


def test_what_is_scored(sets, ours):
    assert list(sets) == ["Set5", "Gaussian8"] and sets["Gaussian8"].count(2) == 16
    tasks = [(task.contestant.name, task.photo_set.name, task.scale) for task in tasks_of([BICUBIC, ours], sets, {})]
    assert tasks == [("bicubic", "Set5", 2), ("espcn-x2", "Set5", 2)]
    assert is_scored_on("real", "Real14") and is_scored_on("fsrcnn", "Real14") and not is_scored_on("rdn", "Real14")
    assert is_scored_on("danv1", "Gaussian8") and not is_scored_on("danv1", "Set5")
    with pytest.raises(UserError, match="--data holds no test set; folders are known by the names Set5"):
        find_sets([sets["Set5"].folder / "hr"])


def test_a_run_goes_on_where_the_last_one_ended(sets, ours, tmp_path):
    file, task = tmp_path / "record.json", Task(ours, sets["Set5"], 2)
    row = score_task(task, Record.read(file), seconds=0)
    assert row["photos"] == [] and not row["complete"]
    whole = score_task(task, record := Record.read(file))
    assert [photo["name"] for photo in whole["photos"]] == ["a", "b"] and whole["complete"]
    assert whole["mean"]["psnr"] == np.mean([photo["psnr"] for photo in whole["photos"]])
    assert whole["difference"] is None and whole["mean"]["niqe"] == 5 and whole["protocol"] == "y8"
    whole["mean"]["psnr"] = 99.0  # shows whether it is scored again
    record.write()
    assert score_task(task, Record.read(file))["mean"]["psnr"] == 99
    others = dataclasses.replace(ours, model=network("espcn", 2).with_options(channels=1))
    others.model.variables["params"]["conv1"]["bias"] = others.model.variables["params"]["conv1"]["bias"] + 1
    again = Record.read(file)
    assert score_task(Task(others, sets["Set5"], 2), again)["mean"]["psnr"] != 99 and len(again.rows) == 1


def test_scores_are_computed_in_float32(sets, ours, tmp_path, monkeypatch):
    """On every machine: where bf16 is faster, `restore` may use it, and the second decimal would be another."""
    asked = []

    def score_pair(model, pair, protocols, options, cache):
        asked.append(options.with_precision(model).precision)
        return scores.score_pair(model, pair, protocols, options, cache=cache)

    monkeypatch.setattr(
        "jaxsr.restoration.options.chosen_precision", lambda model, precision: precision.replace("auto", "bf16")
    )
    monkeypatch.setattr(photo_scores, "score_pair", score_pair)
    assert "failure" not in score_task(Task(ours, sets["Set5"], 2), Record.read(tmp_path / "record.json"))
    assert asked == ["float32", "float32"]


def test_what_fails_is_marked_and_begun_again(sets, ours, tmp_path, monkeypatch):
    record, task = Record.read(tmp_path / "record.json"), Task(ours, sets["Set5"], 2)
    with monkeypatch.context() as patch:
        patch.setattr(photo_scores, "score_pair", lambda *_, **__: 1 / 0)
        assert score_task(task, record)["failure"] == "ZeroDivisionError: division by zero"
    assert "`espcn-x2`, failed: ZeroDivisionError" in page(record)
    assert "failure" not in score_task(task, record) and record.rows[0]["complete"]


@pytest.mark.slow
def test_zssr_is_scored_by_an_estimated_kernel_and_by_the_true_one(tmp_path, monkeypatch):
    """The kernel of KernelGAN, which takes minutes, is stood in for by one that is too wide."""
    folder, wide = tmp_path / "DIV2KRK", np.full((5, 5), 1 / 25)
    for name in ("gt", "lr_x2", "gt_k_x2"):
        (folder / name).mkdir(parents=True)
    Image.fromarray(smooth(96, 112)).save(folder / "gt" / "im_1.png")
    Image.fromarray(smooth(96, 112)[::2, ::2]).save(folder / "lr_x2" / "im_1.png")
    savemat(folder / "gt_k_x2" / "kernel_1.mat", {"Kernel": np.pad(np.ones((2, 2)) / 4, 2)})
    monkeypatch.setattr(photo_scores, "choose_kernels", lambda photos, scale, settings: [wide for _ in photos])
    record, contestants = Record.read(tmp_path / "record.json"), zssr_contestants("steps=20,crop=32")
    for task in tasks_of(contestants, find_sets([tmp_path]), {}):
        assert score_task(task, record).get("failure") is None
    estimated, true = record.rows
    assert estimated["name"] == "zssr,kernel=estimate,steps=20,crop=32" and true["name"].startswith("zssr,kernel=FILE,")
    assert true["mean"]["psnr"] > estimated["mean"]["psnr"] and true["paper"]["psnr"] == 32.44
    assert estimated["mean"]["kernel_error"] > 0.1 and "kernel_error" not in true["mean"]
    assert true["parameters"] == estimated["parameters"] == 224_640
    assert true["digest"] != estimated["digest"] != zssr_contestants("steps=30,crop=32")[0].digest


def test_zssr_by_the_true_kernel_needs_one(sets):
    (source, *_), (_, true) = sets["Set5"].sources(2), zssr_contestants("")
    with pytest.raises(UserError, match="a has no true kernel; put it into gt_k_x2, or leave the photo out"):
        photo_scores.by_zssr(true.zssr, "y")(source, source.pairs(2)[0])


def test_sets_that_cannot_be_read_are_left_out(tmp_path):
    (tmp_path / "DIV2KRK" / "gt").mkdir(parents=True)
    Image.fromarray(smooth(36, 42)).save(tmp_path / "DIV2KRK" / "gt" / "im_1.png")
    blind = Contestant("danv1", "ours", "danv1-x2", network("espcn", 2))
    assert list(tasks_of([blind], find_sets([tmp_path]), skipped := {})) == []
    assert list(skipped) == ["DIV2KRK x2"] and "lr_x2" in skipped["DIV2KRK x2"]


def test_own_weights_of_another_name_have_no_paper(sets, ours, tmp_path):
    record = Record.read(tmp_path / "record.json")
    published = [Contestant("vdsr", "ours", name, ours.model) for name in ("vdsr", "real-x2")]
    rows = [score_task(Task(each, sets["Set5"], 2), record) for each in published]
    assert rows[0]["difference"] == pytest.approx(rows[0]["mean"]["psnr"] - 37.53)
    assert rows[1]["paper"] is None and rows[1]["difference"] is None


def test_weights_are_called_on_the_page_as_on_the_command_line():
    record = Record.read(Path(__file__).parents[2] / "docs/results.json")
    named = re.findall(r"^\| \S+ \| `([^`,]+)(?:,[^`]*)?` \|", page(record), re.MULTILINE)
    assert {"vdsr-x3", "lapsrn-x4", "deblurgan"} <= set(named) <= set(list_models())


def test_every_figure_of_the_page_is_in_the_record(sets, ours, tmp_path):
    record = Record.read(tmp_path / "record.json")
    for task in tasks_of([BICUBIC, ours], sets, {}):
        score_task(task, record)
    record = Record.read(record.file)
    text = page(record)
    assert "| fsrcnn | not scored here |  |  |  | 37.00 | 0.9558 |" in text, "the paper's figures alone"
    assert "- **bicubic**:" in text and "Set5 x2, 2 photos; LR photos: MATLAB bicubic" in text
    known = [float(x) for x in re.findall(r"-?\d+(?:\.\d+)?(?:e-?\d+)?", json.dumps([record.rows, record.papers]))]
    tables = [line for line in text.splitlines() if line.startswith("|")]
    figures = {figure for line in tables for figure in re.findall(r"[+-]?\d+\.\d+", line)}
    digits = {figure: len(figure.partition(".")[2]) for figure in figures}
    assert len(figures) > 20
    assert [x for x in figures if not any(round(y, digits[x]) == float(x) for y in known)] == []


def test_published_files_are_known_by_their_names(tmp_path):
    np.savez(tmp_path / "fsrcnn_odd_x2.npz", a=np.zeros(3, np.float32))
    np.savez(tmp_path / "unknown.npz", a=np.zeros(3, np.float32))
    found, skipped = published_contestants(tmp_path)
    assert found == [] and list(skipped) == ["fsrcnn_odd_x2.npz"] and "no tensor" in skipped["fsrcnn_odd_x2.npz"]


def test_the_tables_beside_the_code_name_systems_that_there_are():
    assert set(differences()) <= {*MODELS, "kernelgan+zssr"}
    assert figures_of("vdsr", "Set5", 2).psnr == 37.53 and figures_of("vdsr", "Set5", 8) is None
    rows = paper_rows(["Set5", "Gaussian8"])
    assert {row["system"] for row in rows} <= set(MODELS) and {"danv2", "rdn"} <= {row["system"] for row in rows}


def test_foreign_files_are_no_record(tmp_path):
    (tmp_path / "f.json").write_text('{"rows": 1}')
    with pytest.raises(UserError, match=r"f.json is not a record of results"):
        Record.read(tmp_path / "f.json")


def test_crops_side_by_side():
    sheet = side_by_side([np.full((10, 12, 3), x) for x in (0.0, 1.0)], ["black", "white"])
    assert sheet.size == (2 * 24 + 6, 20 + 20)
    assert sheet.getpixel((1, 30)) == (0, 0, 0) and sheet.getpixel((53, 30)) == (255, 255, 255)
