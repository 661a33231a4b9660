"""Both versions of DAN as the papers write them: conditions spread over the photo and concatenated, every round alike.

In JAX, so that gradients can be compared; `params` are those of jaxsr.models, stacked blocks read one by one.
"""

import jax
import jax.numpy as jnp


def conv(x, layer, stride=1):
    """Return a convolution padded by half its kernel."""
    border = layer["kernel"].shape[0] // 2
    y = jax.lax.conv_general_dilated(
        x, layer["kernel"], (stride, stride), ((border, border),) * 2, dimension_numbers=("NHWC", "HWIO", "NHWC")
    )
    return y + layer["bias"].reshape(1, 1, 1, -1)


def leaky_relu(x):
    """Return the activation of slope 0.2."""
    return jnp.where(x > 0, x, 0.2 * x)


def mean(x):
    """Return (N, 1, 1, C)."""
    return jnp.mean(x, axis=(1, 2), keepdims=True)


def spread(vector, x):
    """Return `vector` (N, K) at every pixel of `x`."""
    return jnp.broadcast_to(vector[:, None, None], (*x.shape[:3], vector.shape[1]))


def unstacked(tree):
    """Return the trees that are stacked on axis 0."""
    return [jax.tree.map(lambda leaf, i=i: leaf[i], tree) for i in range(len(jax.tree.leaves(tree)[0]))]


def shuffle(x, scale):
    """Return the pixels of `x`, whose channels are ordered (dy, dx, c), side by side."""
    n, height, width, depth = x.shape
    channels = depth // scale**2
    y = jnp.zeros((n, scale * height, scale * width, channels))
    for i in range(scale**2):
        part = x[..., channels * i : channels * (i + 1)]
        y = y.at[:, i // scale :: scale, i % scale :: scale].set(part)
    return y


def enlarge(x, params, scale):
    """Return the image from the body's features."""
    x = conv(x, params["fusion"])
    for i, factor in enumerate((2, 2) if scale == 4 else (scale,), start=1):
        x = shuffle(conv(x, params[f"enlarge{i}"]), factor)
    return conv(x, params["reconstruction"])


def crb(x, condition, params):
    """Return a conditional residual block's output; the condition is a map."""
    y = conv(jnp.concatenate([x, condition], axis=-1), params["conv1"])
    y = conv(leaky_relu(y), params["conv2"])
    attention = params["attention"]
    return x + y * jax.nn.sigmoid(conv(leaky_relu(conv(mean(y), attention["squeeze"])), attention["excite"]))


def restore_v1(x, code, params, scale):
    """Return DANv1's image."""
    h = conv(x, params["head"])
    for block in unstacked(params["body"]):
        h = crb(h, spread(code, h), block)
    return enlarge(h, params["enlargement"], scale)


def estimate_v1(x, sr, params, scale):
    """Return DANv1's code."""
    h, condition = conv(x, params["head"]), conv(sr, params["sr_head"], scale)
    for block in unstacked(params["body"]):
        h = crb(h, condition, block)
    return mean(conv(h, params["code"]))[:, 0, 0]


def dpcg(x0, x1, body, gates, skip):
    """Return a group's two streams."""
    start0, start1 = x0, x1
    for block, gate in zip(unstacked(body["blocks"]), unstacked(gates["blocks"]), strict=True):
        f1 = conv(leaky_relu(conv(x0, block["conv1"])), block["conv2"])
        f2 = conv(leaky_relu(conv(x1, gate["conv1"])), gate["conv2"])
        x0, x1 = x0 + f1 * f2, x1 + f2
    return (2 * x0, 2 * x1) if skip == "doubled" else (start0 + x0, start1 + x1)


def restore_v2(x, code, params, scale, skip="doubled"):
    """Return DANv2's image; the condition is a map, the same at all pixels."""
    x0 = conv(x, params["head"])
    x1 = conv(spread(code, x0), params["code_head"])
    for body, gates in zip(unstacked(params["body"]), unstacked(params["gates"]), strict=True):
        x0, x1 = dpcg(x0, x1, body, gates, skip)
    return enlarge(x0, params["enlargement"], scale)


def estimate_v2(x, sr, params, scale, basis, skip="doubled"):
    """Return DANv2's code, that of the kernel (N, k²)."""
    x0, x1 = conv(x, params["head"]), conv(sr, params["sr_head"], scale)
    x0, _ = dpcg(x0, x1, params["body"], params["gates"], skip)
    kernel = jax.nn.softmax(conv(mean(conv(x0, params["tail"])), params["logits"])[:, 0, 0])
    return kernel @ basis


def alternate(restore, estimate, basis, x, *, rounds, detached):
    """Return the images and codes of all rounds. `detached` cuts gradients between the networks."""
    cut = jax.lax.stop_gradient if detached else lambda y: y
    size = round(basis.shape[0] ** 0.5)
    delta = jnp.zeros((size, size)).at[size // 2, size // 2].set(1)
    code = jnp.stack([delta.reshape(-1) @ basis] * len(x))
    images, codes = [], []
    for _ in range(rounds):
        images.append(restore(x, cut(code)))
        code = estimate(x, cut(images[-1]))
        codes.append(code)
    return images, codes
