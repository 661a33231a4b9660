"""What a user sets for KernelGAN: one schema for Python, `estimate_kernel` and configs/kernelgan.py."""

import dataclasses

from jaxsr.blind.kernelgan.recipes import FIDELITIES, Recipe
from jaxsr.blind.user_errors import check_at_least, check_types
from jaxsr.support.errors import UserError, choose
from jaxsr.support.randomness import check_seed

SCALES = (2, 4)


@dataclasses.dataclass(frozen=True)
class KernelGANOptions:
    """How the kernel of a photo is estimated; checked when it is made, which raises UserError.

    Attributes:
        scale: how many times larger the photo is to become, 2 or 4.
        seed: seed of the first run; the same one gives the same kernel.
        seeds: number of runs per photo, with consecutive seeds, whose kernels are averaged. Single runs vary: their
            errors spread twice as far as those of means of four.
        steps: training steps of each run; the schedules are made for 3000.
        fidelity: a name of `recipes.FIDELITIES`: "mixed", "steady", "paper" or "published_code".
        log_every: steps between two lines of losses in the log file; 0 writes no log.
        pictures_every: steps between two pictures of the kernel during training; 0 draws the finished one only.
    """

    scale: int = 2
    seed: int = 0
    seeds: int = 4
    steps: int = 3000
    fidelity: str = "mixed"
    log_every: int = 100
    pictures_every: int = 0

    def __post_init__(self) -> None:
        """Raise UserError, naming the field, for a value that cannot be used."""
        check_types(self)
        check_at_least(self, seeds=1, steps=1, log_every=0, pictures_every=0)
        check_seed(self.seed, self.seeds)
        check_scale(self.scale)
        choose("fidelity", self.fidelity, FIDELITIES)

    @property
    def checks_width(self) -> bool:
        """Whether kernels are compared with the photo's spectrum: not where the paper or its code is followed."""
        return self.fidelity not in ("paper", "published_code")

    @property
    def all_seeds(self) -> range:
        """The seed of each run of a photo."""
        return range(self.seed, self.seed + self.seeds)

    def recipe(self, seed: int) -> Recipe:
        """Return the recipe that the run with `seed` follows."""
        recipes = FIDELITIES[self.fidelity]
        return recipes[seed % len(recipes)]


def check_scale(scale: int) -> None:
    """Raise UserError for a scale that KernelGAN has no kernels for."""
    if scale not in SCALES:
        raise UserError(f"scale={scale}: KernelGAN estimates kernels for the scales 2 and 4; choose one")


DEFAULT_OPTIONS = KernelGANOptions()
