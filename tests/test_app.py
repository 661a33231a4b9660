"""`python -m jaxsr.app` in a process of its own, used in real headless Chromium as a visitor would use it."""

import os
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
import pytest

from jaxsr.data.images import Metadata, Photo, write_photo
from tests.helpers.browsers import chromium
from tests.helpers.commands import run
from tests.helpers.photos import photo

pytestmark = [pytest.mark.slow, pytest.mark.optimized]  # the page and commands give the same bytes
SECONDS = 60
STATUS = "#status textarea"
CENTRED = "inset(0px 0px 0px 50%)"  # of the picture on the right


@contextmanager
def served(folder, *arguments):
    """Yield the address of the page and its process, whose temporary files go to `folder`."""
    pytest.importorskip("gradio", reason="gradio is missing: pip install '.[app]'")
    line = [sys.executable, "-m", "jaxsr.app", "--port=0", "--noopen", *arguments]
    environment = {**os.environ, "TMPDIR": str(folder), "PYTHONUNBUFFERED": "1", "JAX_PLATFORMS": "cpu"}
    errors = (folder / "errors.txt").open("w")
    process = subprocess.Popen(line, stdout=subprocess.PIPE, stderr=errors, text=True, env=environment)
    try:
        assert process.stdout is not None
        first = process.stdout.readline()
        assert first.startswith("http://127.0.0.1:"), (folder / "errors.txt").read_text()
        yield first.split()[0], process
    finally:
        process.kill()
        process.communicate()
        errors.close()


@pytest.fixture(scope="module")
def browser():
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    with served(tmp_path_factory.mktemp("served"), "--max_megapixels=0.02") as (address, _):
        yield address


