"""Zip archives that expand to gigabytes, or lie about their members."""

import functools
import io
import struct
import zipfile
import zlib
from collections.abc import Iterator

from tests.helpers.hostile_weights.headers import npy
from tests.helpers.hostile_weights.pickled import PROTO, STOP, entry, sides, view

GIB, MIB = 2**30, 2**20


def deflated_zeros(size: int) -> bytes:
    """Return `size` zeros, deflated without a header: the same block again and again."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return (packer.compress(bytes(MIB)) + packer.flush(zlib.Z_FULL_FLUSH)) * (size // MIB) + packer.flush()


def archive(members: dict[str, tuple[bytes, int]], *, method: int = 8, crc: int = 0) -> bytes:
    """Return a zip archive of {name: (compressed bytes, size that is claimed)}; `crc` is added to the sums."""
    content, directory = b"", b""
    for name, (data, size) in members.items():
        total = crc + (_sum_of(data) if method == 8 else zlib.crc32(data))
        facts = struct.pack("<HHHHHIIIHH", 20, 0, method, 0, 33, total, len(data), size, len(name), 0)
        directory += b"PK\x01\x02\x14\x00" + facts + struct.pack("<HHHII", 0, 0, 0, 0, len(content)) + name.encode()
        content += b"PK\x03\x04" + facts + name.encode() + data
    end = struct.pack("<HHHHIIH", 0, 0, len(members), len(members), len(directory), len(content), 0)
    return content + directory + b"PK\x05\x06" + end


@functools.lru_cache(maxsize=4)
def _sum_of(data: bytes) -> int:
    """Return the sum of what is deflated, of bombs only that of the beginning."""
    return zlib.crc32(zlib.decompressobj(-15).decompress(data, 200 * MIB))


def cases() -> Iterator[tuple[str, bytes]]:
    """Yield bombs, foreign compressions, wrong sizes and names."""
    zeros = deflated_zeros(3 * GIB)
    pickled = PROTO + entry(view(0, sides(10**6), sides(1))) + STOP
    root = {"archive/data.pkl": (_deflated(pickled), len(pickled))}
    yield "bomb.pth", archive({**root, "archive/data/0": (zeros, 3 * GIB)})
    yield "bomb_claims_less.pth", archive({**root, "archive/data/0": (zeros, 4000)})
    yield "bomb_of_pickle.pth", archive({"archive/data.pkl": (zeros, 3 * GIB)})
    yield "bomb_of_order.pth", archive({**root, "archive/byteorder": (zeros, 3 * GIB)})
    yield "bomb.npz", archive({"a.npy": (zeros, 3 * GIB)})
    yield "bomb_claims_less.npz", archive({"a.npy": (zeros, 4000)})
    header = npy(f"({GIB // 2},)", content=b"")
    yield "bomb_with_header.npz", archive({"a.npy": (_deflated(header + bytes(2**20)), 3 * GIB)})
    yield "bomb_of_many.npz", archive({f"{i}.npy": (deflated_zeros(190 * MIB), 190 * MIB) for i in range(10)})
    for method in (9, 12, 14, 93, 99):
        yield f"method{method}.pth", archive({**root, "archive/data/0": (b"x" * 40, 4 * 10**6)}, method=method)
        yield f"method{method}.npz", archive({"a.npy": (b"x" * 40, 4 * 10**6)}, method=method)
    yield (
        "lzma_dictionary.npz",
        archive({"a.npy": (b"\x09\x14\x05\x00\x5d\xff\xff\xff\xff" + bytes(99), 10**6)}, method=14),
    )
    yield "many_members.npz", archive({f"{i}": (npy(), len(npy())) for i in range(60_000)}, method=0)
    yield "long_name.npz", archive({"n" * 60_000: (npy(), len(npy()))}, method=0)
    yield "control_name.npz", archive({"\x1b[31m\r\n\x00.npy": (npy("(9,)"), len(npy()))}, method=0)
    yield "outside.npz", archive({"../../etc/x.npy": (npy("(9,)"), len(npy("(9,)")))}, method=0)
    yield "wrong_sum.npz", archive({"a.npy": (npy(), len(npy()))}, method=0, crc=7)
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as inside:
        inside.writestr("a.txt", "x")
    yield "other.npz", stream.getvalue()
    yield "other.pth", stream.getvalue()
    yield "truncated_directory.npz", archive({"a.npy": (npy(), len(npy()))}, method=0)[:-30]


def _deflated(content: bytes) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return packer.compress(content) + packer.flush()
