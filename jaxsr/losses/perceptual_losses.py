"""Losses of features and textures, and total variation. They take features, not photos: any network may give them.

`jaxsr.models.vgg.VGG19` is the one that SRGAN, DeblurGAN and SRNTT use.
"""

import jax
import jax.numpy as jnp

from jaxsr.imaging.resize import resize
from jaxsr.losses.elementwise import check_arrays, root
from jaxsr.losses.pixel import mse
from jaxsr.support.errors import UserError

SRGAN_FEATURE_SCALE = 1 / 12.75  # makes the loss as large as the squared error of pixels in [-1, 1] (section 3.2)


def perceptual(output: jax.Array, target: jax.Array, *, feature_scale: float = SRGAN_FEATURE_SCALE) -> jax.Array:
    """Return the squared difference of each element of two photos' features, times `feature_scale`².

    Example:
        >>> perceptual(jnp.zeros((1, 4, 4, 8)), jnp.full((1, 4, 4, 8), 2.0), feature_scale=1.0).mean().item()
        4.0

    Args:
        output: features (N, H, W, F) of restored photos at one layer, usually of VGG19.
        target: features of the sharp photos at that layer, in the same shape.
        feature_scale: what features are multiplied by first; the default is SRGAN's, DeblurGAN has 1.

    Returns:
        The elements' losses (N, H, W, F), 0 or more; not reduced.

    Raises:
        UserError: `output` and `target` differ in shape, or are not floats.

    Source: Ledig et al., "Photo-Realistic Single Image Super-Resolution Using a Generative Adversarial Network",
    CVPR 2017, equation 5, before its mean over H and W.
    """
    return mse(output, target) * feature_scale**2


def texture(output: jax.Array, target: jax.Array, *, weights: jax.Array | None = None) -> jax.Array:
    """Return the squared difference of each element of two Gram matrices, over 4 (H W F)².

    Example:
        >>> features = jnp.ones((1, 4, 4, 8))
        >>> texture(features, features[:, ::-1]).shape
        (1, 8, 8)

    Args:
        output: features (N, H, W, F) of restored photos at one layer of VGG19.
        target: features whose texture they should have, such as SRNTT's swapped ones, in the same shape.
        weights: (N, H, W, 1), as `match_weights` makes them; both features are multiplied by them first.

    Returns:
        The elements' losses (N, F, F), 0 or more; not reduced. SRNTT takes the mean over its three layers.

    Raises:
        UserError: `output` and `target` differ in shape, are not floats, do not have four dimensions, or `weights`
            do not have their shape with one channel.

    Source: Zhang et al., "Image Super-Resolution by Neural Texture Transfer", CVPR 2019, equation 7, whose Gram
    matrices are sums over pixels.
    """
    check_arrays(output=output, target=target)
    if output.ndim != 4:
        raise UserError(f"texture takes features of shape (N, H, W, F); got {output.shape}")
    if weights is not None:
        check_arrays(weights=weights, features=output[..., :1])
        output, target = output * weights, target * weights
    _, height, width, channels = output.shape
    grams = [jnp.einsum("nhwc,nhwd->ncd", x, x, precision=jax.lax.Precision.HIGHEST) for x in (output, target)]
    return jnp.square((grams[0] - grams[1]) / (2 * height * width * channels))


def match_weights(similarity: jax.Array, *, factor: int = 1, slope: float = 20.0, offset: float = -0.65) -> jax.Array:
    """Return how much each place of a map counts in `texture`: sigmoid(slope s + offset) of its match's cosine s.

    Example:
        >>> match_weights(jnp.zeros((2, 6, 6)), factor=4).shape
        (2, 32, 32, 1)

    Args:
        similarity: cosines (N, H-2, W-2) in [-1, 1] of the 3x3 patches that were matched on a map (N, H, W, F). The
            outermost ones are repeated.
        factor: the layer's map is so many times as large; the cosines are enlarged to it by bicubic.
        slope: how fast the weight rises with the cosine.
        offset: what is added before the sigmoid.

    Returns:
        Weights (N, factor H, factor W, 1) in (0, 1). The paper counts good matches more, and so does this; its
        published code has both signs reversed.

    Raises:
        UserError: `similarity` has not three dimensions, or is not floats.

    Source: Zhang et al., CVPR 2019, section 3.3.
    """
    check_arrays(similarity=similarity)
    if similarity.ndim != 3:
        raise UserError(f"match_weights takes cosines of shape (N, H, W); got {similarity.shape}")
    padded = jnp.pad(similarity, ((0, 0), (1, 1), (1, 1)), mode="edge")[..., None]
    padded = padded if factor == 1 else resize(padded, factor)
    return jax.nn.sigmoid(slope * padded + offset)


def total_variation(output: jax.Array) -> jax.Array:
    """Return the length of the gradient at each element: of the steps to the pixel below and to that on the right.

    Example:
        >>> total_variation(jnp.zeros((1, 4, 4, 3))).sum().item()
        0.0

    Args:
        output: restored photos (N, H, W, C), in any range.

    Returns:
        The elements' losses (N, H, W, C), 0 or more; not reduced. Beyond the last row and column there is no step;
        where the image is flat, the derivative is 0.

    Raises:
        UserError: `output` has not four dimensions, or is not floats.
    """
    check_arrays(output=output)
    if output.ndim != 4:
        raise UserError(f"total variation takes images of shape (N, H, W, C); got {output.shape}")
    down = jnp.diff(output, axis=1, append=output[:, -1:])
    right = jnp.diff(output, axis=2, append=output[:, :, -1:])
    return root(jnp.square(down) + jnp.square(right))
