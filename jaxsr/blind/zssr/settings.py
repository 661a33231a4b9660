"""What a user sets for ZSSR: one schema for Python and for `--model=zssr,steps=300,kernel=estimate`."""

import dataclasses
from collections.abc import Mapping

from jaxsr.blind.user_errors import check_at_least, check_types
from jaxsr.support.errors import UserError, choose
from jaxsr.support.model_options import Option
from jaxsr.support.randomness import check_seed

REAL_NOISE = 0.0125  # standard deviation on the sons of real photos, in [0, 1]
ESTIMATE = "estimate"


@dataclasses.dataclass(frozen=True)
class ZSSRSettings:
    """How ZSSR learns from a photo; checked when it is made, which raises UserError.

    Attributes:
        steps: at most so many training steps for each scale; fewer when the error no longer falls.
        kernel: how the photo was reduced: a kernel file (.npz or .mat), "estimate" to have KernelGAN estimate the
            kernel, or "" for MATLAB's bicubic reduction.
        real: for real photos with noise and an unknown, non-ideal downscaling: trains on noisy sons, and leaves out
            back-projection.
        noise_scale: factor of the noise on the sons of real photos, whose standard deviation is 0.0125; with `real`.
        seed: the same seed gives the same result.
        augment: whether fathers are flipped and turned at random.
        crop: pixels a side of a father; less in smaller photos.
        fathers: crops per training step.
    """

    steps: int = 3000
    kernel: str = ""
    real: bool = False
    noise_scale: float = 1.0
    seed: int = 0
    augment: bool = False
    crop: int = 128
    fathers: int = 1

    def __post_init__(self) -> None:
        """Raise UserError, naming the field, for a value that cannot be used."""
        check_types(self)
        check_at_least(self, steps=1, noise_scale=0, crop=1, fathers=1)
        check_seed(self.seed)
        if self.noise_scale != 1 and not self.real:
            raise UserError(f"noise_scale={self.noise_scale} is for real photos; add real=True, or leave it out")

    @property
    def noise(self) -> float:
        """Standard deviation of the noise on sons."""
        return REAL_NOISE * self.noise_scale if self.real else 0.0

    @classmethod
    def from_options(cls, options: Mapping[str, Option]) -> "ZSSRSettings":
        """Return the settings that `options` change, as `parse_model` reads them off `--model=zssr,steps=300`.

        Raises UserError for an unknown option, naming the nearest, and for a value of the wrong kind.
        """
        defaults = {field.name: field.default for field in dataclasses.fields(cls)}
        for name in options:
            choose("option of zssr", name, defaults)
        return dataclasses.replace(DEFAULT_SETTINGS, **options)  # pyright: ignore[reportArgumentType]  # checked there


DEFAULT_SETTINGS = ZSSRSettings()
