"""The feed of deblurring: photos to blur by random camera shake, pairs of blurred and sharp photos, or both mixed."""

import functools
from typing import NamedTuple

import jax
import jax.numpy as jnp

from jaxsr.degradations.camera_shake import draw_motion
from jaxsr.devices import parallel
from jaxsr.support.randomness import Purpose, Stream, seed_key, streams
from jaxsr.support.types import Device, Json, Key, Tree
from jaxsr.training.config import Config
from jaxsr.training.feeds.feed import Feed, Sharded

PAIRS, PHOTOS, KERNELS = "pairs", "photos", "kernels"


class BlurredCrops(NamedTuple):
    """What deblurring learns from: `hr` crops (N, S, S, 3) uint8, and how each of them is blurred.

    Either by its kernel of `kernels` (N, k, k), or as its photo of `blurred` (N, S, S, 3) uint8 shows. Where both are
    given, `is_pair` (N,) says for which examples the latter holds.
    """

    hr: jax.Array
    kernels: jax.Array | None = None
    blurred: jax.Array | None = None
    is_pair: jax.Array | None = None


class BlurredFeed:
    """Crops of `photos`, each with a kernel from a bank, crops of `pairs` with their blurred photos, or both mixed.

    The bank is drawn once, because a path has 2000 steps one after another, which accelerators are slow at. Which
    kernel an example gets, and of which kind it is, follows from the example's key.
    """

    def __init__(self, photos: Feed | None, pairs: Feed | None, config: Config, devices: list[Device]):
        """Draw the bank of kernels from the config's seed where there are `photos` to blur."""
        self._feeds = {name: feed for name, feed in ((PAIRS, pairs), (PHOTOS, photos)) if feed is not None}
        self._synthetic_share = config.data.synthetic_share
        self._bank = {}
        if photos is not None:
            self._bank[KERNELS] = parallel.replicate(draw_bank(config), devices)
        each = {name: feed.sharded for name, feed in self._feeds.items()}
        self.sharded: Sharded = {**each, **dict.fromkeys(self._bank, False)}

    def data(self, count: int) -> dict[str, Tree]:
        """Return each feed's data for `count` further steps, and the bank, by name."""
        return {name: feed.data(count) for name, feed in self._feeds.items()} | self._bank

    def draw(self, data: dict[str, Tree], i: jax.Array, keys: Key) -> BlurredCrops:
        """Return the crops of a step, one example for each of `keys` (N,)."""
        drawn = {name: feed.draw(data[name], i, keys) for name, feed in self._feeds.items()}
        kernels = draw_kernels(data[KERNELS], keys) if KERNELS in data else None
        if PAIRS not in drawn:
            return BlurredCrops(drawn[PHOTOS], kernels)
        hr, blurred = drawn[PAIRS][..., :3], drawn[PAIRS][..., 3:]
        if PHOTOS not in drawn:
            return BlurredCrops(hr, None, blurred)
        is_pair = jax.vmap(jax.random.uniform)(streams(keys, Stream.REAL_PAIR)) >= self._synthetic_share
        return BlurredCrops(jnp.where(is_pair.reshape(-1, 1, 1, 1), hr, drawn[PHOTOS]), kernels, blurred, is_pair)

    def position(self) -> dict[str, Json]:
        """Return the position in each feed, by name."""
        return {name: feed.position() for name, feed in self._feeds.items()}

    def seek(self, position: dict[str, Json]) -> None:
        """Go to a position that `position` returned."""
        for name, feed in self._feeds.items():
            feed.seek(position[name])


def draw_bank(config: Config) -> jax.Array:
    """Return the kernels (N, k, k) of `config.data.shakes` random paths, each at all exposures."""
    data = config.data
    options = {"size": data.kernel_size, "exposures": tuple(data.exposures), "jitter": tuple(data.jitter)}
    draw = jax.jit(functools.partial(draw_motion, count=data.shakes, **options))
    return draw(seed_key(config.seed, Purpose.MOTION_BANK)).reshape(-1, data.kernel_size, data.kernel_size)


def draw_kernels(bank: jax.Array, keys: Key) -> jax.Array:
    """Return a kernel (N, k, k) of `bank` (M, k, k) for each of `keys` (N,)."""
    chosen = jax.vmap(lambda key: jax.random.randint(key, (), 0, len(bank)))(streams(keys, Stream.MOTION_KERNEL))
    return bank[chosen]
