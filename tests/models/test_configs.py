"""Every config there is, its parameter count, and that none is missing from the table."""

import pytest

from jaxsr.models import MODELS, count_parameters, model_spec
from jaxsr.training.catalog.config_files import variants_of
from tests.helpers.configs import CONFIGS, PARAMETERS, load_config, variants


def test_no_config_is_missing_from_the_table():
    per_photo = {"kernelgan"}  # no weights that stay
    assert {path.stem for path in CONFIGS.glob("*.py")} == set(PARAMETERS) | per_photo


@pytest.mark.parametrize("name", PARAMETERS)
def test_no_variant_is_missing_from_the_table(name):
    assert set(variants_of(name)) == set(PARAMETERS[name])


@pytest.mark.parametrize(("name", "variant"), variants())
def test_parameter_count(name, variant):
    config = load_config(name, variant)
    count = count_parameters(model_spec(config.model.name), config.model.scale, **config.model.options.to_dict())
    assert count == PARAMETERS[name][variant]


@pytest.mark.parametrize(
    ("name", "variant", "scale", "count"),
    [
        *[("srcnn", v, 3, n) for v, n in {"9-1-5": 8_129, "9-3-5": 24_513, "9-5-5": 57_281}.items()],
        *[("fsrcnn", v, 4, n) for v, n in {"(56,12,4)": 12_809, "(32,5,1)": 4_086, "(48,12,2)": 9_097}.items()],
        *[("vdsr", v, 2, n) for v, n in {"20": 665_921, "20 without biases": 664_704}.items()],
        ("drcn", "(256,16)", 2, 1_775_121),
        *[("espcn", "RGB", s, n) for s, n in {2: 26_796, 3: 31_131, 4: 37_200}.items()],
    ],
)
def test_parameter_count_of_published_variants(name, variant, scale, count):
    assert count_parameters(MODELS[name], scale, **MODELS[name].variants[variant]) == count
