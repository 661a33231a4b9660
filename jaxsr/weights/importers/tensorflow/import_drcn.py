"""DRCN: variables by the paper's symbols, `W-1`, `W0`, `W`, `WD1`, `WD2` with biases `B-1` ..., or by words.

TensorFlow's kernels are (H, W, in, out), those of PyTorch (`embedding1.weight`) are (out, in, H, W).
"""

import itertools
import re

import numpy as np

from jaxsr.support.errors import UserError
from jaxsr.weights.importers.layouts import Imported, Tensors

# Layer -> its symbol in the paper, and the words for it; TensorFlow's names have scopes before and kinds behind
LAYERS = {
    "embedding1": (r"[wb](?:-1|m1|_1)", r"embed\w*?_?1|conv_?1"),
    "embedding2": (r"[wb]_?0", r"embed\w*?_?2|conv_?2"),
    "shared": (r"[wb]", r"shared|recurs\w*|inference|conv_?3"),
    "reconstruction1": (r"[wb]_?d\+?_?1", r"recon\w*?_?1|conv_?4"),
    "reconstruction2": (r"[wb]_?d\+?_?2", r"recon\w*?_?2|conv_?5"),
}
_ENSEMBLE = re.compile(r"(?:layer|ensemble|output|recursion)?_?weights?|w|alphas?", re.IGNORECASE)
_KIND = re.compile(r"_?(?:conv|weights?|bias(?:es)?|kernel)$")


def convert(tensors: Tensors) -> Imported:
    """Return DRCN's options and parameters; the network is the same at every scale, so its scale is not known."""
    parts: dict[str, dict[str, np.ndarray]] = {layer: {} for layer in LAYERS}
    ensembles = []
    for name, x in tensors.items():
        layer, last = _layer(name), re.split(r"[/.]", name.lower())[-1]
        if layer and x.ndim == 4 and x.size > max(x.shape):
            parts[layer]["kernel"] = x.transpose(2, 3, 1, 0) if name.endswith(".weight") else x
        elif layer and last.startswith("b"):
            parts[layer]["bias"] = x.reshape(-1)
        elif _ENSEMBLE.fullmatch(last) and x.size == max(x.shape, default=0):
            ensembles.append(x.reshape(-1))
    for layer, found in parts.items():
        for kind in ("kernel", "bias"):
            if kind not in found:
                raise KeyError(f"{layer} {kind}")
    if len(ensembles) != 1:
        raise KeyError("LayerWeights")
    return _assembled(parts, ensembles[0])


def _assembled(parts: dict[str, dict[str, np.ndarray]], ensemble: np.ndarray) -> Imported:
    *_, channels, features = parts["embedding1"]["kernel"].shape
    if parts["reconstruction2"]["kernel"].shape[2] == features + channels:
        raise UserError(
            "the last layer of these weights takes the photo beside the features, the paper's DRCN adds it to the "
            "output; this port is another network"
        )
    recursion = {name: parts[name] for name in ("shared", "reconstruction1", "reconstruction2")}
    embedding = {name: parts[name] for name in ("embedding1", "embedding2")}
    params = {**embedding, "recursion": recursion, "weights": ensemble}
    return Imported({"features": features, "recursions": len(ensemble), "channels": channels}, {"params": params})


def _layer(name: str) -> str | None:
    """Return the layer of a variable: by its symbol, else by a word, and last by a bare W or B."""
    parts = [part for part in re.split(r"[/.]", name.lower()) if part]
    stems = [_KIND.sub("", part) or part for part in parts if part not in ("w", "b")]
    for place in (0, 1):
        for stem, (layer, patterns) in itertools.product(stems, LAYERS.items()):
            if re.fullmatch(patterns[place], stem):
                return layer
    return "shared" if parts[-1] in ("w", "b") else None