@pytest.fixture
def opened(browser, address):
    """Return a function that opens the page as a new visitor; at the end nothing outside was asked for."""
    contexts, requests = [], []

    def open_page(**options):
        context = browser.new_context(**options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(SECONDS * 1000)
        page.on("request", lambda request: requests.append(request.url))
        page.goto(address)
        page.get_by_role("button", name="Restore").wait_for()
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert requests and not [url for url in requests if not url.startswith((address, "data:", "blob:"))]


def deep_photo(path, height=37, width=48):
    """Write a photo of 16 bits with metadata to `path`."""
    pixels = photo(height, width, 3, np.uint16)
    write_photo(path, Photo(pixels, metadata=Metadata(comments=(("Title", "a tiny photo"),))))
    return path


def upload(page, path, shown="[aria-label=Clear]"):
    """Choose a photo, and wait until `shown` is there; a page that is not yet ready may miss the first choice."""
    playwright = pytest.importorskip("playwright.sync_api")
    for patience in (10_000, SECONDS * 1000):
        with suppress(playwright.TimeoutError):  # there is none while a photo is on its way
            page.locator("input[type=file]").first.set_input_files(str(path), timeout=10_000)
        with suppress(playwright.TimeoutError):
            page.locator(shown).first.wait_for(timeout=patience)
            return
    pytest.fail(f"{path} was not uploaded; the page says: {page.inner_text('body')[:600]}")


def clear(page):
    """Take the photo off the page; while a message comes up, the page may miss a click."""
    playwright = pytest.importorskip("playwright.sync_api")
    for patience in (5_000, 5_000, SECONDS * 1000):
        if (button := page.get_by_label("Clear").first).is_visible():
            button.click()
        with suppress(playwright.TimeoutError):
            page.locator("input[type=file]").first.wait_for(state="attached", timeout=patience)
            return
    pytest.fail("the photo stays on the page")


def restore(page):
    """Click and return what the status says afterwards."""
    page.get_by_role("button", name="Restore").click()
    page.wait_for_function(f"/ seconds$/.test(document.querySelector('{STATUS}')?.value)")
    return page.locator(STATUS).input_value()


def warned(page):
    """Return the line of the last message above the page, which the status repeats."""
    lines = page.locator(".toast-message-text")
    lines.first.wait_for()
    return lines.last.inner_text()


def choose_model(page, name):
    """Type the name of a model."""
    field = page.get_by_label("Model")
    field.fill(name)
    field.press("Enter")


def download(page, number=0):
    """Return the bytes of one of the files to keep."""
    with page.expect_download() as waiting:
        page.locator("#files a").nth(number).click()
    return Path(waiting.value.path()).read_bytes()


def test_a_photo_is_restored_as_by_the_command(opened, tmp_path):
    path = deep_photo(tmp_path / "tiny photo.png")
    done = run("restore", path, "--model=fsrcnn-x2", f"--output={tmp_path / 'out'}")
    assert done.returncode == 0, done.stderr
    page = opened()
    upload(page, path)
    assert re.fullmatch(r"tiny photo.png: 48 × 37 to 96 × 74 pixels by fsrcnn-x2 in [\d.]+ seconds", restore(page))
    assert download(page) == (tmp_path / "out" / "tiny photo.png").read_bytes()


def test_the_slider_moves(opened, tmp_path):
    page = opened(viewport={"width": 390, "height": 844})
    upload(page, deep_photo(tmp_path / "a.png"))
    restore(page)
    handle, after = page.get_by_test_id("slider"), page.get_by_test_id("imageslider-image").nth(1)
    page.wait_for_function("document.querySelectorAll('[data-testid=imageslider-image]')[1]?.naturalWidth === 96")
    handle.scroll_into_view_if_needed()
    page.wait_for_function("/translateX\\([1-9]/.test(document.querySelector('[data-testid=slider]').style.transform)")
    seen = [after.get_attribute("style")]
    box, inner = page.locator(".slider-wrap").bounding_box(), handle.locator(".inner").bounding_box()
    page.mouse.move(inner["x"] + inner["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.25 * box["width"], box["y"] + box["height"] / 2, steps=5)
    page.mouse.up()
    page.wait_for_function(
        f"document.querySelectorAll('[data-testid=imageslider-image]')[1].style.clipPath !== {CENTRED!r}"
    )
    seen.append(after.get_attribute("style"))
    before, now = (float(re.search(r"inset\(0px 0px 0px ([\d.]+)%\)", style)[1]) for style in seen)
    assert before == pytest.approx(50, abs=1) and now == pytest.approx(25, abs=3)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_a_broken_file_gives_one_line_and_the_page_goes_on(opened, tmp_path):
    (tmp_path / "broken <b>.png").write_bytes(b"no image")
    page = opened()
    upload(page, tmp_path / "broken <b>.png", shown=".toast-message-text")
    kinds = "PNG, JPEG, TIFF, WebP, AVIF, HEIC, GIF, BMP, PNM, JPEG 2000"
    line = f"broken b.png: not an image of a known kind; give a {kinds} file"
    assert warned(page) == line
    page.get_by_role("button", name="Restore").click()
    page.wait_for_function(f"document.querySelector('{STATUS}').value")
    assert page.locator(STATUS).input_value() == line
    clear(page)
    upload(page, deep_photo(tmp_path / "whole.png"))
    assert restore(page).startswith("whole.png: 48 × 37 to 96 × 74")


def test_a_large_photo_is_refused(opened, tmp_path):
    page = opened()
    upload(page, deep_photo(tmp_path / "large.png", 150, 200))
    page.get_by_role("button", name="Restore").click()
    page.wait_for_function(f"document.querySelector('{STATUS}').value")
    assert page.locator(STATUS).input_value() == warned(page)
    assert warned(page).startswith("large.png has 0.03 megapixels; this page takes 0.02; make it smaller")


def test_learning_is_cancelled_between_steps(opened, tmp_path):
    page = opened()
    upload(page, deep_photo(tmp_path / "a.png"))
    choose_model(page, "zssr")
    page.get_by_label("Kernel that reduced the photo").wait_for()
    page.get_by_role("button", name="Restore").click()
    page.get_by_text(re.compile(r"Restoring|steps")).first.wait_for()
    page.get_by_role("button", name="Cancel").click()
    page.wait_for_function(f"document.querySelector('{STATUS}').value === 'Cancelled.'")
    choose_model(page, "bicubic")
    assert "by bicubic-x2" in restore(page)


def test_kernels_and_rounds_are_shown(opened, tmp_path):
    page = opened()
    path = deep_photo(tmp_path / "a.png", 24, 24)
    done = run("restore", path, "--model=danv1-x2,rounds=2", f"--output={tmp_path / 'out'}")
    assert done.returncode == 0, done.stderr
    upload(page, path)
    choose_model(page, "danv1")
    rounds = page.get_by_role("spinbutton", name="Rounds of estimation")
    rounds.fill("2")
    rounds.press("Enter")
    assert "to 48 × 48 pixels by danv1-x2" in restore(page)
    page.get_by_text("Round 2", exact=True).first.wait_for()
    page.get_by_text("Kernels estimated").first.wait_for()
    assert download(page) == (tmp_path / "out" / "a.png").read_bytes()


def test_files_of_visitors_go_at_the_end(tmp_path):
    with served(tmp_path) as (address, process):
        (folder,) = tmp_path.glob("jaxsr-app-*")
        secret = folder / "visitor-a" / "secret.txt"
        secret.parent.mkdir()
        secret.write_text("of another visitor")
        for path in (secret, Path("/etc/hostname"), Path.cwd() / "pyproject.toml"):
            with pytest.raises(urllib.error.HTTPError, match="403|404"):
                urllib.request.urlopen(f"{address}gradio_api/file={urllib.parse.quote(str(path))}", timeout=SECONDS)
        process.send_signal(signal.SIGINT)
        assert process.wait(SECONDS) == 130
    assert not list(tmp_path.glob("jaxsr-app-*"))
    assert "app: ended by SIGINT" in (tmp_path / "errors.txt").read_text()
