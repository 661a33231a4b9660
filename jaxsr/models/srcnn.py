"""SRCNN: Dong, Loy, He, Tang, "Image Super-Resolution Using Deep Convolutional Networks", TPAMI 2016."""

import flax.linen as nn
import jax

from jaxsr.models.ops.convolution import Conv
from jaxsr.models.spec import ModelSpec

# Section 4.3.2: the networks are named by their filter sizes; later tables cite 9-5-5 trained on ImageNet.
VARIANTS = {
    "9-1-5": {"kernel_sizes": (9, 1, 5)},
    "9-3-5": {"kernel_sizes": (9, 3, 5)},
    "9-5-5": {"kernel_sizes": (9, 5, 5)},
}


class SRCNN(nn.Module):
    """Patch extraction, non-linear mapping and reconstruction on the bicubic enlargement (section 3.1).

    `padding` is "replicate" (the authors' test code), "valid" (their training) or "zero" (later ports).
    """

    kernel_sizes: tuple[int, int, int] = (9, 5, 5)
    features: tuple[int, int] = (64, 32)
    channels: int = 1
    padding: str = "replicate"

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        """Return (N, H, W, C) in [0, 1] from the enlarged `x` of that shape; smaller with padding "valid"."""
        widths = (*self.features, self.channels)
        for i, (features, size) in enumerate(zip(widths, self.kernel_sizes, strict=True), start=1):
            x = Conv(features, size, self.padding, kernel_init=nn.initializers.normal(0.001), name=f"conv{i}")(x)
            x = nn.relu(x) if i < 3 else x
        return x


SPEC = ModelSpec(
    name="srcnn",
    paper="Dong et al., TPAMI 2016, arXiv 1501.00092",
    build=SRCNN,
    scales=(2, 3, 4),
    variants=VARIANTS,
    pre_upsampled=True,
    receptive_radius=lambda net: sum(size // 2 for size in net.kernel_sizes),
    training_options={"padding": "valid"},  # section 3.3: borders are not learned from padding
)
