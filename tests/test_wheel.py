"""The wheel and the sources as they would be published, and the wheel as a stranger installs it, without a network."""

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import time
import tomllib
import venv
import zipfile
from pathlib import Path

import pytest

from jaxsr.data.images import Photo, read_photo, write_photo
from tests.helpers.photos import smooth

ROOT = Path(__file__).parents[1]
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
MAX_BYTES = 60 * 2**20
FILES = (
    "pyproject.toml",
    "setup.py",
    "MANIFEST.in",
    "README.md",
    "LICENSE",
    "CHANGELOG.md",
    "CITATION.cff",
    "SECURITY.md",
)
# Raises for whatever asks for another computer; sitecustomize.py is run when Python starts
WITHOUT_NETWORK = """
import socket

def refuse(*arguments, **options):
    raise RuntimeError(f"network: {arguments}")

socket.socket.connect = socket.getaddrinfo = socket.create_connection = refuse
"""


def finish(*line, folder):
    """Return what a command printed that somebody without a checkout gives; it must succeed."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | {"JAX_PLATFORMS": "cpu"}
    done = subprocess.run(
        list(map(str, line)), capture_output=True, text=True, check=False, cwd=folder, env=environment, timeout=600
    )
    assert done.returncode == 0, done.stdout[-1000:] + done.stderr[-3000:]
    return done.stdout


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """The folder with what `python -m build` makes of the sources, among which a run and scraps lie about."""
    pytest.importorskip("build", reason="build is missing: pip install '.[dev]'")
    sources, output = tmp_path_factory.mktemp("sources"), tmp_path_factory.mktemp("dist")
    for name in ("jaxsr", "configs", "tests"):
        shutil.copytree(ROOT / name, sources / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in FILES:
        shutil.copy(ROOT / name, sources)
    for name in ("runs/demo/model.safetensors", "restored/a.png", "tests/data.npz"):
        (sources / name).parent.mkdir(parents=True, exist_ok=True)
        (sources / name).write_bytes(b"scraps")
    finish(sys.executable, "-m", "build", "--no-isolation", f"--outdir={output}", sources, folder=sources)
    return output


@pytest.fixture(scope="module")
def installed(published, tmp_path_factory):
    """The folder of an environment with the wheel; what it needs is that of this environment, behind it."""
    folder = tmp_path_factory.mktemp("installed")
    venv.create(folder, with_pip=False, symlinks=True)
    site = Path(sysconfig.get_path("purelib", vars={"base": str(folder)}))
    wheel = next(published.glob("*.whl"))
    options = ("--no-deps", "--no-index", "--disable-pip-version-check", "--quiet")
    finish(sys.executable, "-m", "pip", f"--python={folder}/bin/python", "install", *options, wheel, folder=folder)
    (site / "needed.pth").write_text("\n".join(path for path in sys.path if Path(path).name == "site-packages"))
    (site / "sitecustomize.py").write_text(WITHOUT_NETWORK)
    return folder


def test_the_version_is_said_alike():
    citation = (ROOT / "CITATION.cff").read_text("utf-8")
    changes = (ROOT / "CHANGELOG.md").read_text("utf-8")
    newest, date = re.findall(r"^## \[(\d+\.\d+\.\d+)\] - (\d{4}-\d\d-\d\d)$", changes, re.MULTILINE)[0]
    assert newest == VERSION
    assert f"\nversion: {VERSION}\ndate-released: {date}\n" in citation


@pytest.mark.slow
def test_what_the_wheel_holds(published):
    (path,) = published.glob("*.whl")
    assert path.name == f"jaxsr-{VERSION}-py3-none-any.whl" and path.stat().st_size < MAX_BYTES
    with zipfile.ZipFile(path) as archive:
        names = set(archive.namelist())
        scripts = archive.read(f"jaxsr-{VERSION}.dist-info/entry_points.txt").decode()
    expected = {f"jaxsr/configs/{path.name}" for path in (ROOT / "configs").glob("*.py")}
    package = [path for path in (ROOT / "jaxsr").rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    expected |= {path.relative_to(ROOT).as_posix() for path in package}
    assert {name for name in names if ".dist-info/" not in name} == expected
    assert {"jaxsr/metrics/niqe.npz", "jaxsr/weights/shipped/fsrcnn-x2.safetensors"} < expected
    assert {Path(name).suffix for name in expected} > {".html", ".css", ".js", ".json", ".typed"}
    assert "jaxsr = jaxsr.__main__:main" in scripts


@pytest.mark.slow
def test_what_the_sources_hold(published):
    with tarfile.open(next(published.glob("*.tar.gz"))) as archive:
        names = {Path(*Path(name).parts[1:]).as_posix() for name in archive.getnames()}
    assert {name.partition("/")[0] for name in names} == {
        *(".", "jaxsr", "configs", "jaxsr.egg-info", "PKG-INFO", "setup.cfg"),
        *FILES,
    }


@pytest.mark.slow
def test_it_works_where_it_is_installed(installed, tmp_path):
    write_photo(tmp_path / "a.png", Photo(smooth(24, 30)))
    python, script = installed / "bin/python", installed / "bin/jaxsr"
    code = "import time; start = time.perf_counter(); import jaxsr; print(time.perf_counter() - start, jaxsr.__file__)"
    seconds, place = finish(python, "-c", code, folder=tmp_path).split()
    assert Path(place).is_relative_to(installed)
    code = "import jaxsr; print(jaxsr.__version__, jaxsr.load('fsrcnn-x2').scale)"
    assert finish(python, "-c", code, folder=tmp_path).split() == [VERSION, "2"]
    assert finish(script, "--version", folder=tmp_path) == f"jaxsr {VERSION}\n"
    start = time.perf_counter()
    finish(script, "restore", "a.png", "--output=out", folder=tmp_path)
    print(f"import jaxsr: {seconds} s; jaxsr restore: {time.perf_counter() - start} s")  # shown by pytest -rP
    assert read_photo(tmp_path / "out/a.png").pixels.shape == (48, 60, 3)
    assert "espcn:x3" in finish(script, "train", "--list=espcn", folder=tmp_path)
