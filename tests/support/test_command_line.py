"""What commands say of the values of flags."""

import pytest
from absl import flags

from jaxsr.support import command_line
from jaxsr.training.catalog.config_flag import define_config


@pytest.mark.parametrize(
    ("argument", "said"),
    [
        ("--config.steps=1e3", "--config.steps=1e3 is not a whole number"),
        ("--config.steps=", "--config.steps= is not a whole number"),
        ("--config.ema_decay=a: b", "--config.ema_decay=a: b is not a number"),
        ("--config.data.augment=2", "--config.data.augment=2 is neither True nor False"),
        (
            "--config.optimizer=adam",
            "--config.optimizer=adam is not a dictionary; set its fields as --config.optimizer.FIELD=VALUE",
        ),
        ("--count=many", "--count=many is not a whole number"),
    ],
)
def test_a_value_of_the_wrong_kind_is_answered_in_plain_words(argument, said, monkeypatch, capsys):
    values = flags.FlagValues()
    define_config("config", values)
    flags.DEFINE_integer("count", 1, "How many.", flag_values=values)
    arguments = ["train.py", "--config=espcn", argument]
    monkeypatch.setattr(flags, "FLAGS", values)
    monkeypatch.setattr("sys.argv", arguments)
    with pytest.raises(SystemExit) as ended:
        command_line._parse_flags(arguments)
    assert ended.value.code == command_line.WRONG_USAGE
    assert capsys.readouterr().err == f"train: {said} (--help lists the flags)\n"


def test_a_field_before_its_config_is_answered_in_plain_words(monkeypatch, capsys):
    values, arguments = flags.FlagValues(), ["train.py", "--config.steps=4", "--config=espcn"]
    define_config("config", values)
    monkeypatch.setattr(flags, "FLAGS", values)
    monkeypatch.setattr("sys.argv", arguments)
    with pytest.raises(SystemExit):
        command_line._parse_flags(arguments)
    said = "--config.steps=4 comes before --config; write --config first"
    assert capsys.readouterr().err == f"train: {said} (--help lists the flags)\n"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ([], "--output and --kind are missing"),
        (["--kind=bicubic"], "--output is missing"),
    ],
)
def test_a_missing_flag_is_called_so(given, said, monkeypatch, capsys):
    """As train, evaluate and prepare_data say it of theirs, which depend on other flags."""
    values, arguments = flags.FlagValues(), ["degrade.py", *given]
    for name in ("output", "kind"):
        flags.DEFINE_string(name, None, "What.", flag_values=values, required=True)
    monkeypatch.setattr(flags, "FLAGS", values)
    monkeypatch.setattr("sys.argv", arguments)
    with pytest.raises(SystemExit):
        command_line._parse_flags(arguments)
    assert capsys.readouterr().err == f"degrade: {said} (--help lists the flags)\n"
