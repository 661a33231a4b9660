"""SRResNet without normalization, trained on what happens to real photos (degradation "real"): Wang et al.,
"Real-ESRGAN: Training Real-World Blind Super-Resolution with Pure Synthetic Data", ICCVW 2021, for the training.
"""

import dataclasses

from jaxsr.models import srresnet

VARIANTS = {
    "16": {"blocks": 16, "normalization": "none", "output": "symmetric"},
    "5-small": {"blocks": 5, "features": 48, "normalization": "none", "output": "symmetric"},  # for CPUs
}

SPEC = dataclasses.replace(
    srresnet.SPEC,
    name="real",
    paper="Ledig et al., CVPR 2017; Wang et al., ICCVW 2021",
    variants=VARIANTS,
)
