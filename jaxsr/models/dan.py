"""Shared by both versions of DAN: the alternation of Restorer and Estimator, the PCA code, the enlargement.

Luo, Huang, Li, Wang, Tan, "Unfolding the Alternating Optimization for Blind Super Resolution", NeurIPS 2020 (DANv1),
and "End-to-end Alternating Optimization for Blind Super Resolution", arXiv 2105.06878 (DANv2).
"""

import functools
from collections.abc import Callable
from typing import NamedTuple, TypeAlias

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxsr.degradations import kernels
from jaxsr.models.ops.convolution import Conv
from jaxsr.models.ops.layers import depth_to_space, enlargements, uniform
from jaxsr.support.errors import UserError, choose
from jaxsr.support.types import Tree

KERNELS = {
    "isotropic": functools.partial(kernels.draw_isotropic, widths=kernels.PCA_WIDTHS),  # setting 1
    "anisotropic": kernels.draw_anisotropic,  # setting 2
}


Heads: TypeAlias = tuple[jax.Array, jax.Array]  # Restorer's and Estimator's first features of the LR photo


class Round(NamedTuple):
    """One round's image `sr` (N, scale H, scale W, C), its `code` (N, L) and, of DANv2, its `kernel` (N, k, k)."""

    sr: Tree  # an array; None where a loop does not keep the images
    code: jax.Array
    kernel: jax.Array | None = None


class Alternation(NamedTuple):
    """The last image `sr` (N, scale H, scale W, C), and the results of each of R rounds, the last one last.

    `codes` (R, N, L) and, of DANv2, `kernels` (R, N, k, k), which sum to 1; `images` (R, N, scale H, scale W, C) if
    requested. `images[i]` was made with `codes[i - 1]`.
    """

    sr: jax.Array
    codes: jax.Array
    kernels: jax.Array | None
    images: jax.Array | None

    def extras(self) -> dict[str, jax.Array]:
        """Return `codes` and, where present, `kernels` and `images`, the photos' axis first: (N, R, ...)."""
        parts = {"codes": self.codes, "kernels": self.kernels, "images": self.images}
        return {name: x.swapaxes(0, 1) for name, x in parts.items() if x is not None}


