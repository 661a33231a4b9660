"""HDF5 files, as MATLAB 7.3 writes them, with links out of the file, cycles, and bombs."""

import zlib
from collections.abc import Callable, Iterator

import h5py
import numpy as np

from tests.helpers.hostile_weights.honest import hdf5

GIB = 2**30


def _external(file) -> None:
    file["conv1.weight"] = h5py.ExternalLink("/etc/passwd", "/")


def _external_inside(file) -> None:
    file.create_group("net")["params"] = h5py.ExternalLink("other.mat", "/net")


def _soft(file) -> None:
    file["a"] = h5py.SoftLink("/a")


def _soft_to_nothing(file) -> None:
    file["a"] = h5py.SoftLink("/gone\x1b[31m\n")


def _external_storage(file) -> None:
    file.create_dataset("a", (100,), "u1", external=[("/etc/passwd", 0, 100)])


def _virtual(file) -> None:
    layout = h5py.VirtualLayout((100,), "u1")
    layout[:] = h5py.VirtualSource("/etc/passwd", "a", (100,))
    file.create_virtual_dataset("a", layout)


def _group_cycle(file) -> None:
    group = file.create_group("a")
    group["b"] = group


def _many_groups(file) -> None:
    """Groups that hold the one before twice: 2**60 ways."""
    group = file.create_group("g0")
    for number in range(1, 60):
        outer = file.create_group(f"g{number}")
        outer["left"], outer["right"] = group, group
        group = outer


def _deep_groups(file) -> None:
    file.create_group("/".join("a" * 2000))


def _reference_cycle(file) -> None:
    hidden = file.create_group("#refs#")
    cell = hidden.create_dataset("c", (2,), h5py.ref_dtype)
    cell[:] = [cell.ref, cell.ref]
    file.create_dataset("a", data=[cell.ref], dtype=h5py.ref_dtype)


def _reference_tree(file) -> None:
    hidden = file.create_group("#refs#")
    inner = hidden.create_dataset("r", data=np.ones(2))
    for number in range(40):
        cell = hidden.create_dataset(f"c{number}", (10,), h5py.ref_dtype)
        cell[:] = [inner.ref] * 10
        inner = cell
    file["a"] = inner


def _null_references(file) -> None:
    file.create_dataset("a", (3,), h5py.ref_dtype)


def _many_references(file) -> None:
    inner = file.create_group("#refs#").create_dataset("r", data=np.ones(2))
    cell = file.create_dataset("a", (200_000,), h5py.ref_dtype, compression="gzip")
    cell[:] = [inner.ref] * 200_000


def _names_too_long(file) -> None:
    hidden = file.create_group("#refs#")
    name = hidden.create_dataset("n", data=np.full((10**6, 1), 65, np.uint16), compression="gzip")
    value = hidden.create_dataset("v", data=np.ones(2))
    file.create_dataset("net/params/name", data=[name.ref], dtype=h5py.ref_dtype)
    file.create_dataset("net/params/value", data=[value.ref], dtype=h5py.ref_dtype)


def _names_of_control(file) -> None:
    file.create_dataset("\x1b[31m\r\n" + "n" * 5000, data=np.ones(3))


def _late(**options) -> Callable[[h5py.File], object]:
    """Return a builder of an array of 8 GiB that takes no place in the file."""
    return lambda file: file.create_dataset("a", (GIB,), "f8", **options)


def _bomb(file) -> None:
    dataset = file.create_dataset("a", (3 * GIB // 8,), "f8", chunks=(2**25,), compression="gzip", compression_opts=9)
    packed = _packed_zeros(2**28)
    for number in range(0, 3 * GIB // 8, 2**25):
        dataset.id.write_direct_chunk((number,), packed)


def _one_chunk(file) -> None:
    """A chunk of 3 GiB behind ten numbers."""
    dataset = file.create_dataset("a", (10,), "f8", maxshape=(None,), chunks=(3 * GIB // 8,), compression="gzip")
    dataset.id.write_direct_chunk((0,), _packed_zeros(2**20))


def _tiny_chunks(file) -> None:
    file.create_dataset("a", (4096, 4096), "u1", chunks=(1, 1))


def _many_arrays(file) -> None:
    data = np.ones(1)
    for number in range(25_000):
        file.create_dataset(f"a{number}", data=data)


def _texts(file) -> None:
    file.create_dataset("a", data=["x" * 100] * 10, dtype=h5py.string_dtype())


def _fixed_texts(file) -> None:
    file.create_dataset("a", (GIB,), "S8")


def _ragged(file) -> None:
    file.create_dataset("a", (3,), h5py.vlen_dtype(np.float32))


def _packed_zeros(size: int) -> bytes:
    return zlib.compress(bytes(size), 9)


BUILDERS: dict[str, Callable[[h5py.File], object]] = {
    **{"external_link": _external, "external_link_inside": _external_inside, "external_storage": _external_storage},
    **{"soft_link": _soft, "soft_link_to_nothing": _soft_to_nothing, "virtual": _virtual, "group_cycle": _group_cycle},
    **{"many_groups": _many_groups, "deep_groups": _deep_groups, "reference_cycle": _reference_cycle},
    **{"reference_tree": _reference_tree, "null_references": _null_references, "many_references": _many_references},
    **{"names_too_long": _names_too_long, "names_of_control": _names_of_control, "late": _late()},
    **{"late_chunks": _late(chunks=(2**20,)), "late_gzip": _late(chunks=(2**27,), compression="gzip")},
    **{"late_lzf": _late(chunks=(2**20,), compression="lzf"), "bomb": _bomb, "one_chunk": _one_chunk},
    **{"tiny_chunks": _tiny_chunks, "many_arrays": _many_arrays, "texts": _texts, "fixed_texts": _fixed_texts},
    "ragged": _ragged,
    "nothing": lambda file: None,
    "empty": lambda file: file.create_dataset("a", data=h5py.Empty("f4")),
    "compound": lambda file: file.create_dataset("a", (GIB,), [("x", "f8"), ("y", "f8")]),
    "wide": lambda file: file.create_dataset("a", (2,), np.dtype(("f8", (2**13, 2**13)))),
    "lzf": lambda file: file.create_dataset("a", data=np.ones(99), compression="lzf"),
}


def cases() -> Iterator[tuple[str, bytes]]:
    """Yield a file of each builder, and one by the suffix of another format."""
    for name, build in BUILDERS.items():
        yield f"hdf5_{name}.mat", hdf5(build)
    yield "hdf5.pth", hdf5(BUILDERS["external_link"])
    yield "hdf5.npz", hdf5(BUILDERS["lzf"])
