"""How PyTorch's users run a network on a GPU: channels last, TF32, autocast for bfloat16. On a CPU: as it is."""

import contextlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch  # pyright: ignore[reportMissingImports]
from torch import nn  # pyright: ignore[reportMissingImports]

from benchmarks.arguments import check_names
from benchmarks.cases import PRECISIONS

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
MODES = {"compiled": "default", "autotuned": "max-autotune"}  # of torch.compile


def step_precisions(asked: Sequence[str]) -> Sequence[str]:
    """Return the precisions `asked` for, or those in which PyTorch trains here; raises UserError for unknown ones."""
    check_names("precision", asked, PRECISIONS)
    return asked or (PRECISIONS if DEVICE == "cuda" else PRECISIONS[:1])


def placed(network: nn.Module) -> nn.Module:
    """Return `network` where it runs, in the layout that is fastest there."""
    if DEVICE == "cpu":
        return network
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
    return network.to(DEVICE, memory_format=torch.channels_last)


def tensor(array: Any) -> torch.Tensor:
    """Return `array` where the networks are."""
    return torch.from_numpy(np.array(array, np.float32)).to(DEVICE)


def planes(photos: Any) -> torch.Tensor:
    """Return `photos` (N, H, W, C) as (N, C, H, W), on a GPU with channels last."""
    x = tensor(np.moveaxis(np.asarray(photos), -1, 1))
    return x if DEVICE == "cpu" else x.contiguous(memory_format=torch.channels_last)


def computing(precision: str) -> Any:
    """Return the context in which networks compute in "float32" (on a GPU TF32), or by autocast in "bf16"."""
    return torch.autocast(DEVICE, torch.bfloat16) if precision == "bf16" else contextlib.nullcontext()


def as_contestant(network: nn.Module, contestant: str) -> Any:
    """Return `network` as the contestant calls it: "eager" as it is, others compiled in their mode."""
    return torch.compile(network, mode=MODES[contestant]) if contestant in MODES else network
