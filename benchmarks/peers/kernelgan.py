"""KernelGAN in PyTorch, eager, as its paper and published description have it: six layers, one photo at a time."""

from collections.abc import Sequence

import numpy as np
import torch  # pyright: ignore[reportMissingImports]
from torch import nn  # pyright: ignore[reportMissingImports]
from torch.nn.utils import spectral_norm  # pyright: ignore[reportMissingImports]

from benchmarks.peers.accelerator import placed, tensor
from jaxsr.blind.kernelgan.regularizers import boundary_mask
from jaxsr.imaging.resize import resize_matrix

SIZES = (7, 5, 3, 1, 1, 1)


def generator() -> nn.Module:
    """Return the deep linear network; planes are examples of one channel."""
    widths = (1, *[64] * 5, 1)
    layers = [
        nn.Conv2d(widths[i], widths[i + 1], s, stride=2 if i == 5 else 1, bias=False) for i, s in enumerate(SIZES)
    ]
    return nn.Sequential(*layers)


def discriminator() -> nn.Module:
    """Return the patch discriminator with spectral and batch normalisation."""
    layers: list[nn.Module] = [spectral_norm(nn.Conv2d(3, 64, 7))]
    for _ in range(5):
        layers += [spectral_norm(nn.Conv2d(64, 64, 1)), nn.BatchNorm2d(64), nn.ReLU()]
    return nn.Sequential(*layers, spectral_norm(nn.Conv2d(64, 1, 1)), nn.Sigmoid())


class KernelGAN:
    """The state of one photo's optimisation, where jaxsr computes; `photo` is (3, H, W) in [-1, 1]."""

    def __init__(self, photo: np.ndarray) -> None:
        self.photo = tensor(photo)
        self.generator, self.discriminator = placed(generator()), placed(discriminator())
        for module in (*self.generator.modules(), *self.discriminator.modules()):
            if isinstance(module, nn.Conv2d):
                nn.init.xavier_normal_(getattr(module, "weight_orig", module.weight), 0.1)
        networks = (self.generator, self.discriminator)
        self.optimizers = [torch.optim.Adam(net.parameters(), lr=2e-4, betas=(0.5, 0.999)) for net in networks]
        self.mask = tensor(boundary_mask())
        weights = tensor(resize_matrix(64, 32, 0.5)[16, 29:37])
        self.bicubic = torch.outer(weights, weights).reshape(1, 1, 8, 8)
        self.late = 0.0  # the weight of centre and sparsity
        self.offsets = tensor(np.arange(13))

    def copy_weights(self, generator: dict[str, np.ndarray], discriminator: dict[str, np.ndarray]) -> None:
        """Take the weights of jaxsr's networks; biases before a normalisation, which jaxsr leaves out, become 0."""
        convolutions = [m for m in self.discriminator if isinstance(m, nn.Conv2d)]
        norms = [m for m in self.discriminator if isinstance(m, nn.BatchNorm2d)]
        matrices = [discriminator["first"], *discriminator["hidden"], discriminator["last"]]
        with torch.no_grad():
            for layer, weight in zip(self.generator, generator.values(), strict=True):
                layer.weight.copy_(torch.from_numpy(weight.transpose(3, 2, 0, 1).copy()))  # pyright: ignore
            for layer, matrix in zip(convolutions, matrices, strict=True):
                layer.weight_orig.copy_(torch.from_numpy(matrix.T.copy()).reshape(layer.weight_orig.shape))
                layer.bias.zero_()  # pyright: ignore[reportOptionalMemberAccess]
            for norm, scale, shift in zip(norms, discriminator["scale"], discriminator["shift"], strict=True):
                norm.weight.copy_(torch.from_numpy(scale.copy()))
                norm.bias.copy_(torch.from_numpy(shift.copy()))

    def copy_directions(self, directions: dict[str, np.ndarray]) -> None:
        """Take the left singular vectors that the power iterations start from."""
        vectors = [*directions["first"], *directions["hidden"], np.ones(1, np.float32)]
        convolutions = [m for m in self.discriminator if isinstance(m, nn.Conv2d)]
        for layer, vector in zip(convolutions, vectors, strict=True):
            layer.weight_u.copy_(torch.from_numpy(vector.copy()))  # pyright: ignore

    def kernel(self) -> torch.Tensor:
        """Return the generator's kernel (13, 13), from a single bright pixel through its layers."""
        x = nn.functional.pad(self.mask.new_ones(1, 1, 1, 1), (12,) * 4)
        for layer in self.generator:
            x = nn.functional.conv2d(x, layer.weight)  # pyright: ignore[reportArgumentType]
        return x[0, 0].flip(0, 1)

    def regularize(self, kernel: torch.Tensor) -> torch.Tensor:
        """Return the four regularisers; the last two have weight 0 at first, yet are computed, as published."""
        mass = kernel.sum()
        centre = torch.stack([kernel.sum(1) @ self.offsets, kernel.sum(0) @ self.offsets]) / mass
        loss = 0.5 * (1 - mass).abs() + 0.5 * (kernel * self.mask).abs().mean()
        return loss + self.late * ((centre - 6.5).square().mean() + 5 * kernel.abs().pow(0.2).mean())

    def step(self, corner: Sequence[int], real_corner: Sequence[int]) -> list[float]:
        """Make one step of both networks, with crops at two corners; return their losses."""
        (row, column), (y, x) = corner, real_corner
        crop = self.photo[:, row : row + 64, column : column + 64]
        real = self.photo[None, :, y : y + 26, x : x + 26]
        self.optimizers[0].zero_grad(set_to_none=True)
        output = self.generator(crop[:, None])
        target = nn.functional.conv2d(crop[:, None], self.bicubic, stride=2, padding=3)[..., 3:-3, 3:-3]
        answer = self.discriminator(output.transpose(0, 1))
        loss = (answer - 1).abs().mean() + 5 * (output - target).square().mean() + self.regularize(self.kernel())
        loss.backward()
        self.optimizers[0].step()
        self.optimizers[1].zero_grad(set_to_none=True)
        with torch.no_grad():
            fake = self.generator(crop[:, None]).transpose(0, 1)
        answers = [self.discriminator(patch + torch.randn_like(patch) / 255) for patch in (real, fake)]
        own = ((answers[0] - 1).abs().mean() + answers[1].abs().mean()) / 2
        own.backward()
        self.optimizers[1].step()
        return [loss.item(), own.item()]
