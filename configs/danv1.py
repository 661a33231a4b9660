"""DANv1 (Luo et al., NeurIPS 2020, arXiv 2010.02631) at x2, x3, x4, on RGB photos blurred by unknown kernels.

python -m jaxsr.train --config=configs/danv1.py:x2-iso --workdir=runs/danv1-x2 --config.data.train=data/df2k

Variants: `x2-iso`, `x3-iso`, `x4-iso` are the paper's setting 1, isotropic Gaussians of 21x21; `x2-aniso` and
`x4-aniso` setting 2, noisy anisotropic ones of 11x11 and 31x31. The paper reports for setting 1 37.34, 34.04 and 31.89
dB on Set5, the mean over 8 kernels (Y). Validation is on the 8 kernels too, or on random ones for setting 2.
"""

from ml_collections import ConfigDict

from jaxsr.training.config import Config, check_variant, default_config, published_recipe

KERNEL_SIZES = {"x2-iso": 21, "x3-iso": 21, "x4-iso": 21, "x2-aniso": 11, "x4-aniso": 31}


def get_config(variant: str = "x2-iso") -> Config:
    """Return the config of `variant`, such as "x2-iso" or "x4-aniso": section 4.1 and the authors' files."""
    check_variant(variant, KERNEL_SIZES)
    config = default_config()
    published_recipe(config, "adam", 4e-4)
    config.model.name = "danv1"
    config.model.scale = int(variant[1])
    config.data.degradation = "isotropic" if variant.endswith("-iso") else "anisotropic"
    config.data.kernel_size = KERNEL_SIZES[variant]
    config.data.quantize_lr = True
    config.data.patch = 64
    config.model.options = ConfigDict(
        {
            **{"features": 64, "blocks": 40, "estimator_features": 32, "estimator_blocks": 5},
            **{"kernel_size": KERNEL_SIZES[variant], "code_length": 10, "kernels": config.data.degradation},
            **{"rounds": 4, "backpropagate_all": False},
        }
    )
    config.supervision.name = "kernel"
    config.loss = "l1"
    config.batch_size = 64
    config.optimizer.second_momentum = 0.99
    config.schedule.name = "step"
    config.schedule.every = 200_000
    config.schedule.factor = 0.5
    config.steps = 400_000
    return config
