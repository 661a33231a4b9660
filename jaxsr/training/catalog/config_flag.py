"""The flag --config of `python -m jaxsr.train`, with --config.FIELD=VALUE for each of the config's fields."""

import dataclasses
import re
import sys
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING

from absl import flags
from ml_collections import ConfigDict, config_flags

from jaxsr.support.errors import UserError, nearest
from jaxsr.training.catalog.config_files import load_config
from jaxsr.training.config_bounds import field_names, field_of

if TYPE_CHECKING:
    from jaxsr.training.config import Config

HELP = "A packaged config with its variant, as in espcn:x3 (--list shows all), or your own file, as in own.py:big."
OPTIONS, LAYER_RATES = "model.options.", "optimizer.layer_rates"
flags.disclaim_key_flags()  # --help shows flags that are defined here as those of the command


def define_config(name: str = "config", values: flags.FlagValues = flags.FLAGS) -> flags.FlagHolder:
    """Return the flag `name`, whose value is the config, locked, or None where the flag is not given."""
    holder = config_flags.DEFINE_config_file(name, None, HELP, flag_values=values)
    values[name].parser = ConfigParser(name)
    values[name].default_as_str = None
    return holder


def define_list(name: str = "list", values: flags.FlagValues = flags.FLAGS) -> flags.FlagHolder:
    """Return the flag `name`: None without it, "" alone, and the name of a config as in --list=espcn."""
    parser, serializer = ListParser(), flags.ArgumentSerializer()
    what = "Show the packaged configs and what they cost, and do nothing else; --list=espcn shows one."
    return flags.DEFINE_flag(flags.Flag(parser, serializer, name, None, what, boolean=True), values)


class ListParser(flags.ArgumentParser):
    """Takes a word, or none; absl passes "true" for a flag that may stand alone."""

    def parse(self, argument: str) -> str | None:
        """Return the word, "" for none, and None for --nolist."""
        return {"true": "", "false": None}.get(argument, argument)


class ConfigParser(flags.ArgumentParser):
    """Loads a config by its name, once the fields that the command line sets are known to exist."""

    def __init__(self, flag: str):
        """Remember the name of the flag, which its fields begin with."""
        super().__init__()
        self._flag = flag

    def parse(self, argument: str) -> "Config":
        """Return the config of that name, locked; raises UserError for an unknown one and for an unknown field."""
        config = load_config(argument)
        fields = named_fields(sys.argv, self._flag)
        add_model_options(config, fields)
        add_layer_rates(config, fields)
        check_fields(config, fields, self._flag)
        return config.lock()

    def flag_type(self) -> str:
        """Return what the flag's value is, for --help."""
        return "config"


def named_fields(arguments: Sequence[str], flag: str) -> list[str]:
    """Return the fields that --FLAG.FIELD=VALUE set in `arguments`.

    Raises UserError for --FLGA.FIELD, which absl calls unknown without naming what is near.
    """
    matches = [re.match(r"--?(?:no)?([A-Za-z_]\w*)\.([^=\s]+)(?:=|$)", argument) for argument in arguments]
    for match in filter(None, matches):
        if match[1] != flag and get_close_matches(match[1], [flag]):
            raise UserError(f"unknown flag --{match[1]}.{match[2]}; did you mean --{flag}.{match[2]}?")
    return [match[2] for match in matches if match and match[1] == flag]


def add_model_options(config: "Config", fields: Iterable[str]) -> None:
    """Add those options of the network among `fields` that the config leaves at their defaults.

    Raises UserError for an option that the network does not have.
    """
    if not (new := [field for field in fields if field.startswith(OPTIONS) and not _has(config, field)]):
        return
    from jaxsr.models import ESTIMATORS, model_spec

    if config.model.name in ESTIMATORS:
        return
    spec = model_spec(config.model.name)
    defaults = {field.name: field.default for field in dataclasses.fields(spec.build)}  # pyright: ignore[reportArgumentType]
    for field in new:
        option = field.removeprefix(OPTIONS)
        if option not in spec.options:
            raise UserError(f"{spec.name} has no option {option!r}; {nearest(option, spec.options)}")
        config.model.options[option] = defaults[option]


def add_layer_rates(config: "Config", fields: Iterable[str]) -> None:
    """Add the layers among `fields` whose rate factor the config leaves at 1, such as optimizer.layer_rates.conv1.

    The run itself refuses layers that the network does not have. Raises UserError for a path, whose slash
    ml_collections takes for a division.
    """
    for field in fields:
        section, _, layer = field.rpartition(".")
        if section.endswith(LAYER_RATES) and _has(config, section):
            if "/" in layer:
                raise UserError(f"{layer!r} is a path; write it as '--config.{section}={{\"{layer}\": RATE}}'")
            rates = field_of(config, section)
            rates[layer] = rates.get(layer, 1.0)


def check_fields(config: "Config", fields: Iterable[str], flag: str) -> None:
    """Raise UserError, naming the nearest, for a field that the config does not have."""
    known = field_names(config)
    for field in fields:
        if not _has(config, field):
            raise UserError(f"unknown field --{flag}.{field}; {_nearest_field(field, known, flag)}")


def _nearest_field(field: str, known: Sequence[str], flag: str) -> str:
    """Return the end of a message: fields of the same last name elsewhere, else the nearest one."""
    last = field.rpartition(".")[2]
    same = sorted((path for path in known if path.rpartition(".")[2] == last), key=lambda path: path.count("."))
    if same:
        return f"did you mean {' or '.join(f'--{flag}.{path}' for path in same)}?"
    close = get_close_matches(field, known, n=1)
    return f"did you mean --{flag}.{close[0]}?" if close else "jaxsr/training/config.py lists all fields"


def _has(config: "Config", field: str) -> bool:
    """Return whether the config has the field of a dotted name."""
    for name in field.split("."):
        if not isinstance(config, ConfigDict) or name not in config:
            return False
        config = config[name]
    return True
