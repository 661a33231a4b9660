"""The configs: how a test loads one, and the table of them with their parameter counts."""

import re
from pathlib import Path

from jaxsr.training.catalog import config_files

CONFIGS = Path(__file__).parents[2] / "configs"

# Weights, biases and PReLU slopes, as the papers' layer tables give them.
PARAMETERS = {
    "espcn": {
        **{"x2": 21_284, "x3": 22_729, "x4": 24_752},
        **{"x2-paper": 21_284, "x3-paper": 22_729, "x4-paper": 24_752},
    },
    "fsrcnn": {
        **{f"x{scale}{recipe}": 12_809 for scale in (2, 3, 4) for recipe in ("", "-paper", "-transfer")},
        **{f"x{scale}-small": 4_086 for scale in (2, 3, 4)},
    },
    "danv1": {
        **{"x2-iso": 4_181_799, "x3-iso": 4_366_439, "x4-iso": 4_329_511},
        **{"x2-iso-muon": 4_181_799, "x3-iso-muon": 4_366_439, "x4-iso-muon": 4_329_511},
        **{"x2-aniso": 4_181_799, "x4-aniso": 4_329_511},
    },
    "danv2": {
        **{f"x2-iso{recipe}": 4_540_028 for recipe in ("", "-muon", "-estimator")},
        **{f"x3-iso{recipe}": 4_733_116 for recipe in ("", "-muon", "-estimator")},
        **{f"x4-iso{recipe}": 4_707_708 for recipe in ("", "-muon", "-estimator")},
        **{"x2-aniso": 4_519_228, "x4-aniso": 4_741_828},
    },
    "srcnn": {
        **{f"x{scale}": 57_281 for scale in (2, 3, 4)},
        **{f"x{scale}-{recipe}": 8_129 for scale in (2, 3, 4) for recipe in ("915", "paper")},
        **{f"x{scale}-935": 24_513 for scale in (2, 3, 4)},
    },
    "drcn": {f"x{scale}{recipe}": 1_775_121 for scale in (2, 3, 4) for recipe in ("", "-paper")},
    "rdn": {
        **{f"x2{recipe}": 22_123_395 for recipe in ("", "-paper", "-bd", "-dn")},
        **{f"x3{recipe}": 22_308_035 for recipe in ("", "-paper", "-bd", "-dn")},
        **{f"x4{recipe}": 22_271_107 for recipe in ("", "-paper", "-bd", "-dn")},
        **{"x2-small": 5_616_515, "x3-small": 5_801_155, "x4-small": 5_764_227},
    },
    "real": {
        **{"x4": 1_545_238, "x4-gan": 1_545_238, "x4-small": 418_283},
        **{"x2": 1_397_525, "x2-gan": 1_397_525, "x2-small": 335_146},
    },
    "lapsrn": {
        **{"x2": 407_441, "x4": 814_242, "x8": 667_123},
        **{"x2-paper": 407_441, "x4-paper": 814_242, "x8-paper": 667_123},
    },
    "mslapsrn": {f"{name}{recipe}": 222_801 for name in ("D5R2", "D5R5", "D5R8") for recipe in ("", "-paper")},
    "srdensenet": {
        **{"All": 2_097_569, "HL": 1_573_025, "H": 1_536_161},
        **{"All-paper": 2_097_569, "HL-paper": 1_573_025, "H-paper": 1_536_161},
    },
    "deblurgan": dict.fromkeys(("wild", "synth", "comb"), 11_378_179),
    "srgan": dict.fromkeys(("mse", "vgg22", "vgg54", "content22"), 1_549_462),
    "srntt": dict.fromkeys(("content", "l2", "full"), 4_383_494),
    "srresnet": {
        **{"x4": 1_545_238, "x4-paper": 1_549_462, "x4-channel": 1_550_659},
        **{"x2": 1_397_525, "x2-paper": 1_401_749, "x2-channel": 1_402_883},
    },
    "vdsr": {"paper": 665_921, "muon": 665_921},
}


def load_config(name: str, variant: str):
    """Return the packaged config `name:variant`."""
    return config_files.load_config(f"{name}:{variant}")


def variants() -> list[tuple[str, str]]:
    """Return every (config, variant) of the table."""
    return [(name, variant) for name, table in PARAMETERS.items() for variant in table]


def other_scales() -> list[tuple[str, str]]:
    """Return the variants that differ from one before, of the same network, in the scale alone."""
    seen, others = set(), []
    for name, variant in variants():
        recipe = (name, re.sub(r"^x\d", "", variant))
        if recipe in seen:
            others.append((name, variant))
        seen.add(recipe)
    return others
