"""The rules of CONTRIBUTING.md: which package may import which, no circle, and sizes that stay readable.

Packages are the folders of `jaxsr/`; the files directly in it are the commands.
"""

import ast
import functools
import graphlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "jaxsr"
COMMANDS = "commands"

# Package: those that it may import. Each line names only packages of the lines above it, so that arrows run one way.
BELOW_MODELS = "support devices imaging degradations losses metrics"
LIBRARY = f"{BELOW_MODELS} models engines weights data restoration evaluation"
PACKAGES = {
    "support": "",
    "devices": "support",
    "imaging": "support",
    "degradations": "support imaging",
    "losses": "support imaging",
    "metrics": "support imaging degradations",
    "models": "support devices imaging degradations",
    "engines": "support",
    "weights": "support devices imaging models",
    "data": "support devices imaging degradations models weights",
    "restoration": "support devices imaging degradations models engines weights data",
    "evaluation": f"{BELOW_MODELS} models engines weights data restoration",
    "pages": "support imaging models weights data",
    "blind": LIBRARY,
    "training": LIBRARY,
    "api": f"{LIBRARY} pages blind training",
    "gui": f"{LIBRARY} pages blind training api",
    "command_flags": f"{LIBRARY} api",
    COMMANDS: f"{LIBRARY} pages blind training api gui command_flags",
}
# Arrows that only the named modules may use: DAN's kernel codes are principal components of random Gaussian kernels
RESTRICTED = {("models", "degradations"): {"jaxsr.models.dan"}}

MAX_FILES = 14  # of a folder, but for models/, which has one a paper
MAX_LINES, LONG, MAX_LONG_FUNCTIONS = 60, 40, 5
MAX_PARAMETERS = 7
MAX_ANY = 125
PARALLEL = ("pmap", "shard_map")  # written in devices/ only

Function = ast.FunctionDef | ast.AsyncFunctionDef


def sources(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.py"))


@functools.cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(path): path for path in sources(PACKAGE)}


def package_of(module: str) -> str:
    """Return the package of a module of jaxsr; what lies directly in it belongs to the commands."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 and (PACKAGE / parts[1]).is_dir() else COMMANDS


def import_statements(tree: ast.AST) -> Iterator[ast.Import | ast.ImportFrom]:
    """Yield the imports of a module, those inside functions too, but not those for type checkers alone."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield node
        yield from import_statements(node)


def imported_names(path: Path) -> set[str]:
    """Return the dotted names that a file imports: a module, or a name in one."""
    names = set()
    for node in import_statements(tree_of(path)):
        assert not (isinstance(node, ast.ImportFrom) and node.level), f"{path}: relative import"
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        else:
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


@functools.cache
def imports_of(module: str) -> frozenset[str]:
    """Return the modules of jaxsr that a module of it imports."""
    found = set()
    for name in imported_names(MODULES[module]):
        if name.split(".")[0] == "jaxsr":
            found.add(name if name in MODULES else name.rpartition(".")[0])
    return frozenset(found - {module})


def functions(path: Path) -> Iterator[Function]:
    return (node for node in ast.walk(tree_of(path)) if isinstance(node, Function))


def place(path: Path, node: Function) -> str:
    return f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"


def parameters(node: Function) -> list[ast.arg]:
    group = node.args
    stars = [argument for argument in (group.vararg, group.kwarg) if argument is not None]
    return [*group.posonlyargs, *group.args, *group.kwonlyargs, *stars]


def annotations(path: Path) -> Iterator[ast.expr]:
    """Yield the annotations of arguments, results and assignments."""
    for node in ast.walk(tree_of(path)):
        if isinstance(node, Function):
            yield from (each.annotation for each in parameters(node) if each.annotation is not None)
            if node.returns is not None:
                yield node.returns
        elif isinstance(node, ast.AnnAssign):
            yield node.annotation


