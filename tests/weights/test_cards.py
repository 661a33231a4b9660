"""Options of a card that bound the network, and arrays that become float32."""

import time

import ml_dtypes
import numpy as np
import pytest

from jaxsr.models import MODELS
from jaxsr.support.errors import UserError
from jaxsr.weights.cards import as_float32, check_options, network_of


@pytest.mark.parametrize("name", [name for name, spec in MODELS.items() if not spec.per_photo])
def test_every_variant_of_the_papers_is_within_the_bounds(name):
    for variant in MODELS[name].variants.values():
        check_options(MODELS[name], {**variant})
        check_options(MODELS[name], {key: list(v) if isinstance(v, tuple) else v for key, v in variant.items()})


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("vdsr", {"depth": "20"}, "vdsr's option depth='20' is of another type than 20"),
        ("vdsr", {"depth": True}, "depth=True is of another type"),
        ("vdsr", {"depth": 10**9}, "depth=1000000000 is out of bounds: 1024 is the most"),
        ("rdn", {"blocks": 64, "layers": 32}, "rdn would repeat its layers 2048 times; 1024 is the most"),
        ("rdn", {"layers": 33}, "32 is the most"),
        ("espcn", {"features": [64, "32"]}, "is of another type"),
        ("espcn", {"channels": 2}, "is neither 1"),
        ("fsrcnn", {"feature_channels": -8}, "fsrcnn cannot be made with"),
        ("fsrcnn", {"depth": 3}, "fsrcnn has no option 'depth'"),
    ],
)
def test_options_of_no_network(name, options, message):
    with pytest.raises(UserError, match=message) as refusal:
        network_of(MODELS[name], 3, options)
    assert "\n" not in str(refusal.value)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "options"),
    [("srdensenet", {"blocks": 32, "layers": 32}), ("rdn", {"layers": 32, "blocks": 32}), ("vdsr", {"depth": 1024})],
)
def test_the_largest_networks_are_built_within_seconds(name, options):
    start = time.monotonic()
    network_of(MODELS[name], 4, options)
    assert time.monotonic() - start < 10


def test_float32_of_what_is_as_exact_or_less():
    for dtype in (np.float16, np.float32, np.float64, ml_dtypes.bfloat16, ">f4"):
        x = as_float32("file", "a", np.array([0.5, -2], dtype))
        assert x.dtype == np.float32 and x.tolist() == [0.5, -2]
    assert as_float32("file", "a", np.array([0, 3], np.uint8), whole_numbers=True).tolist() == [0, 3]


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (np.ones(2, np.int64), "file: 'a' is of type int64"),
        (np.ones(2, np.complex64), "'a' is of type complex64"),
        (np.ones(2, ml_dtypes.float8_e5m2), "'a' is of type float8_e5m2"),
        (np.array([1, np.nan]), "values that are not finite"),
        (np.array([1e300]), "values that are not finite"),
    ],
)
def test_other_arrays_are_refused(x, message):
    with pytest.raises(UserError, match=message):
        as_float32("file", "a", x)
