"""The flag --config: fields that are set, options of the network, and typing errors, all in one line."""

import sys

import pytest
from absl import flags

from jaxsr.support.errors import UserError
from jaxsr.training.catalog.config_flag import define_config, define_list


def parse(monkeypatch, *arguments):
    """Return the values of the flags --config and --list for a command line."""
    values, argv = flags.FlagValues(), ["train", *arguments]
    config, listed = define_config(values=values), define_list(values=values)
    monkeypatch.setattr(sys, "argv", argv)
    values(argv)
    return config.value, listed.value


def test_fields_are_set_on_a_locked_config(monkeypatch):
    config, listed = parse(
        monkeypatch,
        "--config=vdsr:muon",
        "--config.batch_size=32",
        "--noconfig.data.augment",
        "--config.data.scales=(2,)",
    )
    assert config.batch_size == 32 and not config.data.augment and config.data.scales == (2,)
    assert config.is_locked and listed is None
    with pytest.raises(AttributeError, match="batch_size"):
        config.batchsize = 8


def test_an_option_of_the_network_that_the_config_leaves_out_can_be_set(monkeypatch):
    config, _ = parse(monkeypatch, "--config=fsrcnn:x2", "--config.model.options.mapping_layers=2")
    assert config.model.options.to_dict() == {"mapping_layers": 2}


def test_the_rate_of_any_layer_can_be_set(monkeypatch):
    config, _ = parse(monkeypatch, "--config=danv2:x2-iso-muon", "--config.optimizer.layer_rates.restorer=0")
    assert config.optimizer.layer_rates.to_dict() == {"estimator/logits": 30.0, "restorer": 0.0}
    config, _ = parse(
        monkeypatch, "--config=danv2:x2-iso-muon", '--config.optimizer.layer_rates={"estimator/body": 2.0}'
    )
    assert config.optimizer.layer_rates.to_dict() == {"estimator/body": 2.0}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--config=espcm"], "--config=espcm: unknown config 'espcm'; did you mean 'espcn'"),
        (["--config=espcn:y3"], "unknown variant 'y3'; choose one of: x2, x3, x4"),
        (
            ["--config=espcn", "--config.batchsize=8"],
            "unknown field --config.batchsize; did you mean --config.batch_size",
        ),
        (["--config=espcn", "--config.patch=8"], "unknown field --config.patch; did you mean --config.data.patch"),
        (["--config=espcn", "--config.learning_rate=1"], "did you mean --config.optimizer.learning_rate or"),
        (["--config=espcn", "--config.model.optoins.features=8"], "did you mean --config.model.options"),
        (
            ["--config=espcn", "--config.model.options.featurs=8"],
            "espcn has no option 'featurs'; did you mean 'features'",
        ),
        (["--config=espcn", "--config.data.train[0]=8"], "unknown field --config.data.train\\[0\\]; did you mean"),
        (
            ["--config=danv2:x2-iso-muon", "--config.optimizer.layer_rates.estimator/logits=8"],
            "'estimator/logits' is a path; write it as '--config.optimizer.layer_rates={\"estimator/logits\": RATE}'",
        ),
        (["--config=espcn", "--config.zzz=8"], "unknown field --config.zzz; jaxsr/training/config.py lists all"),
        (["--config=kernelgan", "--config.sedds=8"], "unknown field --config.sedds; did you mean --config.seeds"),
        (["--config=espcn", "--confg.steps=8"], "unknown flag --confg.steps; did you mean --config.steps"),
        (["--config=espcn", "--config.steps=ten"], "--config.steps=ten: invalid literal"),
    ],
)
def test_typing_errors_name_the_nearest(arguments, message, monkeypatch):
    with pytest.raises((UserError, flags.Error), match=message) as error:
        parse(monkeypatch, *arguments)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("arguments", "value"), [([], None), (["--list"], ""), (["--list=espcn"], "espcn"), (["--nolist"], None)]
)
def test_list_stands_alone_or_names_a_config(arguments, value, monkeypatch):
    assert parse(monkeypatch, *arguments) == (None, value)