def test_the_table_names_every_package_once_and_runs_one_way():
    folders = {path.name for path in PACKAGE.iterdir() if (path / "__init__.py").is_file()}
    assert folders == set(PACKAGES) - {COMMANDS}
    above: list[str] = []
    for package, allowed in PACKAGES.items():
        assert set(allowed.split()) <= set(above), package
        above.append(package)


def test_arrows_run_one_way():
    wrong = []
    for module in MODULES:
        package = package_of(module)
        for imported in imports_of(module):
            other = package_of(imported)
            allowed = other == package or other in PACKAGES[package].split()
            if not allowed or module not in RESTRICTED.get((package, other), {module}):
                wrong.append(f"{module} ({package}) imports {imported} ({other})")
    assert not wrong, "\n".join(sorted(wrong))


def test_every_imported_module_exists():
    wrong = [f"{module}: {name}" for module in MODULES for name in imports_of(module) if name not in MODULES]
    assert not wrong, "\n".join(wrong)


def test_no_module_imports_itself_by_way_of_others():
    graph = {module: imports_of(module) - {"jaxsr"} for module in MODULES}
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        pytest.fail(" <- ".join(error.args[1]))


def test_no_module_name_occurs_in_two_folders():
    count = Counter(path.stem for path in MODULES.values() if path.stem not in ("__init__", "__main__"))
    assert [name for name, number in count.items() if number > 1] == []


def test_folders_hold_few_files_and_say_what_they_hold():
    folders = {path.parent for path in MODULES.values()}
    crowded = [folder.name for folder in folders if len(list(folder.glob("*.py"))) > MAX_FILES]
    assert set(crowded) <= {"models"}
    silent = []
    for folder in sorted(folders):
        docstring = ast.get_docstring(tree_of(folder / "__init__.py")) or ""
        if len([line for line in docstring.splitlines() if line.strip()]) < 2:
            silent.append(str(folder.relative_to(ROOT)))
    assert not silent, f"two lines or more: what lives there, which file to open first: {silent}"


def test_only_devices_knows_how_work_is_shared():
    for path in MODULES.values():
        if "devices" not in path.parts:
            text = path.read_text(encoding="utf-8")
            assert not [word for word in PARALLEL if word in text], path


def test_no_test_imports_another_test():
    """What tests share lies in tests/helpers; what fixtures share, in a conftest.py, which is not imported either."""
    modules = {module_name(path) for path in sources(ROOT / "tests")}
    wrong = []
    for path in sources(ROOT / "tests"):
        for name in imported_names(path):
            module = name if name in modules else name.rpartition(".")[0]
            if module in modules and module.rpartition(".")[2].startswith(("test_", "conftest")):
                wrong.append(f"{path.relative_to(ROOT)} imports {name}")
    assert not wrong, "\n".join(sorted(wrong))


def test_functions_are_short_and_take_few_parameters():
    lengths = {
        place(path, node): (node.end_lineno or node.lineno) - node.lineno + 1
        for path in MODULES.values()
        for node in functions(path)
    }
    assert {name: length for name, length in lengths.items() if length > MAX_LINES} == {}
    long = {name: length for name, length in lengths.items() if length > LONG}
    assert len(long) <= MAX_LONG_FUNCTIONS, long
    many = {
        place(path, node): len(names)
        for path in MODULES.values()
        for node in functions(path)
        if len(names := [each.arg for each in parameters(node) if each.arg not in ("self", "cls")]) > MAX_PARAMETERS
    }
    assert many == {}


def test_annotations_are_concrete():
    """`Any` stands only where nothing else can be said; support/types.py has names for what is spoken of often."""
    count = Counter(
        str(path.relative_to(ROOT))
        for path in MODULES.values()
        for annotation in annotations(path)
        for node in ast.walk(annotation)
        if (isinstance(node, ast.Name) and node.id == "Any") or (isinstance(node, ast.Attribute) and node.attr == "Any")
    )
    assert sum(count.values()) <= MAX_ANY, count.most_common()
