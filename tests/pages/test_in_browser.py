"""The page in real headless Chromium: opened as a file, without a network, used by mouse and by keyboard."""

import io

import numpy as np
import pytest
from PIL import Image

from jaxsr.pages.comparison_page import render
from tests.helpers.browsers import chromium
from tests.helpers.pages import BLUE, FIRST_ROUND, HOSTILE, comparison

pytestmark = pytest.mark.slow
NEAR = 8  # levels out of 255: pixels are magnified as squares
FAILURES = """() => new Promise(resolve => {
  const seen = [];
  document.addEventListener("securitypolicyviolation", event => seen.push(event.effectiveDirective));
  const script = document.createElement("script");
  script.textContent = "window.struck = true";
  document.body.append(script);
  fetch("http://127.0.0.1:9/").catch(() => setTimeout(() => resolve(seen), 200));
})"""


@pytest.fixture(scope="module")
def browser():
    with chromium() as browser:
        yield browser


@pytest.fixture
def opened(browser, tmp_path):
    """Return a function that opens the page of a comparison; at the end nothing was fetched or complained about."""
    contexts, complaints = [], []

    def open_page(*comparisons, **options):
        path = tmp_path / "compare.html"
        path.write_text(render(comparisons or [comparison()]), encoding="utf-8")
        size = {"width": options.pop("width", 1200), "height": 1000}
        context = browser.new_context(offline=True, viewport=size, **options)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: check(request.url, path))
        page.goto(path.as_uri())
        page.wait_for_selector("body[data-ready]", timeout=20_000)
        return page

    def check(url, path):
        if not url.startswith("data:") and url != path.as_uri():
            complaints.append(url)

    open_page.complaints = complaints
    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []


def picture(element):
    with Image.open(io.BytesIO(element.screenshot())) as image:
        return np.asarray(image.convert("RGB")).astype(int)


