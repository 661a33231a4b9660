"""TensorFlow's checkpoints of both kinds, and damaged ones."""

import random

import numpy as np
import pytest

from jaxsr.support.errors import UserError
from jaxsr.weights.formats import read_tensors
from jaxsr.weights.readers.bounds import Budget
from jaxsr.weights.readers.sorted_tables import unsnapped
from tests.helpers.tensorflow_writer import block, bundle, field, single_file, snapped, table, varint, write_bundle

RNG = np.random.default_rng(4)
TENSORS = {
    "scope/W-1_conv": RNG.random((3, 3, 1, 4), np.float32),
    "scope/W-1_conv/Adam": np.zeros((3, 3, 1, 4), np.float32),
    "scope/B-1": RNG.random(4),
    "global_step": np.int64(-7),
    "steps": np.arange(-3, 3, dtype=np.int32),
    **{f"many/layer{i}": np.full((2, 2), i, np.float32) for i in range(50)},
}


@pytest.mark.parametrize("shards", [1, 3])
@pytest.mark.parametrize("given", ["model.ckpt.index", "model.ckpt", "model.ckpt.data-00000-of-{:05}"])
def test_an_index_with_its_files(given, shards, tmp_path):
    write_bundle(tmp_path / "model.ckpt", TENSORS, shards=shards)
    read = read_tensors(tmp_path / given.format(shards))
    assert set(read) == set(TENSORS)
    for name, x in TENSORS.items():
        np.testing.assert_array_equal(read[name], x)


def test_a_checkpoint_of_one_file(tmp_path):
    path = tmp_path / "model.ckpt-1000"
    path.write_bytes(single_file(TENSORS))
    read = read_tensors(path)
    assert set(read) == set(TENSORS)
    for name, x in TENSORS.items():
        np.testing.assert_array_equal(read[name], x)


@pytest.mark.parametrize("data", [b"", b"abc", bytes(5000), b"ab" * 300 + b"c" * 300])
def test_snappy(data, tmp_path):
    (tmp_path / "w").write_bytes(b"x")
    assert unsnapped(snapped(data), Budget(tmp_path / "w")) == data


def test_copies_of_all_kinds_may_overlap_what_they_make(tmp_path):
    """A copy of 1 byte of offset, of 2 and of 4; "ab" repeated from 2 bytes back."""
    (tmp_path / "w").write_bytes(b"x")
    pieces = bytes([1 << 2]) + b"ab" + bytes([(5 - 4) << 2 | 1, 2]) + bytes([2 << 2 | 2, 7, 0])
    pieces += bytes([3 << 2 | 3, 10, 0, 0, 0])
    assert unsnapped(bytes([14]) + pieces, Budget(tmp_path / "w")) == b"abababa" + b"aba" + b"abab"


@pytest.mark.parametrize(
    ("piece", "message"),
    [
        (bytes([2 << 2 | 2, 7, 0]), "refers to what is before it"),
        (bytes([2 << 2 | 2, 0, 0]), "repeats nothing"),
        (bytes([63 << 2, 1]), "ends early"),
        (bytes([9 << 2]) + b"0123456789", "longer than it says"),
        (b"", "shorter than it says"),
    ],
)
def test_broken_compression(piece, message, tmp_path):
    (tmp_path / "w").write_bytes(b"x")
    with pytest.raises(ValueError, match=message):
        unsnapped(bytes([5]) + piece, Budget(tmp_path / "w"))


def hostile():
    """Yield checkpoints that ask for too much, or refer to what is not there."""
    header = field(1, 1)
    entry = field(1, 1) + field(2, field(2, field(1, 4)))
    yield "claims_more", table({b"": header, b"w": entry + field(5, 400)})
    yield "beyond_the_file", table({b"": header, b"w": entry + field(4, 2**40) + field(5, 16)})
    yield "sides", table({b"": header, b"w": field(1, 1) + field(2, field(2, field(1, 2**60))) + field(5, 16)})
    yield "shards", table({b"": field(1, 2**30), b"w": entry + field(5, 16)})
    yield "no_header", table({b"w": entry})
    yield "another_shard", table({b"": header, b"w": entry + field(3, 7) + field(5, 16)})
    yield "in_parts", table({b"": header, b"w": entry + field(5, 16) + field(7, b"")})
    yield "long_name", table({b"": header, b"w" * 5000: entry + field(5, 16)})
    bomb = varint(2**40) + bytes([0, 0])
    place = varint(0) + varint(len(bomb))
    index = block([(b"w", place)])
    start = len(bomb) + 5
    handles = varint(start) + varint(len(index) - 5)
    yield "bomb", bomb + b"\1" + bytes(4) + index + (handles * 2).ljust(40, b"\0") + bytes.fromhex("57fb808b247547db")


@pytest.mark.parametrize(("name", "content"), list(hostile()))
def test_hostile_ones_are_refused_in_one_line(name, content, tmp_path):
    path = tmp_path / "model.index"
    path.write_bytes(content)
    (tmp_path / "model.data-00000-of-00001").write_bytes(bytes(16))
    with pytest.raises(UserError, match="is not a readable checkpoint of TensorFlow: ") as refusal:
        read_tensors(path)
    assert str(refusal.value).isprintable()


def test_damaged_ones_are_refused_or_read(tmp_path):
    """Whatever bytes change, nothing but a UserError is raised."""
    random_, refused = random.Random(0), 0
    index, (numbers,) = bundle(TENSORS)
    (tmp_path / "m.data-00000-of-00001").write_bytes(numbers)
    for content, name in ((index, "m.index"), (single_file(TENSORS), "n.ckpt")):
        for number in range(50):
            damaged = bytearray(content)
            for _ in range(random_.choice([1, 4, 30])):
                damaged[random_.randrange(len(content))] = random_.randrange(256)
            damaged = damaged[: random_.randrange(len(content))] if number % 5 == 0 else damaged
            (tmp_path / name).write_bytes(damaged)
            try:
                read_tensors(tmp_path / name)
            except UserError:
                refused += 1
    assert refused > 30


def test_missing_numbers_are_named(tmp_path):
    write_bundle(tmp_path / "model", TENSORS)
    (tmp_path / "model.data-00000-of-00001").unlink()
    with pytest.raises(UserError, match=r"model.data-00000-of-00001 is missing beside it; give the whole checkpoint"):
        read_tensors(tmp_path / "model.index")
