"""One adversarial step in PyTorch: the critic's updates on the generator's photos, then the generator's own."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch  # pyright: ignore[reportMissingImports]
from torch import nn  # pyright: ignore[reportMissingImports]
from torch.nn.functional import softplus  # pyright: ignore[reportMissingImports]

from benchmarks.peers.accelerator import computing, tensor
from jaxsr.imaging.color import from_range

Loss = Callable[..., Any]

# name -> (what the critic minimises of the scores of sharp and of restored photos, what the generator of the latter)
LOSSES: dict[str, tuple[Loss, Loss]] = {
    "bce": (lambda real, fake: softplus(-real).mean() + softplus(fake).mean(), lambda fake: softplus(-fake).mean()),
    "wasserstein": (lambda real, fake: fake.mean() - real.mean(), lambda fake: -fake.mean()),
}
PIXELS = {"mse": nn.functional.mse_loss, "l1": nn.functional.l1_loss}


class Duel:
    """Generator and critic with their optimisers, by a config of jaxsr's. The critic sees photos in [-1, 1]."""

    def __init__(
        self,
        config: Any,
        generator: nn.Module,
        critic: nn.Module,
        places: np.ndarray,
        value_range: tuple[float, float],
    ) -> None:
        """Take both networks, and where the penalty looks: `places` (steps, updates, N), taken in turns.

        The generator's photos are in `value_range`.
        """
        self.section, self.pixel_weight = config.adversarial, config.pixel_weight
        self.precision = config.precision
        self.pixel_loss, self.value_range = PIXELS[config.loss], value_range
        self.generator, self.critic = generator, critic
        self.places, self.step_number = tensor(places), 0
        self.optimizers = [
            torch.optim.Adam(
                network.parameters(), lr=section.learning_rate, betas=(section.momentum, section.second_momentum)
            )
            for network, section in ((generator, config.optimizer), (critic, self.section.optimizer))
        ]

    def step(self, sharp: torch.Tensor, inputs: Sequence[torch.Tensor]) -> tuple[float, float]:
        """Make one step on `inputs` of the generator and `sharp` photos (N, C, H, W); return both losses.

        The critic's is the mean over its updates, without the penalty.
        """
        with computing(self.precision):
            fake = self.generator(*inputs)
        fake = 2 * from_range(fake.float(), self.value_range) - 1
        places = self.places[self.step_number % len(self.places)]
        self.step_number += 1
        self.critic.requires_grad_(True)
        told = [self._update(sharp, fake.detach(), place) for place in places[:, :, None, None, None]]
        self.critic.requires_grad_(False)  # its gradients would be computed and thrown away
        pixels = self.pixel_loss(fake / 2, sharp / 2)  # of photos in [0, 1]
        with computing(self.precision):
            scores = self.critic(fake)
        loss = self.pixel_weight * pixels + self.section.weight * LOSSES[self.section.loss][1](scores.float())
        self.optimizers[0].zero_grad(set_to_none=True)
        loss.backward()
        self.optimizers[0].step()
        return loss.item(), float(np.mean(told))

    def _update(self, real: torch.Tensor, fake: torch.Tensor, place: torch.Tensor) -> float:
        """Make one update of the critic; return its loss."""
        with computing(self.precision):
            scores = self.critic(real), self.critic(fake)
        loss = LOSSES[self.section.loss][0](*(score.float() for score in scores))
        penalized = loss
        if self.section.penalty:
            penalized = loss + self.section.penalty * self._penalty(place * real + (1 - place) * fake)
        self.optimizers[1].zero_grad(set_to_none=True)
        penalized.backward()
        self.optimizers[1].step()
        return loss.item()

    def _penalty(self, between: torch.Tensor) -> torch.Tensor:
        """Return the mean of (|g| - 1)², g being the gradient of a photo's mean score, in float32."""
        between = 1 * between.requires_grad_()  # no leaf: PyTorch's counter of operations stops at one
        score = self.critic(between).flatten(1).mean(1).sum()
        (gradient,) = torch.autograd.grad(score, between, create_graph=True)
        return (gradient.flatten(1).norm(dim=1) - 1).square().mean()
