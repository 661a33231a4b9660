"""One walk over every public function: what its docstring says, which parameters are keywords, where a key comes."""

import inspect
import re
import subprocess
import sys

import pytest

import jaxsr
from jaxsr import degradations, losses, metrics

MODULES = (jaxsr, losses, metrics, degradations)
SHAPE_OR_TYPE = re.compile(r"\([A-Z0-9k][^)]*\)|array|path|folder|file|name|Model|config|dB|Decibels|number|Pixels")
DEFAULT_BY_POSITION = {"restore": {"model"}}  # `jaxsr.restore("photo.jpg", "zssr")` is how people call it
WITHOUT_ARGUMENTS = {"list_models", "default_config"}


def public_functions():
    """Yield each public function once, with the name it is called by."""
    for module in MODULES:
        for name in module.__all__:
            value = getattr(module, name)
            if inspect.isfunction(value) or hasattr(value, "__wrapped__"):
                yield pytest.param(value, id=f"{module.__name__}.{name}")


@pytest.mark.parametrize("function", list(public_functions()))
def test_what_a_docstring_says(function):
    text = inspect.getdoc(function) or ""
    parameters = inspect.signature(function).parameters
    assert "Example" in text and "Returns:" in text, "an example and what is returned"
    assert SHAPE_OR_TYPE.search(text), "shapes, or types where there are no arrays"
    if function.__name__ not in WITHOUT_ARGUMENTS:
        described = text.partition("Args:")[2].partition("Returns:")[0]
        assert [name for name in parameters if not re.search(rf"^ *\**{name}\b.*:", described, re.MULTILINE)] == []
    if re.search(r"raise |check_(shapes|arrays)", inspect.getsource(function)):
        assert "Raises:" in text


@pytest.mark.parametrize("function", list(public_functions()))
def test_options_are_keywords_and_keys_come_first(function):
    parameters = list(inspect.signature(function).parameters.values())
    by_position = [each for each in parameters if each.kind is each.POSITIONAL_OR_KEYWORD]
    exempt = DEFAULT_BY_POSITION.get(function.__name__, set())
    assert {each.name for each in by_position if each.default is not each.empty} <= exempt
    keys = [each.name for each in by_position if each.name in ("key", "keys")]
    assert not keys or by_position[0].name == keys[0], "a key comes first"


def test_every_public_name_is_there_and_listed_once():
    for module in MODULES:
        assert len(set(module.__all__)) == len(module.__all__) and all(hasattr(module, name) for name in module.__all__)
    assert 20 <= len(jaxsr.__all__) <= 30


def test_modules_for_arrays_are_reached_by_their_names():
    """In a process that has imported nothing else; the documentation calls them so."""
    script = "import jaxsr; print(jaxsr.imaging.color.luma.__name__, jaxsr.imaging.resize.resize.__name__)"
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert result.stdout == "luma resize\n", result.stderr
    with pytest.raises(AttributeError, match=r"module 'jaxsr.imaging' has no attribute 'colour'"):
        _ = jaxsr.imaging.colour  # pyright: ignore[reportAttributeAccessIssue]
