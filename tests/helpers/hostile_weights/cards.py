"""Weight files of ours whose card lies, and files that are no weights at all."""

import json
from collections.abc import Iterator

import ml_dtypes
import numpy as np
from safetensors.numpy import save

from tests.helpers.hostile_weights.honest import CARD, own_arrays, own_file

DEEP = json.loads("[" * 400 + "]" * 400)
FIELDS = {
    "format": [99, "1", None, [], 1.5, True],
    "model": [None, 3, [], {}, ["espcn"], "swinir", "x" * 10**6, "\x1b[2J\r\n", "", "bicubic", "zssr"],
    "scale": [None, "3", 3.0, True, [3], {}, 9, 0, -3, 10**400, 10**18],
    "options": [None, 3, "features", [], [["channels", 1]], {"x": 1}, {"__class__": 1}, {"parent": 1}, {"name": "a"}],
}
OPTIONS = {
    "features": [None, 4, "43", [], [4], [4, "3"], [4, 3.5], [-4, 3], [10**12, 3], [[4, 3]], DEEP, {}],
    "channels": [None, "1", 1.0, True, 0, -1, 2, 10**9, [1], DEEP],
    "activation": [None, 3, "__import__('os')", "x" * 10**6, ["tanh"], {"a": 1}, "\x00"],
}
ENDLESS = {  # networks whose construction would take hours
    "vdsr": {"depth": 10**9},
    "rdn": {"blocks": 10**7, "layers": 10**7},
    "srdensenet": {"blocks": 1000, "layers": 60},
    "drcn": {"recursions": 10**8},
    "danv2": {"rounds": 10**9},
    "danv1": {"kernel_size": 10**6 + 1},
    "fsrcnn": {"mapping_layers": 10**8},
    "srcnn": {"kernel_sizes": [10**7 + 1, 5, 5]},
    "lapsrn": {"depth": 10**7},
    "mslapsrn": {"depth": 1000, "recursions": 1000},
    "srresnet": {"blocks": 10**8},
    "srntt": {"blocks": float("nan")},
    "deblurgan": {"dropout": float("nan"), "blocks": 10**6},
}
TEXTS = ("", "null", "3", "[]", '"card"', "{", "{}", "[" * 10**6, '{"scale": 1e999}', '{"a":' * 9999, "\udce9\x00")


def cases() -> Iterator[tuple[str, bytes]]:
    """Yield cards of wrong types, of endless networks and of no JSON, arrays of wrong types, and what is no weights."""
    for field, values in FIELDS.items():
        for number, value in enumerate(values):
            yield f"card_{field}{number}.safetensors", own_file(**{field: value})
    for name, values in OPTIONS.items():
        for number, value in enumerate(values):
            options = {**CARD["options"], name: value}
            yield f"option_{name}{number}.safetensors", own_file(options=options)
    for model, options in ENDLESS.items():
        scale = 1 if model == "deblurgan" else 4
        yield f"endless_{model}.safetensors", own_file(model=model, scale=scale, options=options)
    for number, text in enumerate(TEXTS):
        text = text.encode(errors="ignore").decode()
        yield f"text{number}.safetensors", save(own_arrays(), metadata={"card": text})
    yield "without.safetensors", save(own_arrays(), metadata={"other": "x"})
    yield from _arrays()
    yield from _downloads()


def _arrays() -> Iterator[tuple[str, bytes]]:
    first = "params/conv1/kernel"
    shape = own_arrays()[first].shape
    for dtype in (np.int8, np.int64, np.bool_, np.uint8, ml_dtypes.float8_e4m3fn, ml_dtypes.float8_e5m2):
        tensors = {**own_arrays(), first: np.ones(shape, dtype)}
        yield f"array_{np.dtype(dtype).name}.safetensors", own_file(tensors)
    for name, value in {"nan": np.nan, "infinite": np.inf}.items():
        yield f"array_{name}.safetensors", own_file({**own_arrays(), first: np.full(shape, value, np.float32)})
    yield "array_large.safetensors", own_file({**own_arrays(), first: np.full(shape, 1e300)})
    for number, name in enumerate(("a\n\r\x1b[31mb", "b" * 10**6, "", "/", "params", f"{first}/x", "\u202e\u0000")):
        yield f"array_name{number}.safetensors", own_file({**own_arrays(), name: np.ones(3, np.float32)})
    yield "array_none.safetensors", own_file({})


def _downloads() -> Iterator[tuple[str, bytes]]:
    page = b"<!DOCTYPE html>\n<html><head><title>Sign in</title></head><body>" + b"x" * 9000
    pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 5000000\n"
    error = b"<?xml version='1.0'?><Error><Code>AccessDenied</Code></Error>"
    for suffix in ("safetensors", "pth", "mat", "npz", "npy"):
        yield f"page.{suffix}", b"\xef\xbb\xbf\r\n" + page
        yield f"pointer.{suffix}", pointer
        yield f"xml.{suffix}", error
        yield f"empty.{suffix}", b""
        yield f"json.{suffix}", b'{"error": "not found"}'
        yield f"zeros.{suffix}", bytes(4096)
