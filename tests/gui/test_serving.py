"""What is said before the page is served, and the page built without a browser."""

import importlib.util
import math
import socket
import subprocess
import sys

import pytest

import jaxsr
from jaxsr.gui.serving import free_port, served

BUILD = """
import tempfile
from pathlib import Path
from jaxsr.gui.page_actions import Actions, build_page
from jaxsr.gui.page_layout import lay_out, theme
from jaxsr.gui.visitors import Visitors

visitors = Visitors(Path(tempfile.gettempdir()))
layout = lay_out("fsrcnn", 16)
assert layout.asked.scale.value == 2 and not layout.asked.learning.visible and not layout.asked.rounds.visible
assert lay_out("zssr", 16).asked.learning.visible
scale, ensemble, rounds, learning, references = Actions(layout, visitors, 16).show_options("danv1-x4")
assert scale["value"] == 4 and ensemble["visible"] and rounds["visible"]
assert not learning["visible"] and not references["visible"]
assert not [font for font in (*theme()._font, *theme()._font_mono) if not isinstance(font, str)]  # none is fetched
assert "Restore" in str(build_page(visitors, model="fsrcnn-x2", max_megapixels=16).get_config_file())
"""
SERVE = """
import sys
import urllib.request
from jaxsr.gui.serving import served

with served(host=sys.argv[1], port=0, model="bicubic", max_megapixels=1) as address:
    assert address.startswith("http://[::1]:")
    assert urllib.request.build_opener(urllib.request.ProxyHandler({})).open(address).status == 200
"""


def test_without_gradio_the_extra_is_named(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with (
        pytest.raises(jaxsr.UserError, match=r'made with Gradio; install it: pip install "jaxsr\[app\]"$'),
        served(host="127.0.0.1", port=0, model="fsrcnn", max_megapixels=1),
    ):
        pass


@pytest.mark.parametrize("bound", [0.0, -1.0, math.nan, math.inf])
def test_a_bound_that_no_photo_or_every_photo_would_pass_is_refused(bound):
    pytest.importorskip("gradio", reason="gradio is missing: pip install '.[app]'")
    with (
        pytest.raises(jaxsr.UserError, match=f"^--max_megapixels={bound:g} must be a number above 0; leave it out"),
        served(host="127.0.0.1", port=0, model="no such model", max_megapixels=bound),
    ):
        pass


def test_a_taken_port_is_said():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(jaxsr.UserError, match=f"cannot serve on 127.0.0.1, port {port} .*choose another --port"):
            free_port("127.0.0.1", port)
    assert free_port("127.0.0.1", 0) > 0
    with pytest.raises(jaxsr.UserError, match="--host=a..b is not an address; leave it out, or give 0.0.0.0"):
        free_port("a..b", 0)


@pytest.mark.slow
@pytest.mark.parametrize("host", ["::1", "::"])
def test_ipv6_is_served(host):
    """In a process of its own: Gradio leaves sockets open."""
    pytest.importorskip("gradio", reason="gradio is missing: pip install '.[app]'")
    try:
        free_port(host, 0)
    except jaxsr.UserError:
        pytest.skip("this machine has no IPv6")
    done = subprocess.run([sys.executable, "-c", SERVE, host], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_the_page_shows_the_options_of_its_model():
    """In a process of its own: Gradio leaves sockets open."""
    pytest.importorskip("gradio", reason="gradio is missing: pip install '.[app]'")
    done = subprocess.run([sys.executable, "-c", BUILD], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
