"""What a config's name means, in any folder, and what is said of a name or a file that means nothing."""

import runpy
import sys
import types
from pathlib import Path

import pytest

from jaxsr.support.errors import UserError
from jaxsr.training.catalog import config_files
from jaxsr.training.catalog.config_files import config_names, default_variant, find_config, load_config, variants_of
from tests.helpers.configs import CONFIGS

OWN = """from ml_collections import ConfigDict
def get_config(variant='plain'):
    return ConfigDict({'variant': variant})
"""


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """Work in a folder that is no checkout."""
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("name", ["espcn", "configs/espcn.py", "./configs/espcn.py", "configs/espcn"])
def test_a_name_means_the_packaged_config_from_any_folder(name):
    assert find_config(name) == (CONFIGS / "espcn.py", "")
    assert find_config(f"{name}:x2-paper") == (CONFIGS / "espcn.py", "x2-paper")
    assert load_config(f"{name}:x2").model.scale == 2


def test_a_file_that_is_there_wins_and_a_bare_name_never_means_a_file(tmp_path):
    (tmp_path / "configs").mkdir()
    for file in ("configs/espcn.py", "espcn", "a:b.py"):
        (tmp_path / file).write_text(OWN)
    assert load_config("configs/espcn.py:big").variant == "big"
    assert load_config(tmp_path / "configs" / "espcn.py").variant == "plain"
    assert load_config("espcn:x2").model.name == "espcn"
    assert load_config("a:b.py").variant == "plain"
    assert load_config("a:b.py:big").variant == "big"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("espcm", "unknown config 'espcm'; did you mean 'espcn'"),
        ("configs/nothing.py:x2", "unknown config 'configs/nothing.py'; choose one of: danv1, danv2"),
        ("espcn.py:x2", "cannot load the config espcn.py: no such Python file; did you mean 'espcn'"),
        ("own/espcn.py", "cannot load the config own/espcn.py: no such Python file"),
        ("/", "cannot load the config /: no such Python file"),
        ("", "unknown config ''; choose one of"),
        ("fsrcnn:x3-smal", "unknown variant 'x3-smal'; did you mean 'x3-small'"),
    ],
)
def test_a_name_that_means_nothing(name, message):
    with pytest.raises(UserError, match=message) as error:
        load_config(name)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x = 1\ndef get_config(:\n", "own.py: line 2: invalid syntax"),
        ("\nimport no_such_module\n", "own.py: line 2: ModuleNotFoundError: No module named 'no_such_module'"),
        ("def get_config(variant=''):\n    return nme\n", "own.py: line 2: NameError: name 'nme' is not defined"),
        ("steps = 3\n", r"own.py: it has no function get_config\(variant\)"),
        ("def get_config():\n    return {}\n", "own.py has no variants, so there is no 'big'; leave :big out"),
        ("def get_config(variant):\n    variant * 2\n", "own.py: get_config returns None, not a ConfigDict"),
        ("def get_config(variant):\n    return {'steps': 3}\n", "get_config returns {'steps': 3}, not a ConfigDict"),
    ],
)
def test_a_broken_file_of_ones_own_is_told_in_one_line(text, message, tmp_path):
    (tmp_path / "own.py").write_text(text)
    with pytest.raises(UserError, match=message) as error:
        load_config("own.py:big")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("name", config_names())
def test_the_variants_of_a_file_are_those_that_get_config_knows(name):
    variants = variants_of(name)
    assert default_variant(name) in variants
    assert load_config(name).model.name == load_config(f"{name}:{variants[-1]}").model.name == name
    with pytest.raises(UserError, match="choose one of: (.*)") as error:
        load_config(f"{name}:x0")
    assert str(error.value).rsplit("choose one of: ", 1)[1].split(", ") == variants


def test_an_installed_package_has_the_folder_inside(tmp_path, monkeypatch):
    monkeypatch.setattr(config_files, "PACKAGE", tmp_path / "jaxsr")
    (tmp_path / "configs").mkdir()
    assert config_files.config_folder() == tmp_path / "configs"
    (tmp_path / "jaxsr" / "configs").mkdir(parents=True)
    assert config_files.config_folder() == tmp_path / "jaxsr" / "configs"


def test_the_folder_is_installed_with_the_package(monkeypatch):
    given = {}
    fake = types.SimpleNamespace(find_packages=lambda include: ["jaxsr"], setup=lambda **options: given.update(options))
    monkeypatch.setitem(sys.modules, "setuptools", fake)
    runpy.run_path(str(CONFIGS.parent / "setup.py"))
    assert given["packages"] == ["jaxsr", "jaxsr.configs", "jaxsr.weights.shipped"]
    assert CONFIGS.parent / given["package_dir"]["jaxsr.configs"] == CONFIGS
    assert Path(config_files.PACKAGE, "configs").exists() is False, "in a checkout it stays at the top"
