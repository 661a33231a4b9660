"""The page served: by Gradio, on this computer alone unless asked otherwise, without telemetry, until it is ended."""

import contextlib
import importlib.util
import math
import os
import shutil
import socket
import tempfile
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path

from jaxsr.gui.visitors import Visitors
from jaxsr.support.errors import UserError

LOOPBACK = "127.0.0.1"
ANY_HOST = {"0.0.0.0": LOOPBACK, "::": "::1"}  # what stands for all addresses of this computer, and one of them
MAX_UPLOAD = "512mb"
MAX_WAITING = 32  # restorations in the queue; further ones are refused


@contextlib.contextmanager
def served(*, host: str, port: int, model: str, max_megapixels: float, open_browser: bool = False) -> Iterator[str]:
    """Serve the page inside the block, and yield its address; at its end all files of visitors are removed.

    Port 0 stands for any free one. Raises UserError where Gradio is missing, the port is taken, `max_megapixels` is
    not positive or infinite, or there is no such model.
    """
    if importlib.util.find_spec("gradio") is None:
        raise UserError('the page is made with Gradio; install it: pip install "jaxsr[app]"')
    if not 0 < max_megapixels < math.inf:
        raise UserError(f"--max_megapixels={max_megapixels:g} must be a number above 0; leave it out for the default")
    port = free_port(host, port)
    root = Path(tempfile.mkdtemp(prefix="jaxsr-app-"))
    visitors = Visitors(root)
    try:
        with _gradio_settings(root / "uploads"):
            page = _launch(visitors, host, port, model=model, max_megapixels=max_megapixels, open_browser=open_browser)
            try:
                yield f"http://{_in_address(ANY_HOST.get(host, host))}:{port}/"
            finally:
                visitors.cancel_all()
                page.close(verbose=False)
    finally:
        shutil.rmtree(root, ignore_errors=True)


def _in_address(host: str) -> str:
    """Return `host` as an address has it before the port: IPv6 in brackets."""
    return f"[{host}]" if ":" in host else host


def wait() -> None:
    """Wait until a signal ends the command."""
    threading.Event().wait()


def free_port(host: str, port: int) -> int:
    """Return `port`, or for 0 one that is free; raises UserError where `host` cannot serve there."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
            return probe.getsockname()[1]
    except (socket.gaierror, UnicodeError):  # a..b cannot even be asked for
        raise UserError(
            f"--host={host} is not an address; leave it out, or give 0.0.0.0 to serve the network"
        ) from None
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UserError(
            f"cannot serve on {host}, port {port} ({reason}); choose another --port, 0 for any, or another --host"
        ) from None


@contextlib.contextmanager
def _gradio_settings(uploads: Path) -> Iterator[None]:
    """Set for the block what Gradio reads from the environment: where uploads go, and that nothing is sent."""
    settings = {
        "GRADIO_TEMP_DIR": str(uploads),
        "GRADIO_ANALYTICS_ENABLED": "False",
        "HF_HUB_OFFLINE": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "no_proxy": ",".join(filter(None, [os.environ.get("no_proxy"), LOOPBACK, "localhost", "::1"])),
    }
    earlier = {name: os.environ.get(name) for name in settings}
    os.environ.update(settings)
    try:
        yield
    finally:
        for name, value in earlier.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _launch(visitors: Visitors, host: str, port: int, *, model: str, max_megapixels: float, open_browser: bool):
    """Return the page, which a thread serves."""
    warnings.filterwarnings("ignore", module=r"gradio\.helpers")  # what the page shows need not be printed, too
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what Gradio's own dependencies deprecate is not the user's affair
        from jaxsr.gui.page_actions import build_page
        from jaxsr.gui.page_layout import CSS, theme

        page = build_page(visitors, model=model, max_megapixels=max_megapixels)
        page.queue(max_size=MAX_WAITING)
        page.launch(
            server_name=_in_address(host),
            server_port=port,
            share=False,
            inbrowser=open_browser,
            prevent_thread_lock=True,
            quiet=True,
            show_error=False,
            footer_links=[],
            run_history=False,
            max_file_size=MAX_UPLOAD,
            ssr_mode=False,
            pwa=False,
            mcp_server=False,
            enable_monitoring=False,
            theme=theme(),
            css=CSS,
        )
    return page
