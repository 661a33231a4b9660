"""Safetensors files: the metadata without the arrays."""

import numpy as np
import pytest
from safetensors.numpy import save_file

from jaxsr.support.errors import UserError
from jaxsr.weights.readers import safetensors_files
from jaxsr.weights.readers.safetensors_files import read_metadata, read_safetensors


def test_metadata_are_read_without_the_arrays(tmp_path, monkeypatch):
    path = tmp_path / "published.safetensors"
    save_file({"weight": np.ones((2, 3), np.float32)}, path, metadata={"card": "{}"})
    tensors, metadata = read_safetensors(path)
    assert tensors["weight"].shape == (2, 3) and metadata == {"card": "{}"}
    monkeypatch.setattr(safetensors_files, "_check_type", None)  # which every array goes through
    assert read_metadata(path) == metadata
    path.write_bytes(path.read_bytes()[:40])
    with pytest.raises(UserError, match="published.safetensors is not a readable .safetensors file"):
        read_metadata(path)
