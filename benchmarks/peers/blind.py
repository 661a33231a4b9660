"""DANv1 and DANv2: every round computes everything again, with codes spread over the photo and concatenated."""

from typing import Any

import torch  # pyright: ignore[reportMissingImports]
from torch import nn  # pyright: ignore[reportMissingImports]

from benchmarks.peers.layers import SubpixelConv, conv
from jaxsr.models.danv1 import REDUCTION
from jaxsr.models.ops.layers import enlargements


class DAN(nn.Module):
    """Restorer and Estimator in turn; gradients stop between rounds and between the two."""

    def __init__(self, module: Any, restorer: nn.Module, estimator: nn.Module) -> None:
        super().__init__()
        self.rounds, self.restorer, self.estimator = module.rounds, restorer, estimator
        self.register_buffer("basis", torch.zeros(module.kernel_size**2, module.code_length))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return (N, C, scale H, scale W) from `x` (N, C, H, W)."""
        code = self.basis[len(self.basis) // 2].expand(len(x), -1)
        sr = x
        for i in range(self.rounds):
            sr = self.restorer(x, code.detach())
            if i < self.rounds - 1 or not self.training:  # the loss of the image does not reach the last estimate
                code = self.estimator(x, sr.detach(), self.basis)
        return sr


class RestorerV1(nn.ModuleDict):
    """Conditional residual blocks and enlargement."""

    def __init__(self, module: Any) -> None:
        body = nn.ModuleList(CRB(module.features, module.code_length) for _ in range(module.blocks))
        head = conv(module.channels, module.features)
        super().__init__({"head": head, "body": body, "enlargement": Enlargement(module)})

    def forward(self, x: torch.Tensor, code: torch.Tensor) -> torch.Tensor:
        """Return (N, C, scale H, scale W) from the photo and its code (N, L)."""
        condition = code[:, :, None, None].expand(-1, -1, *x.shape[2:])
        x = self["head"](x)
        for block in self["body"]:
            x = block(x, condition)
        return self["enlargement"](x)


class EstimatorV1(nn.ModuleDict):
    """Conditional residual blocks and the code."""

    def __init__(self, module: Any) -> None:
        narrow = module.estimator_features
        super().__init__(
            {
                "head": conv(module.channels, narrow, 1),
                "sr_head": nn.Conv2d(module.channels, narrow, 9, module.scale, padding=4),
                "body": nn.ModuleList(CRB(narrow, narrow) for _ in range(module.estimator_blocks)),
                "code": conv(narrow, module.code_length),
            }
        )

    def forward(self, x: torch.Tensor, sr: torch.Tensor, basis: torch.Tensor) -> torch.Tensor:
        """Return the code (N, L) from the photo and the restored one."""
        x, condition = self["head"](x), self["sr_head"](sr)
        for block in self["body"]:
            x = block(x, condition)
        return self["code"](x).mean((2, 3))


class CRB(nn.Module):
    """Two convolutions on features and condition, channel attention, and a residual."""

    def __init__(self, features: int, condition: int) -> None:
        super().__init__()
        self.conv1 = conv(features + condition, features + condition)
        self.conv2 = conv(features + condition, features)
        squeezed = max(features // REDUCTION, 1)
        self.attention = nn.ModuleDict({"squeeze": conv(features, squeezed, 1), "excite": conv(squeezed, features, 1)})

    def forward(self, x: torch.Tensor, condition: torch.Tensor) -> torch.Tensor:
        """Return (N, F, H, W) from `x` (N, F, H, W) and `condition` (N, K, H, W)."""
        y = self.conv2(_leaky(self.conv1(torch.cat([x, condition], 1))))
        gate = self.attention["excite"](_leaky(self.attention["squeeze"](y.mean((2, 3), keepdim=True))))
        return x + y * torch.sigmoid(gate)


class RestorerV2(nn.ModuleDict):
    """Groups of dual-path blocks and enlargement."""

    def __init__(self, module: Any) -> None:
        wide = module.features
        super().__init__(
            {
                "head": conv(module.channels, wide),
                "code_head": conv(module.code_length, wide, 1),
                "gates": nn.ModuleList(Group(wide, 1, module.blocks) for _ in range(module.groups)),
                "body": nn.ModuleList(Group(wide, 3, module.blocks) for _ in range(module.groups)),
                "enlargement": Enlargement(module),
            }
        )

    def forward(self, x: torch.Tensor, code: torch.Tensor) -> torch.Tensor:
        """Return (N, C, scale H, scale W) from the photo and its code (N, L)."""
        streams = self["head"](x), self["code_head"](code[:, :, None, None])
        for body, gates in zip(self["body"], self["gates"], strict=True):
            streams = both_paths(body, gates, *streams)
        return self["enlargement"](streams[0])


class EstimatorV2(nn.ModuleDict):
    """One group of dual-path blocks and a softmax over the kernel's pixels."""

    def __init__(self, module: Any) -> None:
        narrow, size = module.estimator_features, 4 * module.scale + 1
        super().__init__(
            {
                "head": conv(module.channels, narrow, 5),
                "sr_head": nn.Conv2d(module.channels, narrow, size, module.scale, padding=size // 2),
                "gates": Group(narrow, 3, module.estimator_blocks),
                "body": Group(narrow, 3, module.estimator_blocks),
                "tail": conv(narrow, 2 * narrow),
                "logits": conv(2 * narrow, module.kernel_size**2, 1),
            }
        )

    def forward(self, x: torch.Tensor, sr: torch.Tensor, basis: torch.Tensor) -> torch.Tensor:
        """Return the code (N, L) from the photo and the restored one."""
        x, _ = both_paths(self["body"], self["gates"], self["head"](x), self["sr_head"](sr))
        logits = self["logits"](self["tail"](x).mean((2, 3), keepdim=True))
        return torch.softmax(logits.flatten(1), 1) @ basis


class Group(nn.Module):
    """One path's convolutions of a group of blocks."""

    def __init__(self, features: int, size: int, blocks: int) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(
            nn.ModuleDict({"conv1": conv(features, features, size), "conv2": conv(features, features, size)})
            for _ in range(blocks)
        )


def both_paths(body: Group, gates: Group, x: torch.Tensor, y: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return both streams behind a group, twice their sum as the authors' code has it."""
    for block, gate in zip(body.blocks, gates.blocks, strict=True):
        factor = gate["conv2"](_leaky(gate["conv1"](y)))
        x = x + block["conv2"](_leaky(block["conv1"](x))) * factor
        y = y + factor
    return 2 * x, 2 * y


class Enlargement(nn.ModuleDict):
    """Fusion, sub-pixel convolutions and reconstruction."""

    def __init__(self, module: Any) -> None:
        wide = module.features
        stages = {f"enlarge{i}": SubpixelConv(wide, wide, s) for i, s in enumerate(enlargements(module.scale), start=1)}
        super().__init__({"fusion": conv(wide, wide), **stages, "reconstruction": conv(wide, module.channels)})

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return (N, C, scale H, scale W) from `x` (N, F, H, W)."""
        for layer in self.values():
            x = layer(x)
        return x


def _leaky(x: torch.Tensor) -> torch.Tensor:
    return nn.functional.leaky_relu(x, 0.2)


def dan_v1(module: Any) -> nn.Module:
    """Return DANv1 in the size of the jaxsr network `module`."""
    return DAN(module, RestorerV1(module), EstimatorV1(module))


def dan_v2(module: Any) -> nn.Module:
    """Return DANv2 in the size of the jaxsr network `module`."""
    return DAN(module, RestorerV2(module), EstimatorV2(module))
