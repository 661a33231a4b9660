"""SRGAN: Ledig et al., "Photo-Realistic Single Image Super-Resolution Using a Generative Adversarial Network", CVPR
2017. Its generator is SRResNet; here is its discriminator.
"""

import dataclasses

from flax.linen import initializers

from jaxsr.models import srresnet
from jaxsr.models.ops import discriminators
from jaxsr.models.ops.layers import Initializer

he = initializers.variance_scaling(2 / (1 + 0.2**2), "fan_in", "normal")  # for that slope; the paper names none


class Discriminator(discriminators.Discriminator):
    """SRGAN's discriminator: four pairs of convolutions with biases, all but the first normalized (figure 4)."""

    features: int = 64
    stages: int = 4
    hidden: int = 1024
    normalize_first: bool = False
    use_bias: bool = True
    kernel_init: Initializer = he
    last_init: Initializer = initializers.lecun_normal()
    scale_init: Initializer = initializers.ones


SPEC = dataclasses.replace(srresnet.SPEC, name="srgan", scales=(4,))
