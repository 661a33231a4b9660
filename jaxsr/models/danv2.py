"""DANv2: Luo, Huang, Li, Wang, Tan, "End-to-end Alternating Optimization for Blind Super Resolution",
arXiv 2105.06878.
"""

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxsr.models.dan import DAN, Enlargement, MeanOfConv, Round, stack
from jaxsr.models.ops.convolution import Conv
from jaxsr.models.ops.layers import leaky_relu, uniform
from jaxsr.models.ops.strided_convolution import StridedConv
from jaxsr.models.spec import ModelSpec
from jaxsr.support.errors import choose

# By the size of the kernels: setting 1 at every scale, setting 2 at x2, setting 2 at x4.
VARIANTS = {
    "21x21": {"kernel_size": 21},
    "11x11": {"kernel_size": 11, "kernels": "anisotropic"},
    "31x31": {"kernel_size": 31, "code_length": 15, "kernels": "anisotropic"},
}

# How a group combines its input and its blocks' output, for both streams. The authors' blocks change the input in
# place before it is added: their weights need "doubled". The paper's text is "residual".
GROUP_SKIPS = {
    "doubled": lambda x, body: 2 * body,
    "residual": lambda x, body: x + body,
}


class DANv2(DAN):
    """5 groups of 10 dual-path conditional blocks restore, one group of 5 estimates the whole kernel.

    The Estimator gives the kernel itself by a softmax, its code is the projection. `group_skip` is "doubled", as in
    the authors' code and weights, or "residual", as in the paper's text.
    """

    features: int = 64
    groups: int = 5
    blocks: int = 10
    estimator_features: int = 32
    estimator_blocks: int = 5
    group_skip: str = "doubled"

    def setup(self):
        """Make the two networks."""
        skip = self.group_skip
        self.restorer = Restorer(self.scale, self.channels, self.features, self.groups, self.blocks, skip)
        self.estimator = Estimator(self.scale, self.estimator_features, self.estimator_blocks, self.kernel_size, skip)

    def heads(self, x: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Return both networks' first features of the LR photo `x` (N, H, W, C)."""
        return self.restorer.head(x), self.estimator.head(x)

    def round(self, heads: tuple[jax.Array, jax.Array], code: jax.Array) -> Round:
        """Return the image restored with `code` (N, L), the kernel (N, k, k) estimated from it, and its code."""
        sr = self.restorer(heads[0], code)
        kernel = self.estimator(heads[1], self.to_estimator(sr))
        code = jnp.matmul(kernel, self.basis().astype(kernel.dtype), precision=jax.lax.Precision.HIGHEST)
        return Round(sr, code, kernel.reshape(-1, self.kernel_size, self.kernel_size))


class Restorer(nn.Module):
    """Groups of blocks whose gates depend on the code alone, then enlargement.

    The condition stays 1 vector per photo through all blocks, and the image never enters it: all gates come first.
    """

    scale: int
    channels: int
    features: int
    groups: int
    blocks: int
    group_skip: str

    def setup(self):
        """Make the layers."""
        self.head = Conv(self.features, 3, kernel_init=uniform)
        self.code_head = Conv(self.features, 1, kernel_init=uniform)
        self.gates = stack(GateGroup, self.groups)(self.blocks, 1, self.group_skip)
        self.body = stack(Group, self.groups)(self.blocks, self.group_skip)
        self.enlargement = Enlargement(self.scale, self.channels)

    def __call__(self, x: jax.Array, code: jax.Array) -> jax.Array:
        """Return (N, scale H, scale W, C) from the head's features `x` (N, H, W, F) and `code` (N, L)."""
        _, gates = self.gates(self.code_head(code[:, None, None]), None)
        return self.enlargement(self.body(x, gates)[0])


class Estimator(nn.Module):
    """One group on the LR photo, gated by the restored one, and a softmax over the kernel's pixels."""

    scale: int
    features: int
    blocks: int
    kernel_size: int
    group_skip: str

    def setup(self):
        """Make the layers."""
        self.head = Conv(self.features, 5, kernel_init=uniform)
        self.sr_head = StridedConv(self.features, 4 * self.scale + 1, self.scale)
        self.gates = GateGroup(self.blocks, 3, self.group_skip)
        self.body = Group(self.blocks, self.group_skip)
        self.tail = MeanOfConv(2 * self.features)
        self.logits = Conv(self.kernel_size**2, 1, kernel_init=uniform)

    def __call__(self, x: jax.Array, sr: jax.Array) -> jax.Array:
        """Return the kernel (N, k²), of sum 1, from the head's `x` (N, H, W, F) and `sr` (N, scale H, scale W, C)."""
        _, gates = self.gates(self.sr_head(sr), None)
        x, _ = self.body(x, gates)
        return nn.softmax(self.logits(self.tail(x)[:, None, None])[:, 0, 0])


class GateGroup(nn.Module):
    """The condition's path through a group of dual-path blocks (DPCG), which gates the image in each block."""

    blocks: int
    size: int
    group_skip: str

    @nn.compact
    def __call__(self, x: jax.Array, _: None) -> tuple[jax.Array, jax.Array]:
        """Return the next condition of the shape of `x` (N, H, W, F), and the gates (blocks, N, H, W, F)."""
        body, gates = stack(Gate, self.blocks)(self.size, name="blocks")(x, None)
        return choose("group_skip", self.group_skip, GROUP_SKIPS)(x, body), gates


class Group(nn.Module):
    """The image's path through a group of dual-path blocks (DPCG)."""

    blocks: int
    group_skip: str

    @nn.compact
    def __call__(self, x: jax.Array, gates: jax.Array) -> tuple[jax.Array, None]:
        """Return (N, H, W, F) of `x` (N, H, W, F) and `gates` (blocks, N, H or 1, W or 1, F), and nothing to stack."""
        body, _ = stack(GatedBlock, self.blocks)(name="blocks")(x, gates)
        return choose("group_skip", self.group_skip, GROUP_SKIPS)(x, body), None


class Gate(nn.Module):
    """The condition's half of a dual-path block (DPCB): f2 of x1 ← x1 + f2(x1)."""

    size: int

    @nn.compact
    def __call__(self, x: jax.Array, _: None) -> tuple[jax.Array, jax.Array]:
        """Return the next condition (N, H, W, F), and the block's gate of the same shape."""
        gate = two_convolutions(x, self.size)
        return x + gate, gate


class GatedBlock(nn.Module):
    """The image's half of a dual-path block (DPCB): x0 ← x0 + f1(x0) f2."""

    @nn.compact
    def __call__(self, x: jax.Array, gate: jax.Array) -> tuple[jax.Array, None]:
        """Return the next (N, H, W, F), and nothing to stack."""
        return x + two_convolutions(x, 3) * gate, None


def two_convolutions(x: jax.Array, size: int) -> jax.Array:
    """Return conv, LeakyReLU, conv of `x` (N, H, W, F), as layers "conv1" and "conv2" of the calling block."""
    y = leaky_relu(Conv(x.shape[-1], size, kernel_init=uniform, name="conv1")(x))
    return Conv(x.shape[-1], size, kernel_init=uniform, name="conv2")(y)


SPEC = ModelSpec(
    name="danv2",
    paper="Luo et al., arXiv 2105.06878",
    build=DANv2,
    scales=(2, 3, 4),
    variants=VARIANTS,
    detail_options=("all_rounds",),
    receptive_radius=lambda net: None,  # one kernel for the whole photo
)
