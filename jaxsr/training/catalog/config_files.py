"""Which file and variant a config's name means, such as "espcn:x3", and how it is loaded.

The packaged configs are the files of configs/: an installed package has that folder inside, as jaxsr/configs; in a
checkout it lies beside the package.
"""

import contextlib
import importlib.util
import inspect
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from ml_collections import ConfigDict

from jaxsr.support.errors import UserError, brief, nearest
from jaxsr.support.paths import is_file, user_path

if TYPE_CHECKING:
    from jaxsr.training.config import Config

PACKAGE = Path(__file__).parents[2]
EXAMPLE = "espcn:x3"


def config_folder() -> Path:
    """Return the folder of the packaged configs."""
    installed = PACKAGE / "configs"
    return installed if installed.is_dir() else PACKAGE.parent / "configs"


def config_names() -> list[str]:
    """Return the names of the packaged configs, such as "espcn", sorted."""
    return sorted(path.stem for path in config_folder().glob("*.py") if not path.stem.startswith("_"))


def find_config(name: str | Path) -> tuple[Path, str]:
    """Return the file and the variant that `name` means; the variant is "" where it names none.

    "espcn" and "espcn:x3" are packaged configs. A name with a slash or with the suffix .py is a file, as in
    "own/net.py:big"; where there is no such file, "configs/espcn.py" is the packaged one in any folder. Raises
    UserError, naming the nearest, where there is neither.
    """
    path, variant = _without_variant(str(name))
    if _is_file_name(path):
        if is_file(file := user_path(path)):
            return file, variant
        if Path(path).parent != Path("configs"):
            hint = nearest(Path(path).stem, config_names())
            raise UserError(f"cannot load the config {path}: no such Python file; {hint}")
    packaged = config_folder() / f"{Path(path).stem if _is_file_name(path) else path}.py"
    if packaged.stem not in config_names():
        raise UserError(f"unknown config {path!r}; {nearest(packaged.stem, config_names())}")
    return packaged, variant


def load_config(name: str | Path) -> "Config":
    """Return the config that `name` means, a file or a packaged config with its variant, such as "espcn:x3".

    The variant may be left out. Raises UserError for an unknown name or variant, for a file that is not a config, and
    where its get_config returns something else, such as None.
    """
    path, variant = find_config(name)
    get_config = _get_config_of(path)
    takes_variant = len(inspect.signature(get_config).parameters) > 0
    if variant and not takes_variant:
        raise UserError(f"the config {path} has no variants, so there is no {variant!r}; leave :{variant} out")
    with _reporting(path):
        config = get_config(variant) if variant else get_config()
    if type(config) is not ConfigDict:  # a frozen one is another class, whose fields no command line can set
        raise UserError(
            f"cannot load the config {path}: get_config returns {brief(config)}, not a ConfigDict; begin with "
            f"jaxsr.default_config(), set its fields and return it"
        )
    return config


def variants_of(name: str) -> list[str]:
    """Return the variants of the packaged config `name`, in its own order."""
    return list(load_module(find_config(name)[0]).VARIANTS)


def default_variant(name: str) -> str:
    """Return the variant of the packaged config `name` that a name without one means."""
    return inspect.signature(load_module(find_config(name)[0]).get_config).parameters["variant"].default


def load_module(path: Path) -> ModuleType:
    """Return the module of a config's file; raises UserError where it cannot be read or run."""
    spec = importlib.util.spec_from_file_location(f"jaxsr_config_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise UserError(f"cannot load the config {path}: no such Python file; give one such as {EXAMPLE}")
    module = importlib.util.module_from_spec(spec)
    with _reporting(path):
        spec.loader.exec_module(module)
    return module


def _get_config_of(path: Path) -> Callable[..., "Config"]:
    """Return the function `get_config` of a config's file; raises UserError where it has none."""
    module = load_module(path)
    if not callable(get_config := getattr(module, "get_config", None)):
        raise UserError(f"cannot load the config {path}: it has no function get_config(variant)")
    return get_config


def _without_variant(name: str) -> tuple[str, str]:
    """Return the two sides of the last colon; a colon inside a path belongs to the path."""
    path, _, variant = name.rpartition(":")
    return (path, variant) if path and "/" not in variant and not is_file(name) else (name, "")


def _is_file_name(path: str) -> bool:
    """Return whether `path` names a file, rather than a packaged config."""
    return path.endswith(".py") or "/" in path


@contextlib.contextmanager
def _reporting(path: Path) -> Iterator[None]:
    """Turn an error that the config's file raises in this block into a UserError of one line, with the file's line."""
    try:
        yield
    except UserError:
        raise
    except SyntaxError as error:
        raise UserError(f"cannot load the config {path}: line {error.lineno}: {error.msg}") from error
    except Exception as error:
        frames = traceback.extract_tb(error.__traceback__)
        lines = [frame.lineno for frame in frames if Path(frame.filename) == path.absolute()]
        where = f"line {lines[-1]}: " if lines else ""
        reason = " ".join(str(error).split())
        raise UserError(f"cannot load the config {path}: {where}{type(error).__name__}: {reason}") from error
