"""Small honest weights in every format: ESPCN x3 with 4 and 3 features, under the names of PyTorch's port."""

import io
import json
import tempfile
from pathlib import Path

import h5py
import ml_dtypes
import numpy as np
import scipy.io
from safetensors.numpy import save as to_safetensors

from tests.helpers.torch_writer import tensor, write_stream, write_zip

SHAPES = {
    **{"conv1.weight": (4, 1, 5, 5), "conv1.bias": (4,), "conv2.weight": (3, 4, 3, 3), "conv2.bias": (3,)},
    **{"conv3.weight": (9, 3, 3, 3), "conv3.bias": (9,)},
}
CARD = {"model": "espcn", "scale": 3, "options": {"channels": 1, "features": [4, 3]}, "format": 1}


def arrays(dtype=np.float32) -> dict[str, np.ndarray]:
    """Return PyTorch's arrays, whose values bfloat16 holds exactly."""
    rng = np.random.default_rng(0)
    return {name: (rng.integers(-64, 64, shape) / 128).astype(dtype) for name, shape in SHAPES.items()}


def own_arrays(dtype=np.float32) -> dict[str, np.ndarray]:
    """Return arrays by our own names, in our layout."""
    rng, own = np.random.default_rng(0), {}
    for name, shape in SHAPES.items():
        layer, part = name.split(".")
        shape = (*shape[2:], shape[1], shape[0]) if len(shape) == 4 else shape
        own[f"params/{layer}/{'kernel' if part == 'weight' else part}"] = rng.integers(-64, 64, shape) / 128
    return {name: x.astype(dtype) for name, x in own.items()}


def own_file(tensors=None, **facts) -> bytes:
    """Return a weight file of ours, with `facts` on its card."""
    tensors = own_arrays() if tensors is None else tensors
    return to_safetensors(tensors, metadata={"card": json.dumps({**CARD, **facts})})


def npz(tensors, *, compressed: bool = False) -> bytes:
    """Return a .npz file."""
    stream = io.BytesIO()
    (np.savez_compressed if compressed else np.savez)(stream, **tensors)
    return stream.getvalue()


def torch(tensors, write=write_zip) -> bytes:
    """Return a file of PyTorch, of a zip archive or the stream before it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "weights.pth"
        write(path, {name: tensor(x) for name, x in tensors.items()})
        return path.read_bytes()


def mat(variables, **options) -> bytes:
    """Return a .mat file of version 5."""
    stream = io.BytesIO()
    scipy.io.savemat(stream, variables, **options)
    return stream.getvalue()


def hdf5(build) -> bytes:
    """Return a .mat file of version 7.3 that `build(file)` has filled."""
    stream = io.BytesIO()
    with h5py.File(stream, "w") as file:
        build(file)
    return stream.getvalue()


def _fill(file) -> None:
    for name, x in arrays().items():
        file.create_dataset(name, data=x.T, chunks=x.T.shape, compression="gzip")


def every_format() -> dict[str, bytes]:
    """Return an honest file of each format, by suffix."""
    matlab = {name.replace(".", "_"): x for name, x in arrays().items()}
    stream = io.BytesIO()
    np.save(stream, arrays()["conv2.weight"])
    return {
        "own.safetensors": own_file(),
        "foreign.safetensors": to_safetensors(arrays()),
        "zip.pth": torch(arrays()),
        "stream.pth": torch(arrays(), write_stream),
        "stored.npz": npz(arrays()),
        "deflated.npz": npz(arrays(), compressed=True),
        "one.npy": stream.getvalue(),
        "five.mat": mat({"model": matlab, "weights": arrays()["conv2.weight"]}),
        "compressed.mat": mat({"model": matlab}, do_compression=True),
        "seven.mat": hdf5(_fill),
    }


def lower_precision() -> dict[str, bytes]:
    """Return honest files of fewer bits, in every format that has them; the first two are weight files of ours."""
    bfloat16 = ml_dtypes.bfloat16
    return {
        "own16.safetensors": own_file(own_arrays(np.float16)),
        "ownbf.safetensors": own_file(own_arrays(bfloat16)),
        "own64.safetensors": own_file(own_arrays(np.float64)),
        "16.safetensors": to_safetensors(arrays(np.float16)),
        "bf.safetensors": to_safetensors(arrays(bfloat16)),
        "16.pth": torch(arrays(np.float16)),
        "16.npz": npz(arrays(np.float16)),
        "bf.npz": npz(arrays(bfloat16)),
        "texts.npz": npz({**arrays(), "note": np.array(["trained by hand"])}),
        "old16.pth": torch(arrays(np.float16), write_stream),
    }
