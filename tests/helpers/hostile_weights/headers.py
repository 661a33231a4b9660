"""Headers of .safetensors and .npy that promise what the file does not have."""

import io
import json
import zipfile
from collections.abc import Iterator

import numpy as np

from tests.helpers.hostile_weights.honest import npz

LENGTHS = (0, 1, 7, 10**8, 2**31, 2**62, 2**63, 2**64 - 1)
ONE = {"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}
ENTRIES = {
    "dtype": ["F4", "F128", "", None, 3, "OBJECT", "F8_E4M3", "F8_E5M2"],
    "shape": [[-2], [2**63], [2**62, 2**62], [3], [1] * 70, "2", None, [2.5], [2**32, 2**32, 0], [[2]]],
    "data_offsets": [[8, 0], [0, 9], [-8, 0], [0, 2**63], [4, 12], [0], None, "08", [0, 4], [2**64, 2**64 + 8]],
}
DUPLICATE = (
    '{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"a":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}'
)
SHAPES = (
    *("(-1,)", "(1000000000000,)", "(4294967296, 4294967296)", "(2, 9999999999999999999999)", "(1,) * 9", "[2]"),
    *("(3,)", "2", "None", "(True,)", "('2',)", "(2, 2.0)", "(9223372036854775807, 2)", f"({'1,' * 70})"),
)
DTYPES = ("'O'", "'|O8'", "'V1'", "'c8'", "'<U2'", "'S4'", "'M8[s]'", "[('a', 'O')]", "'x'", "3", "None", "'f3'")


def _safetensors(header, content: bytes = bytes(8)) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + content


def npy(shape: str = "(2,)", dtype: str = "'<f4'", content: bytes = bytes(8), version: int = 1) -> bytes:
    """Return a .npy file with a header of one's own."""
    header = f"{{'descr': {dtype}, 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    return (
        b"\x93NUMPY" + bytes([version, 0]) + len(header).to_bytes(2 if version == 1 else 4, "little") + header + content
    )


def cases() -> Iterator[tuple[str, bytes]]:
    """Yield files with wrong lengths, types, shapes, offsets and names."""
    for number, length in enumerate(LENGTHS):
        yield f"length{number}.safetensors", length.to_bytes(8, "little") + json.dumps(ONE).encode()[2:] + bytes(8)
    for field, values in ENTRIES.items():
        for number, value in enumerate(values):
            yield f"{field}{number}.safetensors", _safetensors({"a": {**ONE["a"], field: value}})
    overlapping = {**ONE, "b": {"dtype": "F32", "shape": [2], "data_offsets": [4, 12]}}
    yield "overlapping.safetensors", _safetensors(overlapping, bytes(12))
    yield "duplicate.safetensors", _safetensors(DUPLICATE.encode(), bytes(12))
    yield "deep.safetensors", _safetensors(b'{"a":' + b"[" * 10**6)
    yield "huge_header.safetensors", _safetensors(b'{"a":"' + b"x" * (40 * 2**20) + b'"}')
    many = {f"{i}": {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]} for i in range(150_000)}
    yield "many.safetensors", _safetensors(many, b"")
    yield from _npy()


def _npy() -> Iterator[tuple[str, bytes]]:
    for number, shape in enumerate(SHAPES):
        yield f"shape{number}.npy", npy(shape)
    for number, dtype in enumerate(DTYPES):
        yield f"dtype{number}.npy", npy("(2,)", dtype)
        yield f"dtype{number}.npz", npz_of(npy("(2,)", dtype))
    yield "version9.npy", npy(version=9)
    yield "version3.npy", npy(version=3)
    yield "long_header.npy", npy(f"(2,{' ' * 60_000})")
    yield "deep_header.npy", npy("(" * 9000 + ")" * 9000)
    yield "executable.npy", npy("__import__('os').system('true')")
    stream = io.BytesIO()
    np.save(stream, np.array([print, {}], object), allow_pickle=True)
    yield "objects.npy", stream.getvalue()
    yield "objects.npz", npz_of(stream.getvalue())
    yield "complex.npz", npz({"a": np.ones(3, np.complex64)})
    yield "only_texts.npz", npz({"a": np.array(["x"])})


def npz_of(content: bytes, name: str = "conv1.weight.npy") -> bytes:
    """Return a .npz file with one member."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr(name, content)
    return stream.getvalue()
