"""VGG19's weights: finding the file, checking and reading it. None ships: it has 80 MB at least."""

import functools
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import jax
import numpy as np
from absl import logging

from jaxsr.models.vgg import BLOCKS, CONVOLUTIONS, VGG19, check_layers, last_convolution
from jaxsr.support.errors import UserError
from jaxsr.support.files import cache_folder, file_digest
from jaxsr.support.paths import is_file, user_path
from jaxsr.support.types import Key
from jaxsr.weights.formats import read_tensors

VARIABLE = "JAXSR_VGG19"
FLAG = "--config.perceptual.weights"
TORCHVISION = "vgg19-dcbb9e9d.pth"
MATCONVNET = "imagenet-vgg-verydeep-19.mat"
SOURCES = {
    TORCHVISION: f"https://download.pytorch.org/models/{TORCHVISION}",
    MATCONVNET: f"https://www.vlfeat.org/matconvnet/models/{MATCONVNET}",
}

# (layer)(set for biases): torchvision's numbers, the layers' names, MatConvNet's list of layers
_TORCH = re.compile(r"(?:features\.)?(\d+)\.(?:weight|(bias))")
_NAMED = re.compile(r"(?:.*[./])?(conv\d_\d)[._/](?:W|w|weights?|kernel|0|(b|bias|biases|1))")
_MATLAB = re.compile(r"(?:net\.)?layers\.(\d+)\.(?:weights\.0|filters|(weights\.1|biases))")

Layers = dict[str, dict[str, np.ndarray]]


class VGGWeights(NamedTuple):
    """`params` of VGG19, as many layers as there are, and the `convention` by which photos have to be normalized."""

    params: Layers
    convention: str


def load_vgg(
    layers: Sequence[str], weights: str | Path = "", *, key: Key | None = None, flag: str = FLAG
) -> VGGWeights:
    """Return weights that give `layers`, such as ["relu2_2", "conv5_4"].

    They come from the file `weights`, else from the file named by the variable JAXSR_VGG19, else from the cache folder;
    "random" draws them by `key`, for tests. The file is torchvision's state dict, MatConvNet's .mat, or any whose
    arrays are named after the layers (conv1_1_W, conv1_1_b); it may end early, after the last of `layers`. `flag` is
    how messages call `weights`. Raises UserError where there is no file, and where it is damaged, of another network or
    ends too early.
    """
    if str(weights) == "random":
        return _random(layers, jax.random.key(0) if key is None else key)
    path = find_file(weights, flag)
    read = _read_once(path, path.stat().st_mtime_ns)
    check_layers(layers, read.params, str(path))
    return read


@functools.lru_cache(maxsize=1)
def _read_once(path: Path, modified: int) -> VGGWeights:
    """Return the file's weights, read once: losses, matching and scoring of a run ask for them."""
    check_digest(path)
    return read_vgg(path)


def fallback_to_deepest_layer(layer: str, weights: VGGWeights) -> str:
    """Return `layer`, or with a warning, where `weights` end before it, the activation of their last convolution."""
    wanted = CONVOLUTIONS.index(last_convolution([layer]))
    last = max(i for i, name in enumerate(CONVOLUTIONS) if name in weights.params)
    if wanted <= last:
        return layer
    fallback = CONVOLUTIONS[last].replace("conv", "relu")
    logging.warning("VGG19's file ends before %s: the perceptual loss is measured at %s INSTEAD", layer, fallback)
    return fallback


def find_file(weights: str | Path = "", flag: str = FLAG) -> Path:
    """Return the file of VGG19's weights; raises UserError, with where to get it, when there is none."""
    cache = cache_folder()
    named = [(flag, str(weights)), (VARIABLE, os.environ.get(VARIABLE, ""))]
    for name, value in named:
        if value and not is_file(path := user_path(value)):
            raise UserError(f"{name}={value}: no such file; {_where(cache, flag)}")
        if value:
            return path
    cached = next((cache / name for name in SOURCES if (cache / name).is_file()), None)
    if cached is None:
        raise UserError(f"no weights of VGG19 in {cache}; {_where(cache, flag)}")
    return cached


