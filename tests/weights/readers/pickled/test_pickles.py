"""The machine that reads pickles: the same data as Python's own unpickler, and nothing else."""

import collections
import io
import pickle

import pytest

from jaxsr.weights.readers.pickled.pickle_objects import Global, Holder, PickleRefused
from jaxsr.weights.readers.pickled.pickles import Machine

DATA = {
    "numbers": [0, -1, 255, 65536, -(2**31), 2**70, 1.5, True, False, None],
    "texts": ("", "a", "é\n\x00", "x" * 300, b"bytes", b"y" * 300),
    "nested": {1: {"a": [[], (), {}, set(), {1, "b"}, (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4)]}, (2, "x"): None},
}


def load(content):
    """Return what the machine makes of a pickle whose names are all of unknown classes."""
    return Machine(lambda module, name: Global(f"{module}.{name}", inert=True), lambda pid: ("id", pid)).load(
        io.BytesIO(content)
    )


@pytest.mark.parametrize("protocol", [0, 1, 2, 3, 4, 5])
def test_the_same_data_as_pythons(protocol):
    data = {**DATA, "texts": DATA["texts"][:4], "nested": 1} if protocol < 4 else DATA  # else through classes
    assert load(pickle.dumps(data, protocol)) == data


@pytest.mark.parametrize("protocol", [2, 4])
def test_shared_objects_stay_shared(protocol):
    inner = [1]
    first, second = load(pickle.dumps([inner, inner], protocol))
    assert first is second


def test_objects_of_unknown_classes_are_holders_of_their_state():
    content = pickle.dumps(Holder(), 2)
    plain = load(content)
    assert type(plain) is Holder and plain.state is None
    stated = Holder()
    stated.state = {"a": 1}
    assert load(pickle.dumps(stated, 2)).state == {"state": {"a": 1}}


def test_calls_of_unknown_names_are_refused():
    with pytest.raises(PickleRefused, match=r"it calls collections\.OrderedDict, which is not a tensor"):
        load(pickle.dumps(collections.OrderedDict(a=1), 2))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"(t", "ends early|truncated|exhausted"),
        (b"0.", "a mark is missing"),
        (b"2.", "its stack is empty"),
        (b"t.", "a mark is missing"),
        (b"h\x07.", "refers to object 7"),
        (b"}K\x01K\x02K\x03s.", "it changes a int"),
        (b"\x82\x01.", "opcode EXT1"),
        (b"(K\x01iposix\nsystem\n.", "opcode INST"),
        (b"(cposix\nsystem\nK\x01o.", "opcode OBJ"),
        (b"K\x01)R.", "it calls a int"),
        (b"}" + b"\x8b\x09\x00\x00\x00" + b"\x01" * 9 + b"Ns.", "a number of more than 60 bits"),
    ],
)
def test_what_is_broken_or_more_than_data(content, message):
    with pytest.raises(ValueError, match=message):
        load(content)
