"""DANv1 and DANv2: PyTorch's `Restorer`, `Estimator`, and `encoder`, the PCA basis, which a file may lack."""

import functools
import itertools
import math
from typing import TypeAlias

import numpy as np

from jaxsr.models import danv1, danv2
from jaxsr.support.errors import UserError
from jaxsr.support.model_options import Option
from jaxsr.weights.importers.layouts import (
    Imported,
    Tensors,
    stacked_trees,
    torch_convolution,
    torch_enlargement,
)

Layers: TypeAlias = dict[str, dict]

BASIS = "encoder"
TRANSPOSED = 2  # times as many rows as columns that a basis has at least


def convert_v1(tensors: Tensors) -> Imported:
    """Return DANv1's options, variables and scale."""
    conv = functools.partial(torch_convolution, tensors)
    enlargement, scale = _enlargement(tensors)
    restorer = {"head": conv("Restorer.head"), "body": _v1_body(tensors, "Restorer.body"), "enlargement": enlargement}
    heads = {"head": conv("Estimator.head_LR"), "sr_head": conv("Estimator.head_HR")}
    estimator = {**heads, "body": _v1_body(tensors, "Estimator.body"), "code": conv("Estimator.out")}
    options, constants = _shared_options(tensors, danv1.VARIANTS, estimator["code"]["kernel"].shape[3])
    *_, channels, features = restorer["head"]["kernel"].shape
    options |= {
        "channels": channels,
        "features": features,
        "blocks": len(restorer["body"]["conv1"]["kernel"]),
        "estimator_features": heads["head"]["kernel"].shape[3],
        "estimator_blocks": len(estimator["body"]["conv1"]["kernel"]),
    }
    return Imported(options, {"params": {"restorer": restorer, "estimator": estimator}, **constants}, scale)


def convert_v2(tensors: Tensors) -> Imported:
    """Return DANv2's options, variables and scale; its groups double their output, as the authors' code does."""
    conv = functools.partial(torch_convolution, tensors)
    groups = [f"Restorer.body.{i}" for i in range(_count(tensors, "Restorer.body.{}.body.0.body1.0.weight"))]
    enlargement, scale = _enlargement(tensors)
    restorer = {"head": conv("Restorer.head1"), "code_head": conv("Restorer.head2"), "enlargement": enlargement}
    names = {"head": "head_LR.0", "sr_head": "head_HR.0", "tail": "tail.0", "logits": "tail.2"}
    estimator: Layers = {our: conv(f"Estimator.{theirs}") for our, theirs in names.items()}
    for our, path in {"body": "body1", "gates": "body2"}.items():
        restorer[our] = stacked_trees([_v2_group(tensors, name, path) for name in groups])
        estimator[our] = _v2_group(tensors, "Estimator.body", path)
    options, constants = _shared_options(tensors, danv2.VARIANTS, restorer["code_head"]["kernel"].shape[2])
    *_, channels, features = restorer["head"]["kernel"].shape
    options |= {
        "channels": channels,
        "features": features,
        "groups": len(groups),
        "blocks": restorer["body"]["blocks"]["conv1"]["kernel"].shape[1],
        "estimator_features": estimator["head"]["kernel"].shape[3],
        "estimator_blocks": len(estimator["body"]["blocks"]["conv1"]["kernel"]),
    }
    return Imported(options, {"params": {"restorer": restorer, "estimator": estimator}, **constants}, scale)


def as_basis(x: np.ndarray) -> np.ndarray:
    """Return a PCA basis (k², L), as files have it with an axis for the photos before, or transposed.

    Raises UserError for another shape.
    """
    basis = x[0] if x.ndim == 3 and len(x) == 1 else x
    if basis.ndim != 2:
        raise UserError(f"a PCA basis is a matrix (k², codes), such as 441x10; got an array of shape {x.shape}")
    basis = basis.T if TRANSPOSED * len(basis) < basis.shape[1] else basis
    if math.isqrt(len(basis)) ** 2 != len(basis):
        raise UserError(f"a PCA basis has a row for each pixel of a square kernel; got {len(basis)} rows")
    return basis


def _shared_options(tensors: Tensors, variants: dict, codes: int) -> tuple[dict[str, Option], dict[str, dict]]:
    """Return the options that the basis tells, and the collection of constants."""
    if BASIS not in tensors:
        raise UserError(
            f"the file has no PCA basis of blur kernels ({BASIS!r}), without which its {codes} codes mean nothing; "
            "give the authors' pca_matrix.pth by --basis"
        )
    basis = as_basis(tensors[BASIS])
    size = math.isqrt(len(basis))
    drawn = next((v["kernels"] for v in variants.values() if v["kernel_size"] == size and "kernels" in v), None)
    options: dict[str, Option] = {"kernel_size": size, "code_length": codes}
    if drawn:
        options["kernels"] = drawn
    return options, {"constants": {"basis": basis}}


def _v1_body(tensors: Tensors, name: str) -> Layers:
    """Return the conditional residual blocks, stacked on axis 0; the fourth part of a block is its attention."""
    conv = functools.partial(torch_convolution, tensors)
    blocks = [f"{name}.{i}.body" for i in range(_count(tensors, f"{name}.{{}}.body.0.weight"))]
    return stacked_trees(
        [
            {
                "conv1": conv(f"{block}.0"),
                "conv2": conv(f"{block}.2"),
                "attention": {"squeeze": conv(f"{block}.3.body.0"), "excite": conv(f"{block}.3.body.2")},
            }
            for block in blocks
        ]
    )


def _v2_group(tensors: Tensors, name: str, path: str) -> Layers:
    """Return one path through a group of dual-path blocks: "body1" is the image's, "body2" the condition's."""
    count = _count(tensors, f"{name}.body.{{}}.{path}.0.weight")
    blocks = [f"{name}.body.{i}.{path}" for i in range(count)]
    layers = [{f"conv{j}": torch_convolution(tensors, f"{b}.{2 * j - 2}") for j in (1, 2)} for b in blocks]
    return {"blocks": stacked_trees(layers)}


def _enlargement(tensors: Tensors) -> tuple[Layers, int]:
    """Return the Restorer's layers after its body, and the scale; shuffles take the odd numbers between."""
    count = _count(tensors, "Restorer.upscale.{}.weight", step=2)
    *stages, last = (f"Restorer.upscale.{2 * i}" for i in range(count))
    enlarge, scale = torch_enlargement(tensors, stages)
    ends = {"fusion": "Restorer.fusion", "reconstruction": last}
    return {**enlarge, **{our: torch_convolution(tensors, theirs) for our, theirs in ends.items()}}, scale


def _count(tensors: Tensors, name: str, step: int = 1) -> int:
    """Return how many numbers from 0, `step` apart, `name` has in the file; KeyError if none."""
    count = next(i for i in itertools.count() if name.format(step * i) not in tensors)
    if not count:
        raise KeyError(name.format(0))
    return count
