"""Detections against plain loops, by hand, and the files that are refused."""

import json

import numpy as np
import pytest

from jaxsr.evaluation.detections import Agreement, compare, overlaps, read_detections, table, total
from jaxsr.support.errors import UserError
from tests.reference import detections as reference


def row(box, image=1, category=1, score=0.9):
    return {"image_id": image, "category_id": category, "bbox": list(box), "score": score}


@pytest.fixture
def write(tmp_path):
    """Return a function that writes `content` as JSON, or text as it is, and gives its path."""

    def write(name, content):
        path = tmp_path / f"{name}.json"
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        return path

    return write


def compared(write, found, true, **options):
    return compare(read_detections(write("found", found)), read_detections(write("true", true)), **options)


@pytest.mark.parametrize(("iou", "score"), [(0.5, 0.0), (0.3, 0.0), (0.7, 0.4)])
def test_as_plain_loops_count(iou, score, write):
    rng = np.random.default_rng(3)
    boxes = rng.integers(0, 20, (60, 2))
    sides = rng.integers(10, 20, (60, 2))
    true = [
        row([*map(int, (*boxes[i], *sides[i]))], int(rng.integers(6)), int(rng.integers(3)), round(rng.random(), 3))
        for i in range(60)
    ]
    found = [{**x, "bbox": [v + int(rng.integers(-3, 6)) for v in x["bbox"]], "score": rng.random()} for x in true[6:]]
    kept = [[x for x in rows if x["score"] >= score] for rows in (found, true)]
    expected = reference.counts(*kept, iou)
    counts = compared(write, found, true, iou=iou, score=score)
    assert {c: (x.right, x.found, x.true) for c, x in counts.items()} == expected
    assert 0 < total(list(counts.values())).right < total(list(counts.values())).found


def test_a_case_worked_out_by_hand(write):
    """The surer box takes the only truth; another category, another image and half an overlap are wrong."""
    true = [row((0, 0, 10, 10)), row((50, 50, 10, 10)), row((0, 0, 10, 10), image=2, category=7)]
    found = [
        row((0, 0, 10, 8), score=0.6),
        row((0, 0, 10, 9), score=0.8),
        row((50, 50, 10, 10), category=7),
        row((0, 0, 10, 10), image=2),
        row((0, 4, 10, 10), image=2, category=7),  # 60 of 140
    ]
    counts = compared(write, found, true)
    assert counts == {1: Agreement(1, 3, 2), 7: Agreement(0, 2, 1)}
    both = total(list(counts.values()))
    assert (both.precision, both.recall, both.f1) == (1 / 5, 1 / 3, pytest.approx(1 / 4))
    assert compared(write, found, true, iou=0.4)[7].right == 1
    assert compared(write, found, true, score=0.7)[1] == Agreement(1, 2, 2)
    lines = table([("1", counts[1]), ("all", both)], iou=0.5, score=0.0).splitlines()
    assert lines[-2].split() == ["all", "0.200", "0.333", "0.250", "5", "3"]


def test_nothing_found_is_no_division_by_zero(write):
    counts = compared(write, [], [row((0, 0, 4, 4))])
    assert counts[1].record() == {"precision": 0, "recall": 0, "f1": 0, "right": 0, "found": 0, "true": 1}
    assert overlaps([(0, 0, 0, 0)], [(0, 0, 0, 0), (0, 0, 1, 1)]).tolist() == [[0, 0]]


def test_dictionaries_of_coco(write):
    annotation = {key: value for key, value in row((0, 0, 4, 4)).items() if key != "score"}
    whole = {"images": [{"id": 1}, {"id": 2}], "annotations": [annotation], "categories": [{"id": 1, "name": "car"}]}
    truth = read_detections(write("true", whole))
    assert truth.names == {1: "car"} and truth.by_place[1, 1][0].score == 1
    assert compare(read_detections(write("found", [row((0, 0, 4, 4), image=2)])), truth)[1] == Agreement(0, 1, 1)
    with pytest.raises(UserError, match="the restored photos' image_id 3 is unknown among the sharp ones"):
        compare(read_detections(write("found", [row((0, 0, 4, 4), image=3)])), truth)


def test_categories_whose_names_are_no_text_have_a_line_in_the_table(write):
    whole = {"images": [{"id": 1}], "annotations": [row((0, 0, 4, 4))], "categories": [{"id": 1, "name": 5}]}
    names = read_detections(write("numbered", whole)).names
    assert table([(names[1], Agreement(1, 1, 1))], iou=0.5, score=0).splitlines()[1].split()[0] == "5"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "is not JSON"),
        ({"images": []}, "lacks 'annotations' or 'images'"),
        ({"images": [{}], "annotations": []}, "is not in COCO's format \\('id'\\)"),
        (5, "is not in COCO's format"),
        ([5], "detection 0 lacks image_id, category_id, bbox, score"),
        ([{"image_id": 1, "category_id": 1, "bbox": [0, 0, 1, 1]}], "detection 0 lacks score"),
        ([row((0, 0, 1, 1)), row((0, 0, 1))], "detection 1 is not in COCO's format"),
        ([row((0, 0, -1, 1))], "holds no finite numbers, or a negative side"),
        ([row((0, 0, 1, 1), image=[1])], "unhashable type"),
        ({"images": [{"id": 2}], "annotations": [row((0, 0, 1, 1))]}, "image_id 1 is not among the file's images"),
    ],
)
def test_broken_files_take_one_line(content, message, write):
    with pytest.raises(UserError, match=message) as error:
        read_detections(write("broken", content))
    assert "broken.json" in str(error.value) and "\n" not in str(error.value)


def test_mistakes_are_named(write, tmp_path):
    with pytest.raises(UserError, match="cannot read the detections .*gone.json"):
        read_detections(tmp_path / "gone.json")
    box = [row((0, 0, 4, 4))]
    with pytest.raises(UserError, match=r"iou=0 must lie in \(0, 1\] and score=0.0 in \[0, 1\]"):
        compared(write, box, box, iou=0)
    with pytest.raises(UserError, match="no detection with a score of 0.95 or more; lower --score"):
        compared(write, box, box, score=0.95)
    with pytest.raises(UserError, match="no image_id occurs among both"):
        compared(write, [row((0, 0, 4, 4), image="a.png")], box)
