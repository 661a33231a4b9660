"""Hostile weight files are refused in one readable line, soon and in little memory; honest ones of few bits load."""

import json
import subprocess
import sys

import ml_dtypes
import numpy as np
import pytest

from jaxsr import load
from jaxsr.support.errors import UserError
from jaxsr.support.messages import MAX_LINE
from jaxsr.weights.formats import read_tensors
from jaxsr.weights.importers import import_tensors
from tests.helpers.hostile_weights import cards, damaged, matlab, pickled, refused
from tests.helpers.hostile_weights.hierarchies import BUILDERS
from tests.helpers.hostile_weights.honest import arrays, every_format, hdf5, lower_precision, own_arrays

CASES = 250
MAX_SECONDS, MAX_BYTES = 10, 2 * 2**30
QUICK_HDF5 = (
    "external_link",
    "soft_link",
    "external_storage",
    "virtual",
    "group_cycle",
    "reference_cycle",
    "late_gzip",
)


def check_line(message: str) -> None:
    """Assert that a message is one readable line."""
    assert message.isprintable() and 20 < len(message) <= MAX_LINE and "memory" not in message, message


@pytest.mark.slow
def test_all_of_them(tmp_path):
    """Every file through loading and importing in one process, which may take 2 GiB more of addresses."""
    hostile, chance = refused(), damaged()
    assert len(hostile) > CASES
    for name, content in {**hostile, **chance}.items():
        (tmp_path / name).write_bytes(content)
    line = [sys.executable, "-m", "tests.helpers.hostile_weights.trial", str(tmp_path)]
    result = subprocess.run(line, capture_output=True, text=True, check=False, timeout=500)
    records = {r["file"]: r for r in map(json.loads, filter(lambda x: x[0] == "{", result.stdout.splitlines()))}
    assert set(records) == {*hostile, *chance}, result.stderr[-500:]  # or a file has ended the interpreter
    for name, record in records.items():
        assert not record["crash"], (name, record["crash"])
        assert name in chance or not record["read"], f"{name} was read"
        assert record["seconds"] < MAX_SECONDS and record["peak"] < MAX_BYTES, record
        assert bool(record["messages"]) or record["read"], name
        for message in record["messages"]:
            check_line(message)
    assert 5 < sum(records[name]["read"] > 0 for name in chance) < len(chance) / 3


@pytest.mark.parametrize("module", [cards, pickled, matlab])
def test_a_choice_of_each_kind(module, tmp_path):
    for place, (name, content) in enumerate(module.cases()):
        if place % 5 or len(content) > 300_000:  # the others are left to the slow test
            continue
        path = tmp_path / name
        path.write_bytes(content)
        with pytest.raises(UserError) as refusal:
            load(path) if path.suffix == ".safetensors" else import_tensors("espcn", read_tensors(path))
        check_line(str(refusal.value))


@pytest.mark.parametrize("opcodes", [b")" + b"\x85" * 200_000, pickled.doubling(b"\x86", 200)])
def test_keys_of_tuples_do_not_end_the_interpreter(opcodes, tmp_path):
    (tmp_path / "weights.pth").write_bytes(pickled.zipped(pickled.entry(b"K\x01", opcodes)))
    with pytest.raises(UserError, match="is refused: a key is a tuple of other objects"):
        read_tensors(tmp_path / "weights.pth")


@pytest.mark.parametrize("name", QUICK_HDF5)
def test_hdf5(name, tmp_path):
    path = tmp_path / "weights.mat"
    path.write_bytes(hdf5(BUILDERS[name]))
    with pytest.raises(UserError, match="is not a readable MATLAB file") as refusal:
        read_tensors(path)
    check_line(str(refusal.value))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\n<!DOCTYPE html><html>", "is a web page, not weights"),
        (b"<?xml version='1.0'?><Error/>", "is a web page, not weights"),
        (
            b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 5\n",
            "is a pointer of git-lfs.*git lfs pull",
        ),
        (b"", "is empty; get it again"),
    ],
)
@pytest.mark.parametrize("suffix", ["safetensors", "pth", "mat", "npz", "npy"])
def test_downloads_of_something_else_are_called_that(content, message, suffix, tmp_path):
    path = tmp_path / f"weights.{suffix}"
    path.write_bytes(content)
    with pytest.raises(UserError, match=message):
        read_tensors(path)
    if suffix == "safetensors":
        with pytest.raises(UserError, match=message):
            load(path)


@pytest.mark.parametrize("name", [name for name in every_format() if not name.endswith(".npy")])
def test_the_honest_files_are_read(name, tmp_path):
    (tmp_path / name).write_bytes(every_format()[name])
    if name.startswith("own"):
        kernel, expected = load(tmp_path / name).params["conv2"]["kernel"], own_arrays()["params/conv2/kernel"]
    else:
        tensors, expected = read_tensors(tmp_path / name), arrays()["conv2.weight"]
        kernel = tensors.get("conv2.weight", tensors.get("model.conv2_weight"))
    np.testing.assert_array_equal(kernel, expected)


@pytest.mark.parametrize("name", list(lower_precision()))
def test_fewer_bits_load_as_float32(name, tmp_path):
    """The values are such that no type loses any of them."""
    path = tmp_path / name
    path.write_bytes(lower_precision()[name])
    if name.startswith("own"):
        params, expected = load(path).params, own_arrays()
    else:
        params, expected = import_tensors("espcn", read_tensors(path)).params, None
    for layer in ("conv1", "conv2"):
        kernel = params[layer]["kernel"]
        right = expected[f"params/{layer}/kernel"] if expected else arrays()[f"{layer}.weight"].transpose(2, 3, 1, 0)
        assert kernel.dtype == np.float32
        np.testing.assert_array_equal(kernel, right)


def test_bfloat16_is_not_read_as_something_else(tmp_path):
    """Values that only bfloat16 rounds in this way."""
    values = np.float32([1.0, 1.0078125, 3.0e38, -1e-30])
    np.savez(tmp_path / "w.npz", a=values.astype(ml_dtypes.bfloat16))
    np.testing.assert_array_equal(
        read_tensors(tmp_path / "w.npz")["a"], values.astype(ml_dtypes.bfloat16).astype(np.float32)
    )
