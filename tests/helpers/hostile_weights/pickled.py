"""Pickles that run code, end the interpreter, or take hours and gigabytes, in both of PyTorch's formats."""

import collections
import io
import itertools
import os
import pickle
import struct
import zipfile
from collections.abc import Iterator

from tests.helpers.torch_writer import LEGACY_HEADERS

PROTO, STOP, MARK = b"\x80\x02", b".", b"("
COMMAND = b"X\x04\x00\x00\x00true"
STORAGE = b"(X\x07\x00\x00\x00storagectorch\nFloatStorage\nX\x01\x00\x00\x000X\x03\x00\x00\x00cpuK\x04tQ"
REBUILD = b"ctorch._utils\n_rebuild_tensor_v2\n"
CALLED = (
    *("posix system", "os system", "nt system", "builtins eval", "builtins exec", "__builtin__ eval", "os popen"),
    *("subprocess Popen", "builtins getattr", "builtins __import__", "operator methodcaller", "shutil rmtree"),
    *("torch.hub load", "torch load", "numpy load", "pickle loads", "runpy run_path", "webbrowser open"),
    *("functools partial", "importlib import_module", "codecs open", "_codecs open", "collections defaultdict"),
    *(
        "numpy.testing._private.utils runstring",
        "torch.serialization load",
        "cProfile runctx",
        "pdb run",
        "timeit main",
    ),
    *("numpy.f2py.crackfortran myeval", "torch.storage _load_from_bytes", "os\nsystem posix", "asyncio.unix_events x"),
)


