"""The documentation's code blocks, and how they are run: in a fresh folder with two small photos, as a reader would."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from PIL import Image

ROOT = Path(__file__).parents[2]
DOCS, EXAMPLES = ROOT / "docs", ROOT / "examples"
RUN = ("bash", "python")
LANGUAGES = (*RUN, "text", "console", "json", "yaml")  # the last ones are read, not run
SIDE = 240  # of the photos; KernelGAN wants 86 pixels of a photo half as large
TIMEOUT = 400.0  # seconds for a block
_FENCE = re.compile(r"^(?P<indent> *)```(?P<language>[\w-]*)[^\n]*\n(?P<code>.*?)^(?P=indent)```$", re.M | re.S)


class Block(NamedTuple):
    """A fenced block: its `language`, its `code`, and the `line` of the page where it begins."""

    language: str
    code: str
    line: int


def pages() -> list[Path]:
    """Return the pages of the documentation."""
    return sorted(DOCS.rglob("*.md"))


def blocks(text: str) -> list[Block]:
    """Return the fenced blocks of a page."""
    return [
        Block(match["language"], match["code"], text.count("\n", 0, match.start()) + 2)
        for match in _FENCE.finditer(text)
    ]


def sessions(page: Path) -> Iterator[Block]:
    """Yield what is run of a page, in order; snippets of Python with no command between them are one session."""
    waiting: Block | None = None
    for block in blocks(page.read_text(encoding="utf-8")):
        if block.language == "python":
            waiting = waiting._replace(code=waiting.code + block.code) if waiting else block
        elif block.language == "bash":
            if waiting:
                yield waiting
            yield block
            waiting = None
    if waiting:
        yield waiting


def sample_photos(folder: Path) -> None:
    """Write to `folder`/runs/demo/photos parts of the two photos that `launch/demo.sh` puts there."""
    import skimage

    target = folder / "runs" / "demo" / "photos"
    target.mkdir(parents=True)
    for name in ("chelsea.png", "coffee.png"):
        with Image.open(Path(skimage.__file__).parent / "data" / name) as photo:
            left, top = (photo.width - SIDE) // 2, (photo.height - SIDE) // 2
            photo.crop((left, top, left + SIDE, top + SIDE)).save(target / name)


def environment() -> dict[str, str]:
    """Return the environment of a reader who has activated the checkout's virtual environment."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    library = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    settings = {"PATH": path, "PYTHONPATH": library, "JAX_PLATFORMS": "cpu", "JAX_NUM_CPU_DEVICES": "2"}
    return {**os.environ, "JUPYTER_PLATFORM_DIRS": "1", **settings}


def run(block: Block, folder: Path) -> subprocess.CompletedProcess[str]:
    """Return the finished process of a block, run in `folder`."""
    bash = shutil.which("bash") or "bash"
    command = [bash, "-euo", "pipefail", "-c"] if block.language == "bash" else [sys.executable, "-c"]
    return subprocess.run(
        [*command, block.code],
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=TIMEOUT,
    )
