"""Models before training: a network of the paper with the paper's initialisation."""

import jax
import jax.numpy as jnp
import numpy as np

from jaxsr.models import Model, model_spec
from jaxsr.models.spec import Network
from jaxsr.support.model_options import Option
from jaxsr.support.randomness import check_key
from jaxsr.support.types import Key, Variables
from jaxsr.weights.cards import network_of


def create(name: str, *, scale: int, key: Key, **options: Option) -> Model:
    """Return a network with its paper's initialisation.

    Example:
        model = jaxsr.create("rdn", scale=2, key=jax.random.key(0), blocks=4)
        y = model(x)  # (N, H, W, C) in [0, 1] -> (N, 2 H, 2 W, C) in [0, 1]

    Args:
        name: a network of `jaxsr.list_models()`, without a scale.
        scale: how many times height and width grow, 1 for deblurgan.
        key: a PRNG key. The same key gives the same weights.
        **options: the network's own options, such as widths and depths; the paper's where they are left out.
            `jaxsr.model_spec(name).options` names them, `.variants` has the published choices.

    Returns:
        A Model. DAN's basis of principal components is computed from random kernels of the paper's, by the same key.

    Raises:
        UserError: for an unknown name, which names the nearest, a scale or an option that the network does not have,
            an option of another type or out of bounds, no PRNG key, and for kernelgan, which restores nothing: use
            `jaxsr.estimate_kernel`.
    """
    spec = model_spec(name)
    plain = {name: value.item() if isinstance(value, np.generic) else value for name, value in options.items()}
    module, _ = network_of(spec, scale, plain)
    check_key(key)
    return Model(spec, module, scale, initialized(key, module))


def initialized(key: Key, module: Network) -> Variables:
    """Return a network's variables before training, {"params": ...} and whatever other collections it has."""
    sample = jnp.zeros((1, 32, 32, module.channels), jnp.float32)
    return {"params": {}, **jax.jit(module.init)(key, sample)}
