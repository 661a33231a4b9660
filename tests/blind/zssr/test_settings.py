"""ZSSR's settings, as Python and the command line give them."""

import pytest

from jaxsr.blind.zssr.settings import ZSSRSettings
from jaxsr.support.errors import UserError
from jaxsr.support.model_options import parse_model


def test_options_behind_the_name():
    name, options = parse_model("zssr,steps=300,kernel=estimate,real=True,seed=1,noise_scale=2")
    settings = ZSSRSettings.from_options(options)
    assert name == "zssr" and settings == ZSSRSettings(steps=300, kernel="estimate", real=True, seed=1, noise_scale=2)
    assert settings.noise == 0.025 and ZSSRSettings().noise == 0
    assert ZSSRSettings.from_options({}) == ZSSRSettings()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("step=3", "unknown option of zssr 'step'; did you mean 'steps'?"),
        ("steps=many", "steps='many' is not a whole number; the default is 3000"),
        ("real=1", "real=1 is not True or False; the default is False"),
        ("kernel=3", "kernel=3 is not text; the default is ''"),
        ("noise_scale=big", "noise_scale='big' is not a number; the default is 1.0"),
        ("steps=0", "steps=0 must be at least 1; set steps=1 or more"),
        ("noise_scale=2", "noise_scale=2 is for real photos; add real=True, or leave it out"),
        ("seed=-1", "seed=-1 must be at least 0"),
        (f"seed={2**32}", f"seed={2**32} must be at most {2**32 - 1}; set a smaller one"),
    ],
)
def test_mistakes_take_one_line(options, message):
    with pytest.raises(UserError) as error:
        ZSSRSettings.from_options(parse_model(f"zssr,{options}")[1])
    assert message in str(error.value) and len(str(error.value).splitlines()) == 1
