"""Losses per element; the step averages them. Keyword-only, equal shapes, no silent broadcasting."""

from collections.abc import Callable

import jax
import jax.numpy as jnp

from jaxsr.imaging.resize import resize
from jaxsr.support.errors import UserError


def mse(*, output: jax.Array, target: jax.Array) -> jax.Array:
    """Return the squared difference of each element."""
    check_shapes(output=output, target=target)
    return jnp.square(output - target)


def l1(*, output: jax.Array, target: jax.Array) -> jax.Array:
    """Return the absolute difference of each element."""
    check_shapes(output=output, target=target)
    difference = output - target
    return jnp.maximum(difference, -difference)  # its derivative where images agree is 0; that of jnp.abs is 1


def charbonnier(*, output: jax.Array, target: jax.Array, epsilon: float = 1e-3) -> jax.Array:
    """Return sqrt(d² + epsilon²) of each element's difference d (LapSRN, equation 4); smooth at 0."""
    check_shapes(output=output, target=target)
    return jnp.sqrt(jnp.square(output - target) + epsilon**2)


def vgg(*, output: jax.Array, target: jax.Array, feature_scale: float = 1 / 12.75) -> jax.Array:
    """Return the squared difference of each element of VGG19's features (N, H, W, F), times `feature_scale`².

    SRGAN's scale (section 3.2) makes it as large as the squared error of pixels in [-1, 1]; DeblurGAN has 1.
    Source: Ledig et al., CVPR 2017, equation 5, before its mean over H and W.
    """
    return mse(output=output, target=target) * feature_scale**2


def texture(*, output: jax.Array, target: jax.Array, weights: jax.Array | None = None) -> jax.Array:
    """Return the squared difference of each element (N, C, C) of two Gram matrices, over 4 (H W C)².

    `output` and `target` are features (N, H, W, C) at one layer, those of the result and the swapped map; `weights`
    (N, H, W, 1), as `match_weights` makes them, scale both first. SRNTT takes the mean over its three layers.
    Source: Zhang et al., CVPR 2019, equation 7, whose Gram matrices are sums over pixels.
    """
    check_shapes(output=output, target=target)
    if weights is not None:
        check_shapes(weights=weights, features=output[..., :1])
        output, target = output * weights, target * weights
    _, height, width, channels = output.shape
    grams = [jnp.einsum("nhwc,nhwd->ncd", x, x, precision=jax.lax.Precision.HIGHEST) for x in (output, target)]
    return jnp.square((grams[0] - grams[1]) / (2 * height * width * channels))


def match_weights(similarity: jax.Array, *, factor: int = 1, slope: float = 20.0, offset: float = -0.65) -> jax.Array:
    """Return sigmoid(slope s + offset) (N, factor H, factor W, 1) of matches' cosines `similarity` (N, H-2, W-2).

    The outermost cosines are repeated, then enlarged by bicubic to a layer `factor` times as large. The paper counts
    good matches more; its published code has both signs reversed.
    """
    padded = jnp.pad(similarity, ((0, 0), (1, 1), (1, 1)), mode="edge")[..., None]
    padded = padded if factor == 1 else resize(padded, factor)
    return jax.nn.sigmoid(slope * padded + offset)


def total_variation(*, output: jax.Array) -> jax.Array:
    """Return the length of the gradient at each element of `output` (N, H, W, C): of the steps down and to the right.

    Beyond the last row and column there is no step. Where the image is flat, the derivative is 0.
    """
    if output.ndim != 4:
        raise UserError(f"total variation takes images of shape (N, H, W, C); got {output.shape}")
    down = jnp.diff(output, axis=1, append=output[:, -1:])
    right = jnp.diff(output, axis=2, append=output[:, :, -1:])
    return root(jnp.square(down) + jnp.square(right))


def root(squares: jax.Array) -> jax.Array:
    """Return the square root of each element, 0 or more, with the derivative 0 at 0 in place of infinity."""
    positive = squares > 0
    return jnp.where(positive, jnp.sqrt(jnp.where(positive, squares, 1)), 0)


def mean(elements: jax.Array) -> jax.Array:
    """Return the mean over every element: the learning rate does not depend on the patch's size."""
    return jnp.mean(elements)


def half_sum(elements: jax.Array) -> jax.Array:
    """Return half the sum over pixels, averaged over the batch: Caffe's Euclidean loss of squared elements."""
    return 0.5 * jnp.sum(elements) / elements.shape[0]


def example_sum(elements: jax.Array) -> jax.Array:
    """Return the sum over pixels, averaged over the batch: LapSRN's (equation 4)."""
    return jnp.sum(elements) / elements.shape[0]


# name -> (loss per element, reduction)
LOSSES: dict[str, tuple[Callable[..., jax.Array], Callable[[jax.Array], jax.Array]]] = {
    "mse": (mse, mean),
    "l1": (l1, mean),
    "charbonnier": (charbonnier, mean),
    "charbonnier_sum": (charbonnier, example_sum),
    "euclidean": (mse, half_sum),
}


def check_shapes(**arrays: jax.Array) -> None:
    """Raise UserError unless the named arrays have one shape."""
    if len({x.shape for x in arrays.values()}) > 1:
        found = " and ".join(f"{name} {x.shape}" for name, x in arrays.items())
        raise UserError(f"a loss needs equal shapes; got {found}")