def blue(page, place):
    """Return the blue of the stage at a `place` from left, 0 to 1, near its upper edge, away from the magnifier."""
    pixels = picture(page.locator(".stage"))
    return pixels[pixels.shape[0] // 10, int(place * pixels.shape[1]), 2]


def seen(page):
    """Return the colour at the centre of each magnified layer."""
    pixels = [picture(canvas) for canvas in page.locator(".layer canvas").all()]
    return np.array([each[each.shape[0] // 2, each.shape[1] // 2] for each in pixels])


def test_the_divider_by_keyboard(opened):
    page = opened()
    divider = page.get_by_role("slider", name="Divider")
    left, right = BLUE["first-x2"], BLUE["second-x4"]
    assert (blue(page, 0.3), blue(page, 0.7)) == (left, right)
    divider.focus()
    for keys, now, colours in (
        (["Home"], "0", (right, right)),
        (["ArrowRight"], "1", (right, right)),
        (["PageUp"] * 4, "41", (left, right)),
        (["Shift+ArrowRight"] * 4, "81", (left, left)),
        (["ArrowLeft"], "80", (left, left)),
        (["End"], "100", (left, left)),
        (["End", "ArrowRight"], "100", (left, left)),
    ):
        for key in keys:
            page.keyboard.press(key)
        assert divider.get_attribute("aria-valuenow") == now
        assert (blue(page, 0.3), blue(page, 0.7)) == colours, keys
    assert divider.get_attribute("aria-valuetext") == "100 % first-x2, 0 % second-x4"


def test_the_divider_by_mouse_and_other_layers(opened):
    page = opened()
    box = page.locator(".stage").bounding_box()
    page.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 0.9 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + 0.2 * box["width"], box["y"] + 0.9 * box["height"], steps=3)
    assert page.get_by_role("slider", name="Divider").get_attribute("aria-valuenow") == "20"
    assert (blue(page, 0.1), blue(page, 0.3)) == (BLUE["first-x2"], BLUE["second-x4"])
    page.mouse.up()
    page.mouse.move(box["x"] + 0.7 * box["width"], box["y"] + 0.9 * box["height"])  # no longer held
    assert blue(page, 0.3) == BLUE["second-x4"]
    page.locator("select.left").select_option("photo")
    page.locator("select.right").select_option("sharp photo")
    assert (blue(page, 0.1), blue(page, 0.3)) == (BLUE["photo"], BLUE["sharp photo"])


def test_the_magnifier_shows_all_layers_at_the_same_place(opened):
    page = opened()
    box = page.locator(".stage").bounding_box()
    for x, y in ((0.3, 0.6), (0.7, 0.4)):
        page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"])
        colours = seen(page)
        assert colours[:, 2].tolist() == list(BLUE.values())
        assert np.abs(colours[:, :2] - np.array([x, y]) * 255).max() < NEAR
    page.mouse.move(box["x"] + 9, box["y"] + 9)  # its square, half as wide as the photo, stays within that
    assert np.abs(seen(page)[:, :2] - 0.25 * 255).max() < NEAR


def test_the_magnifier_by_keyboard(opened):
    page = opened()
    page.get_by_role("application", name="Magnifier").focus()
    for keys, place in (
        ([], (0.5, 0.5)),
        (["ArrowRight"] * 2, (0.625, 0.5)),  # eighths of its square, which is half the photo
        (["ArrowUp"], (0.625, 0.4375)),
        (["Shift+ArrowLeft"], (0.25, 0.4375)),
    ):
        for key in keys:
            page.keyboard.press(key)
        assert np.abs(seen(page)[:, :2] - np.array(place) * 255).max() < NEAR, keys
    assert page.locator(".area output").inner_text().startswith("32 × 32")
    page.keyboard.press("+")
    page.keyboard.press("+")
    assert page.locator(".area output").inner_text().startswith("16 × 16")
    places = {canvas.get_attribute("data-place") for canvas in page.locator(".layer canvas").all()}
    assert places == {"0.25000 0.43750 0.25000 0.25000"}


def test_rounds_have_their_image_score_and_kernel(opened):
    page = opened()
    layer = page.locator(".layer", has_text="second-x4")
    assert "27.25 dB" in layer.inner_text() and "kernel of round 2" in layer.inner_text()
    assert "best" in layer.locator(".score").get_attribute("class")
    layer.get_by_role("radio", name="2").focus()
    page.keyboard.press("ArrowLeft")
    assert "24.50 dB" in layer.inner_text() and "kernel of round 1" in layer.inner_text()
    assert seen(page)[2, 2] == FIRST_ROUND and blue(page, 0.7) == FIRST_ROUND
    assert [kernel.is_visible() for kernel in layer.locator(".kernel").all()] == [True, False]


def test_a_photo_equal_to_the_sharp_one_is_the_best(opened):
    page = opened(comparison(scores=("inf dB, SSIM 1.0000", "24.50 dB", "27.25 dB")))
    assert [text.split()[0] for text in page.locator(".score.best").all_inner_texts()] == ["inf"]


def test_everything_is_reached_by_tab(opened):
    page = opened()
    names = []
    for _ in range(6):
        page.keyboard.press("Tab")
        names.append(page.evaluate("document.activeElement.className || document.activeElement.type"))
    assert names == ["left", "right", "lens", "divider", "range", "radio"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_narrow_and_dark(opened, scheme):
    page = opened(comparison("x" * 90 + ".png"), width=320, color_scheme=scheme)
    assert page.evaluate("document.documentElement.scrollWidth") == 320
    paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (int(paper.strip("rgb(").split(",")[0]) < 64) == (scheme == "dark")
    assert page.locator(".stage").bounding_box()["width"] > 250


def test_a_hostile_name_is_shown_and_harmless(opened):
    page = opened(comparison(HOSTILE))
    assert page.get_by_role("heading", level=2).inner_text() == HOSTILE
    assert "third-x2: <b>no</b>" in page.locator(".failures").inner_text()
    assert page.evaluate("window.struck") is None


def test_the_policy_forbids_other_scripts_and_the_network(opened):
    page = opened()
    assert {"script-src-elem", "connect-src"} <= set(page.evaluate(FAILURES))
    assert page.evaluate("window.struck") is None
    opened.complaints.clear()  # Chromium says what it refused