def _where(cache: Path, flag: str = FLAG) -> str:
    return f"get {TORCHVISION} from {SOURCES[TORCHVISION]} into {cache}, or name a file by {flag} or {VARIABLE}"


def check_digest(path: Path) -> None:
    """Raise UserError where a file's name ends in 8 digits, PyTorch's way, that do not begin its SHA-256."""
    match = re.fullmatch(r".*-([0-9a-f]{8})\.pth", path.name)
    if match is None:
        return
    digest = file_digest(path)
    if not digest.startswith(match[1]):
        raise UserError(f"{path} is damaged: its SHA-256 begins with {digest[:8]}, not {match[1]}; get it again")


def read_vgg(path: Path) -> VGGWeights:
    """Return VGG19's weights in a file; raises UserError for another network's, and where shapes are others.

    PyTorch's layout means torchvision's convention, (height, width, in, out) that of Caffe.
    """
    tensors = read_tensors(path)
    names = {_TORCH: _torch_names(), _NAMED: {name: name for name in CONVOLUTIONS}, _MATLAB: _matlab_names(tensors)}
    layers: dict[str, list[np.ndarray]] = {}
    for pattern, name_of in names.items():
        for name, x in tensors.items():
            if (match := pattern.fullmatch(name)) and match[1] in name_of:
                layers.setdefault(name_of[match[1]], [np.zeros(0), np.zeros(0)])[match[2] is not None] = x
    if not layers:
        raise UserError(f"{path} is not VGG19: it has {', '.join(list(tensors)[:4])}; {_where(cache_folder())}")
    torch = all(kernel.shape[2:] == (3, 3) for kernel, _ in layers.values())
    params = {name: _layer(name, kernel, bias, torch, path) for name, (kernel, bias) in layers.items()}
    return VGGWeights(params, "torchvision" if torch else "caffe")


def _layer(name: str, kernel: np.ndarray, bias: np.ndarray, torch: bool, path: Path) -> dict[str, np.ndarray]:
    """Return a layer's kernel (3, 3, in, out) and bias, float32."""
    place = CONVOLUTIONS.index(name)
    features, inputs = (BLOCKS[int(other[4]) - 1][0] for other in (name, CONVOLUTIONS[max(place - 1, 0)]))
    kernel = kernel.transpose(2, 3, 1, 0) if torch else kernel
    shape = (3, 3, inputs if place else 3, features)
    if kernel.shape != shape or bias.size != features:
        raise UserError(
            f"{path} does not fit VGG19: {name} has weights {kernel.shape} and {bias.size} biases, not {shape} and "
            f"{features}; {_where(cache_folder())}"
        )
    return {"kernel": kernel.astype(np.float32), "bias": bias.reshape(-1).astype(np.float32)}


def _torch_names() -> dict[str, str]:
    """Return {number in torchvision's `features`: layer}; activations and poolings have numbers, too."""
    names, number = {}, 0
    for block, (_, count) in enumerate(BLOCKS, start=1):
        for i in range(1, count + 1):
            names[str(number)] = f"conv{block}_{i}"
            number += 2
        number += 1
    return names


def _matlab_names(tensors: dict[str, np.ndarray]) -> dict[str, str]:
    """Return {number in MatConvNet's list of layers: layer}: the 3x3 convolutions in order."""
    matches = [(match, x) for name, x in tensors.items() if (match := _MATLAB.fullmatch(name))]
    numbers = sorted(int(match[1]) for match, x in matches if not match[2] and x.shape[:2] == (3, 3))
    return {str(number): layer for number, layer in zip(numbers, CONVOLUTIONS, strict=False)}


def _random(layers: Sequence[str], key: Key) -> VGGWeights:
    """Return weights of He's variance, which keeps the variance of the features."""
    logging.warning("RANDOM WEIGHTS of VGG19: perceptual losses and matched features mean nothing; for tests alone")
    sample = np.zeros((1, 32, 32, 3), np.float32)
    params = jax.jit(VGG19(tuple(layers)).init)(key, sample)["params"]
    return VGGWeights(jax.tree.map(np.asarray, params), "torchvision")
