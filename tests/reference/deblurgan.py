"""DeblurGAN's two networks layer by layer in NumPy; `params` are those of jaxsr.models.deblurgan."""

import numpy as np

from tests.reference.convolution import correlate, transposed


def instance_norm(x):
    """Return each map of each photo with mean 0 and variance 1."""
    mean, variance = (f(x, axis=(1, 2), keepdims=True) for f in (np.mean, np.var))
    return (x - mean) / np.sqrt(variance + 1e-5)


def relu(x, slope=0.0):
    """Return the activation, leaky with a `slope`."""
    return np.where(x > 0, x, slope * x)


def reflected(x, layer):
    """Return a convolution with reflected borders."""
    border = layer["kernel"].shape[0] // 2
    x = np.pad(x, ((0, 0), (border, border), (border, border), (0, 0)), mode="reflect")
    return correlate(x, layer["kernel"], (0, 0)) + layer["bias"]


def generate(x, params):
    """Return the sharp photo."""
    y = relu(instance_norm(reflected(x, params["conv1"])))
    for name in ("down1", "down2"):
        y = correlate(y, params[name]["kernel"], (1, 1))[:, ::2, ::2] + params[name]["bias"]
        y = relu(instance_norm(y))
    blocks = params["blocks"]
    for i in range(len(blocks["conv1"]["bias"])):
        first, second = ({part: blocks[name][part][i] for part in ("kernel", "bias")} for name in ("conv1", "conv2"))
        y = y + instance_norm(reflected(relu(instance_norm(reflected(y, first))), second))
    for name in ("up1", "up2"):
        y = transposed(y, params[name]["kernel"], 2, 1) + params[name]["bias"]
        y = relu(instance_norm(y))
    return np.clip(x + np.tanh(reflected(y, params["conv2"])), -1, 1)


def criticize(x, params):
    """Return the critic's scores."""
    names = sorted(params)
    for i, name in enumerate(names):
        stride = 2 if i < len(names) - 2 else 1
        x = correlate(x, params[name]["kernel"], (2, 2))[:, ::stride, ::stride] + params[name]["bias"]
        x = instance_norm(x) if 0 < i < len(names) - 1 else x
        x = relu(x, 0.2) if i < len(names) - 1 else x
    return x