class DAN(nn.Module):
    """Restorer and Estimator in turn, `rounds` times with the same weights, from the code of a delta kernel.

    A code is the projection of a kernel of `kernel_size` on `code_length` principal components. They are a constant,
    not trained: the collection "constants" holds them as `basis` (kernel_size², code_length). `init` computes it from
    random "isotropic" or "anisotropic" `kernels`; weight files hold their own.

    As published, gradients stop between the two networks, and the rounds before the last have none: each network
    learns in the last round alone. With `each_round` the Estimator learns from its estimate in each, still without
    gradients between the rounds. With `backpropagate_all` they flow through everything, and the rounds before the
    last are computed again in the backward pass, so that memory does not grow with `rounds`.
    """

    scale: int
    channels: int = 3
    kernel_size: int = 21
    code_length: int = 10
    kernels: str = "isotropic"
    rounds: int = 4
    backpropagate_all: bool = False

    def heads(self, x: jax.Array) -> Heads:
        """Return both networks' features of the LR photo `x` alone, shared by all rounds."""
        raise NotImplementedError

    def round(self, heads: Heads, code: jax.Array) -> Round:
        """Return the result of one round that starts from the kernel's `code` (N, L)."""
        raise NotImplementedError

    def __call__(self, x: jax.Array, *, all_rounds: bool = False, each_round: bool = False) -> Alternation:
        """Return the Alternation for `x` (N, H, W, C) in [0, 1], with `images` if `all_rounds`.

        Images are in [0, 1], not clipped. Raises UserError without a basis, or with one for other kernels.
        """
        if self.rounds < 1:
            raise UserError(f"rounds={self.rounds} makes no image; use at least 1")
        centre = (self.kernel_size + 1) * (self.kernel_size // 2)  # of the delta kernel, in reading order
        basis, heads = self.basis(), self.heads(x)
        code = basis[centre][None].astype(x.dtype)
        code = jnp.broadcast_to(code, (x.shape[0], self.code_length))  # `len` takes no symbolic size
        options = {"through": self.backpropagate_all, "each": each_round, "images": all_rounds}
        if self.is_initializing():  # one round makes all weights
            return alternate(lambda _, code: self.round(heads, code), None, code, rounds=1, **options)
        net, variables = self.unbind()

        def step(weights: Tree, code: jax.Array) -> Round:
            return net.apply(weights[0], weights[1], code, method="round")  # type: ignore[return-value]

        return alternate(step, (variables, heads), code, rounds=self.rounds, **options)

    @nn.compact
    def basis(self) -> jax.Array:
        """Return the principal components (k², L); raises UserError where they are missing or of another size."""
        shape = (self.kernel_size**2, self.code_length)
        if not (self.has_variable("constants", "basis") or self.is_mutable_collection("constants")):
            raise UserError(f'no PCA basis: give the variables {{"constants": {{"basis": P}}}} with P of shape {shape}')
        basis = self.variable("constants", "basis", self._start_basis).value
        check_basis(basis.shape, self.kernel_size, self.code_length)
        return jnp.asarray(basis)

    def _start_basis(self) -> jax.Array:
        draw = choose("kernels", self.kernels, KERNELS)
        drawn = draw(self.make_rng("params"), kernels.PCA_KERNELS, size=self.kernel_size)
        return kernels.pca_basis(drawn, self.code_length).astype(jnp.float32)

    def to_estimator(self, sr: jax.Array) -> jax.Array:
        """Return `sr`, through which the Estimator's loss reaches the Restorer with `backpropagate_all` alone."""
        return sr if self.backpropagate_all else jax.lax.stop_gradient(sr)


def check_basis(shape: tuple[int, ...], kernel_size: int, code_length: int) -> None:
    """Raise UserError unless a PCA basis of `shape` takes kernels of that size to codes of that length."""
    if shape != (kernel_size**2, code_length):
        raise UserError(
            f"a PCA basis of shape {shape} does not take kernels of {kernel_size}x{kernel_size} pixels to codes of "
            f"{code_length}; give one of shape {(kernel_size**2, code_length)}, or set kernel_size and code_length"
        )


def alternate(
    step: Callable[[Tree, jax.Array], Round],
    weights: Tree,
    code: jax.Array,
    *,
    rounds: int,
    through: bool,
    each: bool,
    images: bool,
) -> Alternation:
    """Return the results of `rounds` times `step(weights, code)`, each starting from the code before.

    Without `through` no gradient flows from a round into the one before. The rounds before the last then have none,
    and nothing is kept for it, unless `each` gives every round its own.
    """
    before = None
    if rounds > 1:
        learning = weights if through or each else jax.lax.stop_gradient(weights)
        pass_on = (lambda code: code) if through else jax.lax.stop_gradient

        def body(code: jax.Array, _: None) -> tuple[jax.Array, Round]:
            result = step(learning, code)
            return pass_on(result.code), result if images else result._replace(sr=None)

        body = jax.checkpoint(body, prevent_cse=False) if through else body
        code, before = jax.lax.scan(body, code, length=rounds - 1)
    last = step(weights, code)
    ended = jax.tree.map(lambda x: x[None], last if images else last._replace(sr=None))
    ended = jax.tree.map(lambda *parts: jnp.concatenate(parts), before, ended) if before else ended
    return Alternation(last.sr, ended.code, ended.kernel, ended.sr)


def stack(block: type[nn.Module], length: int, inputs: Tree = 0) -> Callable[..., nn.Module]:
    """Return `block` repeated `length` times with weights stacked on axis 0; its second argument is split likewise."""
    return nn.scan(block, variable_axes={"params": 0}, split_rngs={"params": True}, in_axes=inputs, length=length)


class Enlargement(nn.Module):
    """The last part of the Restorer: fusion, sub-pixel stages and reconstruction, all linear."""

    scale: int
    channels: int

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        """Return (N, scale H, scale W, channels) from `x` (N, H, W, F)."""
        features = x.shape[-1]
        x = Conv(features, 3, kernel_init=uniform, name="fusion")(x)
        for i, factor in enumerate(enlargements(self.scale), start=1):
            x = Conv(factor**2 * features, 3, kernel_init=uniform, name=f"enlarge{i}")(x)
            x = depth_to_space(x, factor)
        return Conv(self.channels, 3, kernel_init=uniform, name="reconstruction")(x)


class MeanOfConv(nn.Module):
    """The mean over the photo of a 3x3 convolution with zero padding, without computing the convolution.

    Both are linear: each weight multiplies the sum of the pixels it meets, which are all but an edge of the photo.
    """

    features: int

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        """Return (N, features) from `x` (N, H, W, C)."""
        kernel = self.param("kernel", uniform, (3, 3, x.shape[-1], self.features), jnp.float32)
        bias = self.param("bias", nn.initializers.zeros, (self.features,), jnp.float32)
        means = _sums_met(_sums_met(x, 1), 2) / (x.shape[1] * x.shape[2])
        return jnp.einsum("nyxc,yxco->no", means, kernel) + bias.reshape(1, -1)


def _sums_met(x: jax.Array, axis: int) -> jax.Array:
    """Return the sums along `axis` of the pixels that each of three weights meets, in place of that axis."""
    total = x.sum(axis=axis, keepdims=True)
    first, last = (jax.lax.slice_in_dim(x, i, i + 1, axis=axis) for i in (0, x.shape[axis] - 1))
    return jnp.concatenate([total - last, total, total - first], axis=axis)
