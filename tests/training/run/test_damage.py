"""Damaged run folders: every file of a checkpoint emptied, cut, flipped or missing; config.json; metrics.jsonl."""

import json
import shutil

import numpy as np
import pytest

from jaxsr.support.errors import UserError
from jaxsr.training.loop import train
from jaxsr.training.run.checkpoints import Checkpoints
from tests.helpers.training import records, weights

FIELDS = {"steps": 4, "log_every": 1, "checkpoint_every": 2, "validate_every": 4}
DAMAGES = {
    "emptied": lambda data: b"",
    "cut": lambda data: data[: len(data) // 2],
    "first byte flipped": lambda data: flipped(data, 0),
    "a middle byte flipped": lambda data: flipped(data, len(data) // 2),
    "last byte flipped": lambda data: flipped(data, len(data) - 1),
    "missing": None,
}

DEFAULT = "a middle byte flipped"


def flipped(data, place):
    changed = bytearray(data)
    changed[place] ^= 0x10
    return bytes(changed)


_RUN = []  # made once: `tiny` is a fixture of each test


@pytest.fixture
def run(tiny, tmp_path_factory):
    """Return the folder of a finished run with checkpoints of steps 2 and 4, and the arrays of these by step."""
    if not _RUN:
        _RUN.append(finished_run(tiny, tmp_path_factory.mktemp("runs") / "run"))
    return _RUN[0]


def finished_run(tiny, folder):
    train(tiny(**FIELDS), folder)
    states = {4: restored(folder)[0]}
    shutil.copytree(folder, earlier := folder.parent / "earlier")
    shutil.rmtree(earlier / "checkpoints" / "4")
    states[2] = restored(earlier)[0]
    assert any((states[2][path] != states[4][path]).any() for path in states[2])
    return folder, states


def restored(folder):
    checkpoints = Checkpoints(folder)
    arrays, _ = checkpoints.restore()
    checkpoints.close()
    return arrays, checkpoints.latest


def files_of(folder):
    return sorted(path for path in (folder / "checkpoints" / "4").rglob("*") if path.is_file())


def damage(path, change):
    if change is None:
        path.unlink()
    else:
        path.write_bytes(change(path.read_bytes()))


@pytest.mark.parametrize(
    "kind", [kind if kind == DEFAULT else pytest.param(kind, marks=pytest.mark.slow) for kind in DAMAGES]
)
def test_a_damaged_checkpoint_never_gives_other_weights(kind, run, tmp_path, capsys):
    """It is set aside and the one before it taken, unless its arrays are what they were."""
    folder, states = run
    names = [path.relative_to(folder) for path in files_of(folder)]
    assert len(names) >= 10
    for number, name in enumerate(names):
        copy = tmp_path / str(number)
        shutil.copytree(folder, copy)
        damage(copy / name, DAMAGES[kind])
        arrays, step = restored(copy)
        assert step in states, f"{name} {kind}"
        for path, expected in states[step].items():
            np.testing.assert_array_equal(arrays[path], expected, err_msg=f"{name} {kind}: {path}")
        said = capsys.readouterr().out
        assert ("checkpoint 4 is damaged (" in said) == (step == 2), f"{name} {kind}"
        assert (copy / "set_aside" / "4").is_dir() == (step == 2)
        shutil.rmtree(copy)


def test_a_flipped_bit_of_the_arrays_is_found(run, tmp_path):
    """Not only where it breaks the format: the largest file holds nothing but arrays."""
    folder, _ = run
    largest = max(files_of(folder), key=lambda path: path.stat().st_size).relative_to(folder)
    for place in (0.3, 0.6, 0.9):
        copy = tmp_path / str(place)
        shutil.copytree(folder, copy)
        data = (copy / largest).read_bytes()
        (copy / largest).write_bytes(flipped(data, int(place * len(data))))
        assert restored(copy)[1] == 2


@pytest.mark.slow
def test_a_run_goes_on_from_the_newest_whole_one(run, tiny, tmp_path, capsys):
    folder, _ = run
    shutil.copytree(folder, copy := tmp_path / "run")
    damage(next(iter((copy / "checkpoints" / "4" / "state" / "d").iterdir())), DAMAGES["cut"])
    assert train(tiny(**FIELDS), copy).step == 4
    assert "resuming from step 2 of 4" in capsys.readouterr().out
    expected, found = weights(folder), weights(copy)
    for name in expected:  # up to rounding: the run may have been compiled with other options, as slow tests are
        np.testing.assert_allclose(found[name], expected[name], atol=1e-5)


@pytest.mark.slow
def test_without_a_whole_one_it_begins_anew(run, tiny, tmp_path, capsys):
    folder, _ = run
    shutil.copytree(folder, copy := tmp_path / "run")
    for step in ("2", "4"):
        damage(copy / "checkpoints" / step / "meta" / "metadata", DAMAGES["emptied"])
    assert train(tiny(**FIELDS), copy).step == 4
    said = capsys.readouterr().out
    assert said.count("is damaged") == 2 and "resuming" not in said
    assert {path.name for path in (copy / "set_aside").iterdir()} == {"2", "4"}
    assert [line["step"] for line in records(copy, "train")] == [1, 2, 3, 4]


@pytest.mark.parametrize("content", [b"", b'{"steps": 4, "mod', b"\xff\xfe\x00", b"[1, 2]"])
def test_config_json_is_written_again(content, run, tiny, tmp_path, capsys):
    folder, _ = run
    shutil.copytree(folder, copy := tmp_path / "run")
    (copy / "config.json").write_bytes(content)
    train(tiny(**FIELDS), copy)
    assert "config.json is damaged; it is written again" in capsys.readouterr().out
    assert json.loads((copy / "config.json").read_text()) == json.loads((folder / "config.json").read_text())


def test_damaged_lines_of_the_log_are_left_out(run, tiny, tmp_path, capsys):
    folder, _ = run
    shutil.copytree(folder, copy := tmp_path / "run")
    lines = (copy / "metrics.jsonl").read_bytes().splitlines()
    lines[1:3] = [b"\x00\xff\x00", b'{"step": "two"}']
    (copy / "metrics.jsonl").write_bytes(b"\n".join(lines) + b"\n")
    train(tiny(**FIELDS), copy)
    assert "2 of 5 lines are damaged and left out" in capsys.readouterr().out
    assert [line["step"] for line in records(copy, "train")] == [1, 4]


def test_a_checkpoint_of_before_is_refused_and_stays(run, tmp_path):
    """Its format had no checksum."""
    folder, _ = run
    shutil.copytree(folder, copy := tmp_path / "run")
    (copy / "checkpoints" / "4" / "meta" / "metadata").write_text('{"position": null, "config": {}}')
    with pytest.raises(UserError, match="checkpoint 4 in .* is of an older version, without a checksum; finish"):
        restored(copy)
    assert (copy / "checkpoints" / "4").is_dir() and not (copy / "set_aside").exists()