def number(value: int) -> bytes:
    """Return the opcode of a whole number of any size."""
    content = value.to_bytes(value.bit_length() // 8 + 1, "little", signed=True)
    return b"\x8b" + struct.pack("<i", len(content)) + content


def sides(*values) -> bytes:
    """Return a tuple of numbers."""
    return MARK + b"".join(map(number, values)) + b"t"


def view(offset: int = 0, size: bytes = sides(4), stride: bytes = sides(1), storage: bytes = STORAGE) -> bytes:
    """Return a tensor."""
    return REBUILD + MARK + storage + number(offset) + size + stride + b"\x89}tR"


def entry(value: bytes, key: bytes = b"X\x01\x00\x00\x00a") -> bytes:
    """Return a dictionary of one entry."""
    return b"}" + key + value + b"s"


def doubling(opcode: bytes, count: int) -> bytes:
    """Return an object that holds the one before it twice, and so on: few bytes, 2**count objects."""
    places = [bytes([number % 250]) for number in range(count + 1)]
    steps = [b"0h" + old + b"h" + old + opcode + b"q" + new for old, new in itertools.pairwise(places)]
    return b")q" + places[0] + b"".join(steps)


def bodies() -> Iterator[tuple[str, bytes]]:
    """Yield pickles without their start and end."""
    for place, names in enumerate(CALLED):
        module, _, name = names.rpartition(" ")
        line = b"c" + module.encode() + b"\n" + name.encode() + b"\n"
        yield f"call{place}", entry(line + COMMAND + b"\x85R")
        if place < 6:
            yield f"new{place}", entry(line + COMMAND + b"\x85\x81")
            yield f"build{place}", entry(line + COMMAND + b"b")
    yield "instance", MARK + COMMAND + b"iposix\nsystem\n"
    yield "object", MARK + b"cposix\nsystem\n" + COMMAND + b"o"
    yield "extension", b"\x82\x01" + COMMAND + b"\x85R"
    yield "stack_global", b"\x8c\x05posix\x8c\x06system\x93" + COMMAND + b"\x85R"
    yield "key_of_nested_tuples", entry(b"K\x01", b")" + b"\x85" * 2_000_000)
    yield "set_of_nested_tuples", b"\x8f(" + b")" + b"\x85" * 500_000 + b"\x90"
    yield "key_of_doubled_tuples", entry(b"K\x01", doubling(b"\x86", 200))
    yield "ordered_key_of_doubled", b"ccollections\nOrderedDict\n]](" + doubling(b"\x86", 200) + b"K\x01ea\x85R"
    yield "doubled_lists", entry(doubling(b"\x86", 200))
    yield "nested_lists", b"]" * 900_000 + b"a" * 899_999
    yield "nested_dictionaries", b"}" * 200_000 + (b"K\x01" + b"}" + b"s") * 3
    yield "list_in_itself", b"]q\x00h\x00a"
    yield "dictionary_in_itself", b"}q\x00X\x01\x00\x00\x00ah\x00s"
    yield "marks", MARK * 3_000_000
    yield "duplicates", b"K\x012" * 2_000_000
    yield "no_stack", b"0000"
    yield "no_mark", b"t"
    yield "no_memo", b"h\x07"
    yield "memo_of_nothing", b"q\x07"
    yield "long_text", b"X\xff\xff\xff\x7fabc"
    yield "text_of_2e63", b"\x8d" + b"\xff" * 8 + b"abc"
    yield "bytes_of_2e62", b"\x8e" + struct.pack("<Q", 2**62) + b"abc"
    yield "number_of_2e31", b"\x8b\xff\xff\xff\x7f1"
    yield "long_number", entry(b"I" + b"9" * 10**6 + b"\n")
    yield "colliding_keys", b"}(" + b"".join(number(i * (2**61 - 1)) + b"N" for i in range(60_000)) + b"u"
    yield "many_classes", b"".join(b"cmodule%d\nname\n0" % i for i in range(400_000)) + b"}"
    yield "nothing", b""
    yield "none", b"N"
    yield "frame", b"\x95" + b"\xff" * 8 + b"}"
    yield "set_on_a_number", b"K\x01K\x02K\x03s"
    yield "append_to_a_tuple", b")K\x01a"
    yield "persistent_text", b"Pstorage\n"
    yield "persistent_number", b"K\x05Q"
    yield "module", b"(X\x06\x00\x00\x00modulecos\nsystem\ntQ" + COMMAND + b"\x85R"
    yield "calls_a_storage", entry(b"ctorch\nFloatStorage\n" + COMMAND + b"\x85R")
    yield from _tensors()


def _tensors() -> Iterator[tuple[str, bytes]]:
    tensors = {
        "zero_strides": view(0, sides(10**5, 10**5), sides(0, 0)),
        "zero_strides_overflow": view(0, sides(2**40, 2**40), sides(0, 0)),
        "empty_overflow": view(0, sides(2**47, 2**47, 0), sides(1, 1, 1)),
        "negative_size": view(0, sides(-4), sides(1)),
        "negative_stride": view(3, sides(4), sides(-1)),
        "negative_offset": view(-1),
        "offset": view(1),
        "offset_2e63": view(2**63),
        "size_2e200": view(0, sides(2**200), sides(1)),
        "many_axes": view(0, sides(*[1] * 5000), sides(*[1] * 5000)),
        "unequal": view(0, sides(2, 2), sides(1)),
        "size_of_texts": view(0, MARK + b"X\x01\x00\x00\x004t"),
        "size_of_floats": view(0, MARK + b"G" + struct.pack(">d", 4) + b"t"),
        "no_storage": view(storage=b"N"),
        "storage_of_text": view(storage=STORAGE.replace(b"ctorch\nFloatStorage\n", b"X\x01\x00\x00\x00f")),
        "storage_unknown": view(storage=STORAGE.replace(b"FloatStorage", b"Float8_e4m3fnStorage")),
        "storage_missing": view(storage=STORAGE.replace(b"X\x01\x00\x00\x000X", b"X\x01\x00\x00\x007X")),
        "storage_elsewhere": view(storage=STORAGE.replace(b"X\x01\x00\x00\x000X", b"X\x0b\x00\x00\x00../data.pklX")),
        "short_call": REBUILD + MARK + STORAGE + b"tR",
    }
    for name, tensor in tensors.items():
        yield name, entry(tensor)
    yield (
        "shared_a_thousand_times",
        b"}(" + b"".join(number(i) + view(0, sides(10**3, 10**3), sides(0, 0)) for i in range(1000)) + b"u",
    )
    yield (
        "long_names",
        entry(b"}(" + b"".join(number(i) + view() for i in range(2000)) + b"u", b"X@B\x0f\x00" + b"n" * 10**6),
    )
    yield "control_names", entry(view(9), b"X\x0a\x00\x00\x00\x1b[31m\r\n\x00\x07\x1b")


def zipped(body: bytes, *, elements: int = 4, root: str = "archive/data.pkl") -> bytes:
    """Return PyTorch's archive of a pickle and one storage."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr(root, PROTO + body + STOP)
        archive.writestr("archive/data/0", bytes(4 * elements))
    return stream.getvalue()


def streamed(body: bytes, count: int = 4) -> bytes:
    """Return PyTorch's old stream of a pickle and one storage."""
    return LEGACY_HEADERS + PROTO + body + STOP + pickle.dumps(["0"], 2) + struct.pack("<q", count) + bytes(16)


def cases() -> Iterator[tuple[str, bytes]]:
    """Yield each pickle in an archive, every third in a stream too, and what is wrong around them."""
    for place, (name, body) in enumerate(bodies()):
        yield f"{name}.pth", zipped(body)
        if place % 3 == 0:
            yield f"{name}_stream.pth", streamed(body)
    for place, count in enumerate((-1, 3, 2**40, -(2**63), 2**62)):
        yield f"count{place}.pth", streamed(entry(view()), count)
    yield "unknown_storage.pth", streamed(b"}")
    yield "keys_nested.pth", LEGACY_HEADERS + PROTO + entry(view()) + STOP + PROTO + b")" + b"\x85" * 999_000 + STOP
    yield "system_hostile.pth", pickle.dumps(0x1950A86A20F9469CFC6C, 2) * 2 + pickle.dumps(_Runs(), 2)
    yield "magic.pth", pickle.dumps(3, 2)
    yield "plain_pickle.pth", pickle.dumps({"a": [1, 2]}, 2)
    yield "plain_hostile.pt", pickle.dumps(_Runs(), 4)
    yield "ordered_hostile.ckpt", zipped(pickle.dumps(collections.OrderedDict(a=_Runs()), 2)[2:-1])
    yield "no_root.pth", zipped(entry(view()), root="archive/other.pkl")


class _Runs:
    """Pickles as a call."""

    def __reduce__(self):
        return os.system, ("true",)
