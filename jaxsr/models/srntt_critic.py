"""SRNTT's critic: Zhang, Wang, Lin, Qi, "Image Super-Resolution by Neural Texture Transfer", CVPR 2019."""

from jaxsr.models.ops import discriminators
from jaxsr.models.ops.layers import Initializer
from jaxsr.models.srntt import near_one, normal


class Critic(discriminators.Discriminator):
    """SRNTT's critic: five pairs of convolutions without biases, all normalized, as in the authors' code."""

    features: int = 32
    stages: int = 5
    hidden: int = 1024
    normalize_first: bool = True
    use_bias: bool = False
    kernel_init: Initializer = normal
    last_init: Initializer = normal
    scale_init: Initializer = near_one
