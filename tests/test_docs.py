"""The documentation holds: the site is built, every command and snippet of its pages runs, and so do the notebooks.

Behind the marker `docs`: `bash launch/test.sh -m docs`. Blocks of bash and Python are run page by page, in order;
what needs a GPU, a download or days is fenced as text.
"""

import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

from jaxsr.models import ESTIMATORS, MODELS
from tests.helpers.documentation import (
    DOCS,
    EXAMPLES,
    LANGUAGES,
    ROOT,
    TIMEOUT,
    blocks,
    environment,
    pages,
    run,
    sample_photos,
    sessions,
)

pytestmark = pytest.mark.optimized  # networks and estimates run for longer than they compile
RUNNING = [page for page in pages() if any(True for _ in sessions(page))]
NOTEBOOKS = sorted(EXAMPLES.glob("*.ipynb"))
TOLD_ELSEWHERE = {"bicubic", "zssr"}  # the baseline, and a part of KernelGAN's page
MAX_NOTEBOOK_BYTES = 300_000
EXECUTE = """
import sys, nbclient, nbformat
notebook = nbformat.read(sys.argv[1], as_version=4)
nbformat.validate(notebook)
nbclient.NotebookClient(notebook, timeout=300, kernel_name="python3").execute()
"""
WRITES = re.compile(r"jaxsr[. ](?:train|degrade|prepare_data|estimate_kernel)\b[^\n]*?--(?:workdir|output)=(\S+)")
LINK = re.compile(r"\]\(((?:https?|ftp)[^)\s]*(?:\([^)\s]*\)[^)\s]*)*)\)?")


def name_of(path: Path) -> str:
    return path.relative_to(DOCS).with_suffix("").as_posix() if DOCS in path.parents else path.stem


class Requests(HTMLParser):
    """Collects the addresses that a browser fetches by itself."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        fetched = {"script": "src", "img": "src", "iframe": "src", "source": "src", "video": "src", "link": "href"}
        if tag in fetched and (tag != "link" or values.get("rel") in ("stylesheet", "icon", "preconnect", "preload")):
            self.addresses.append(values.get(fetched[tag]) or "")


@pytest.mark.docs
def test_the_site_is_built_without_a_warning_and_fetches_nothing(tmp_path):
    build = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", f"--site-dir={tmp_path}"]
    done = subprocess.run(
        build, cwd=ROOT, env=environment(), capture_output=True, text=True, check=False, timeout=TIMEOUT
    )
    assert done.returncode == 0, done.stderr
    built = sorted(tmp_path.rglob("*.html"))
    assert len(built) > 20
    for page in built:
        parser = Requests()
        parser.feed(page.read_text(encoding="utf-8"))
        outside = [address for address in parser.addresses if re.match(r"(https?:)?//", address)]
        assert not outside, f"{page.name} fetches {outside}"
    styles = [style.read_text(encoding="utf-8") for style in tmp_path.rglob("*.css")]
    assert styles and not any(re.search(r"(@import|url\()\s*['\"]?(https?:)?//", style) for style in styles)


@pytest.mark.docs
@pytest.mark.parametrize("page", pages(), ids=name_of)
def test_the_text_of_a_page(page):
    """Every block says its language, and links to other sites are whole and encrypted."""
    text = page.read_text(encoding="utf-8")
    assert text.startswith("# "), "a page begins with its title"
    assert text.count("```") == 2 * len(blocks(text)), "a block is not closed"
    assert {block.language for block in blocks(text)} <= set(LANGUAGES)
    for address in LINK.findall(text):
        assert re.fullmatch(r"https://[\w.-]+\.[a-z]{2,}(/[\w./%~+#?=&:()-]*)?", address), address
        assert not address.endswith((".", ",")), address


@pytest.mark.docs
@pytest.mark.parametrize("page", RUNNING, ids=name_of)
def test_commands_and_snippets_run(page, tmp_path):
    sample_photos(tmp_path)
    for block in sessions(page):
        done = run(block, tmp_path)
        place = f"{page.relative_to(ROOT)}:{block.line}"
        assert done.returncode == 0, f"{place}\n{block.code}\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}"


@pytest.mark.docs
def test_no_two_pages_write_the_same_run_or_set():
    """Readers go from page to page in one folder, where a run or set of an earlier page is continued or refused."""
    pages_of: dict[str, set[str]] = {}
    for page in (ROOT / "README.md", *pages()):
        for block in sessions(page):
            for folder in WRITES.findall(block.code.replace("\\\n", " ")):
                pages_of.setdefault(folder, set()).add(name_of(page))
    assert len(pages_of) > 20
    assert not {folder: names for folder, names in pages_of.items() if len(names) > 1}


@pytest.mark.docs
@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=name_of)
def test_notebooks_run(notebook, tmp_path):
    """From top to bottom, in a kernel of its own; what they keep is small enough for a repository."""
    assert notebook.stat().st_size < MAX_NOTEBOOK_BYTES
    sample_photos(tmp_path)
    done = subprocess.run(
        [sys.executable, "-c", EXECUTE, notebook],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=TIMEOUT,
    )
    assert done.returncode == 0, done.stderr[-4000:]


@pytest.mark.docs
def test_every_system_has_a_page():
    told = {page.stem for page in (DOCS / "systems").glob("*.md")} | TOLD_ELSEWHERE
    assert told >= {*MODELS, *ESTIMATORS}
    assert len(RUNNING) > 20 and len(NOTEBOOKS) == 4
