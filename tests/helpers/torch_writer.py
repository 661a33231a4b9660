"""Writes PyTorch's two file formats with the standard library, under PyTorch's own global names."""

import collections
import io
import pickle
import sys
import types
import zipfile
from unittest import mock

import numpy as np

STORAGES = {"<f4": "FloatStorage", "<f8": "DoubleStorage", "<f2": "HalfStorage", "<i8": "LongStorage"}
LEGACY_HEADERS = b"".join(
    pickle.dumps(header, protocol=2) for header in (0x1950A86A20F9469CFC6C, 1001, {"little_endian": True})
)


class Flat:
    """Stands for a storage."""

    def __init__(self, array: np.ndarray):
        self.array = array


class View:
    """Stands for a tensor: a view of a storage."""

    def __init__(self, flat, offset, size, stride):
        self.parts = (flat, offset, size, stride)

    def __reduce__(self):
        return sys.modules["torch._utils"]._rebuild_tensor_v2, (*self.parts, False, collections.OrderedDict())


def tensor(array: np.ndarray) -> View:
    """Return a contiguous tensor of its own storage."""
    strides = tuple(step // array.itemsize for step in array.strides)
    return View(Flat(array.ravel()), 0, array.shape, strides)


def fake_torch() -> dict[str, types.ModuleType]:
    """Return modules whose names are PyTorch's, so that pickles name them."""
    torch, utils, nn = types.ModuleType("torch"), types.ModuleType("torch._utils"), types.ModuleType("torch.nn")
    for name in STORAGES.values():
        setattr(torch, name, type(name, (), {"__module__": "torch"}))

    def rebuild(*_):
        raise AssertionError

    rebuild.__module__, rebuild.__qualname__ = "torch._utils", "_rebuild_tensor_v2"
    utils._rebuild_tensor_v2 = rebuild
    nn.Conv2d = type("Conv2d", (), {"__module__": "torch.nn"})
    return {"torch": torch, "torch._utils": utils, "torch.nn": nn}


class Pickler(pickle.Pickler):
    """Names storages by their place in `flats`."""

    def __init__(self, file, flats: list[Flat]):
        super().__init__(file, protocol=2)
        self.flats = flats

    def persistent_id(self, obj):
        if not isinstance(obj, Flat):
            return None
        if obj not in self.flats:
            self.flats.append(obj)
        kind = getattr(sys.modules["torch"], STORAGES[obj.array.dtype.str])
        return "storage", kind, str(self.flats.index(obj)), "cpu", obj.array.size


def write_zip(path, root) -> None:
    """Write `root` (a callable gets the fake modules first) as PyTorch 1.6 and later do."""
    flats: list[Flat] = []
    stream = io.BytesIO()
    with mock.patch.dict(sys.modules, fake_torch()):
        Pickler(stream, flats).dump(root() if callable(root) else root)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", stream.getvalue())
        archive.writestr("archive/byteorder", "little")
        for key, flat in enumerate(flats):
            archive.writestr(f"archive/data/{key}", flat.array.tobytes())


def write_stream(path, root) -> None:
    """Write `root` as PyTorch before 1.6 did."""
    flats: list[Flat] = []
    stream = io.BytesIO()
    stream.write(LEGACY_HEADERS)
    with mock.patch.dict(sys.modules, fake_torch()):
        Pickler(stream, flats).dump(root() if callable(root) else root)
    pickle.dump([str(key) for key in range(len(flats))], stream, protocol=2)
    for flat in flats:
        stream.write(np.int64(flat.array.size).tobytes() + flat.array.tobytes())
    path.write_bytes(stream.getvalue())
