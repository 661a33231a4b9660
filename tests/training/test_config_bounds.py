"""Numbers that a config's fields may not hold are refused, with the bound."""

import pytest

from jaxsr.support.errors import UserError
from jaxsr.training.catalog.config_files import config_names, load_config, variants_of
from jaxsr.training.config import default_config
from jaxsr.training.config_bounds import BOUNDS, check_bounds, field_of


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("steps_per_dispatch", -1, "steps_per_dispatch=-1 must be at least 0 and at most 2147483647; set"),
        ("steps", 10**12, "steps=1000000000000 must be at least 1 and at most 2147483647"),
        ("seed", -1, "seed=-1 must be at least 0 and at most 4294967295"),
        ("seed", 2**32, "seed=4294967296 must be at least 0 and at most 4294967295"),
        ("schedule.warmup", 10**10, "schedule.warmup=10000000000 must be at least 0 and at most 2147483647"),
        ("data.crops", 0, "data.crops=0 must be at least 1"),
        ("perceptual.feature_scale", float("nan"), "perceptual.feature_scale=nan must be a number above 0"),
        ("schedule.every", 0, "schedule.every=0 must be at least 1"),
        ("schedule.factor", 0.0, "schedule.factor=0.0 must be a number above 0"),
        ("optimizer.clip_norm", -1.0, "optimizer.clip_norm=-1.0 must be a number from 0 up"),
        ("optimizer.learning_rate", float("nan"), "optimizer.learning_rate=nan must be a number from 0 up"),
        ("optimizer.momentum", 1.0, r"optimizer.momentum=1.0 must lie in \[0, 1\)"),
        ("adversarial.optimizer.learning_rate", -1e-4, "adversarial.optimizer.learning_rate=-0.0001 must be a number"),
        ("adversarial.schedule.every", -5, "adversarial.schedule.every=-5 must be at least 1"),
        ("pixel_weight", float("inf"), "pixel_weight=inf must be a number from 0 up"),
        ("data.rescale", ("half",), r"data.rescale=\('half',\) must hold numbers; set --config.data.rescale"),
        ("data.jitter", (0.1, None), r"data.jitter=\(0.1, None\) must hold numbers"),
        ("data.stretch", 25.0, r"data.stretch=25.0 must lie in \[0, 1\]"),
    ],
)
def test_a_number_out_of_bounds_is_named(field, value, message):
    config = default_config()
    config.update_from_flattened_dict({field: value})
    with pytest.raises(UserError, match=message):
        check_bounds(config)


@pytest.mark.parametrize("rate", ["slow", -0.1, float("nan")])
def test_a_layer_rate_that_is_none_is_named(rate):
    config = default_config()
    config.optimizer.layer_rates = {"conv3": rate}
    with pytest.raises(UserError, match=f"optimizer.layer_rates of 'conv3' is {rate!r}, it must be a number from 0 up"):
        check_bounds(config)


def test_a_section_in_the_place_of_a_layer_rate_takes_one_line():
    config = default_config()
    config.optimizer.layer_rates = {"conv3": {"kernel": 0.1}}
    with pytest.raises(UserError, match="of 'conv3' is <ConfigDict>, it must be a number") as error:
        check_bounds(config)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("half", ["", "adversarial."])
def test_an_exponential_fall_to_0_is_refused(half):
    """The rate would be 0 from the second update on."""
    config = default_config()
    config.update_from_flattened_dict({f"{half}schedule.final": 0.0})
    check_bounds(config)
    config.update_from_flattened_dict({f"{half}schedule.name": "exponential"})
    with pytest.raises(UserError, match=f"{half}schedule.final=0 is no rate that .* set --config.{half}schedule.final"):
        check_bounds(config)


def test_every_bound_is_that_of_a_number():
    config = default_config()
    for name in BOUNDS:
        assert type(field_of(config, name)) in (int, float), name


def test_packaged_configs_are_within_bounds():
    check_bounds(default_config())
    for name in config_names():
        if name != "kernelgan":  # whose options are others
            for variant in variants_of(name):
                check_bounds(load_config(f"{name}:{variant}"))
