"""The feed of deblurring: photos to blur by random camera shake, pairs that are blurred already, or both mixed."""

import functools
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp

from jaxsr.degradations.motion import draw_motion
from jaxsr.devices import parallel
from jaxsr.training.config import Config
from jaxsr.training.pairs import Crops, makes_blur

if TYPE_CHECKING:
    from jaxsr.training.feeds.feed import Feed

PAIRS, PHOTOS, KERNELS = "pairs", "photos", "kernels"


class BlurredFeed:
    """Crops of `photos`, each with a kernel of a bank, and of `pairs` that bring their blur, in one batch.

    The bank is drawn once, because the 2000 steps of a path come one after another, which accelerators are slow at.
    Kernels, and which sort an example is of, follow from the example's key.
    """

    def __init__(self, photos: "Feed | None", pairs: "Feed | None", config: Config, devices: list[Any]):
        """Draw the bank from the config's seed where there is something to blur."""
        self._feeds = {name: feed for name, feed in ((PAIRS, pairs), (PHOTOS, photos)) if feed is not None}
        self._share = config.data.synthetic_share
        self._bank = {}
        if makes_blur(config):
            self._bank[KERNELS] = parallel.replicate(draw_bank(config), devices)
        self.sharded = {name: feed.sharded for name, feed in self._feeds.items()} | dict.fromkeys(self._bank, False)

    def data(self, count: int) -> Any:
        """Return what each feed has for `count` further steps, and the bank, by name."""
        return {name: feed.data(count) for name, feed in self._feeds.items()} | self._bank

    def draw(self, data: Any, i: jax.Array, keys: jax.Array) -> Crops:
        """Return the crops of a step, an example for each key."""
        drawn = {name: feed.draw(data[name], i, keys) for name, feed in self._feeds.items()}
        kernels = _of_each(data[KERNELS], keys) if KERNELS in data else None
        if PAIRS not in drawn:
            return Crops(drawn[PHOTOS], kernels)
        sharp, blurred = drawn[PAIRS][..., :3], drawn[PAIRS][..., 3:]
        if PHOTOS not in drawn:
            return Crops(sharp, None, blurred)
        real = jax.vmap(lambda key: jax.random.uniform(jax.random.fold_in(key, 7)))(keys) >= self._share
        return Crops(jnp.where(real.reshape(-1, 1, 1, 1), sharp, drawn[PHOTOS]), kernels, blurred, real)

    def position(self) -> Any:
        """Return the place in each feed, by name."""
        return {name: feed.position() for name, feed in self._feeds.items()}

    def seek(self, position: Any) -> None:
        """Go to a place that `position` gave."""
        for name, feed in self._feeds.items():
            feed.seek(position[name])


def draw_bank(config: Config) -> jax.Array:
    """Return the kernels (N, k, k) of `config.data.shakes` random paths, each at all exposures."""
    data = config.data
    options = {"size": data.kernel_size, "exposures": tuple(data.exposures), "anxieties": tuple(data.anxieties)}
    draw = jax.jit(functools.partial(draw_motion, count=data.shakes, **options))
    return draw(jax.random.key(config.seed)).reshape(-1, data.kernel_size, data.kernel_size)


def _of_each(bank: jax.Array, keys: jax.Array) -> jax.Array:
    """Return the kernels (N, k, k) that `keys` (N,) choose of `bank`."""
    return bank[jax.vmap(lambda key: jax.random.randint(jax.random.fold_in(key, 8), (), 0, len(bank)))(keys)]
