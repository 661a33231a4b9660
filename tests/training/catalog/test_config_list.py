"""The table of --list: every variant of every config, with exact parameters and the recorded costs."""

import pytest

from jaxsr.support.errors import UserError
from jaxsr.training.catalog.config_files import config_names, load_config, variants_of
from jaxsr.training.catalog.config_list import NOTES, config_table, two_digits
from jaxsr.training.catalog.training_costs import OTHER_RATE, Cost, hours, recorded_costs
from tests.helpers.configs import PARAMETERS

KERNELGAN = 7 * 7 * 64 + (5 * 5 + 3 * 3 + 1 + 1) * 64 * 64 + 64  # its generator's six layers, without biases
DEAR = {"danv1", "danv2", "mslapsrn", "rdn", "srdensenet"}  # half a second to three for shapes of all variants


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow) if name in DEAR else name for name in config_names()]
)
def test_every_variant_is_listed_with_its_paper_and_exact_parameters(name):
    header, *rows = config_table(name)[: -len(NOTES) - 1]
    assert header.split() == ["config", "parameters", "steps", "GiB", "hours", "paper"]
    assert [row.split()[0].rstrip("*") for row in rows] == [f"{name}:{variant}" for variant in variants_of(name)]
    assert [row.split()[0][-1] for row in rows].count("*") == 1, "the variant that the name alone means"
    assert all(" et al., " in row and len(row) <= 120 for row in rows)
    counts = [int(row.split()[1].replace(",", "")) for row in rows]
    expected = PARAMETERS.get(name) or dict.fromkeys(variants_of(name), KERNELGAN)
    assert counts == [expected[variant] for variant in variants_of(name)]


def test_every_variant_has_its_costs():
    """But for kernelgan, which learns from each photo anew."""
    names = {f"{name}:{variant}" for name in config_names() if name != "kernelgan" for variant in variants_of(name)}
    costs = recorded_costs()
    assert costs.keys() == names
    for name, cost in costs.items():
        stages = 2 if load_config(name).pretraining.steps else 1
        assert len(cost.gigaflops) == stages and min(cost.gigaflops) > 0 and cost.gibibytes > 0, name


def test_hours_are_those_of_all_stages():
    config = load_config("srgan:mse")
    config.steps, config.pretraining.steps = 3_000, 1_000
    teraflops = [1e3 * OTHER_RATE, 2e3 * OTHER_RATE]  # a step takes one second, then two
    config.model.name = "espcn"
    assert hours(config, Cost(teraflops, 1.0)) == pytest.approx((1_000 + 2 * 2_000) / 3600)
    config.steps, config.pretraining.steps = 220, 0
    assert hours(config, Cost([1e-3], 1.0)) == pytest.approx(1 / 3600, rel=0.02), "220 steps a second at the most"


@pytest.mark.parametrize(
    ("number", "text"), [(0.02, "<0.1"), (0.123, "0.12"), (9.96, "10"), (91.4, "91"), (1234.0, "1,200"), (2.0, "2")]
)
def test_estimates_have_two_digits(number, text):
    assert two_digits(number) == text


def test_notes_say_that_these_are_estimates_and_fit_the_screen():
    assert "estimates" in " ".join(NOTES) and max(map(len, NOTES)) <= 120


def test_an_unknown_name_is_told():
    with pytest.raises(UserError, match="unknown config 'espcm'; did you mean 'espcn'"):
        config_table("espcm")
