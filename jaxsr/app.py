"""Restore photos on a local page: `python -m jaxsr.app [--model=fsrcnn] [--port=7860]`.

The page opens in a browser (`pip install "jaxsr[app]"`): a photo in, a model with its options, a slider between before
and after, the kernels and rounds of models that estimate them, and the same file to keep that `python -m jaxsr.restore`
writes. It is served to this computer alone, fetches nothing and reports nothing. Restorations wait in a queue and can
be cancelled. Ctrl-C ends the app; uploads and results are then removed.

--host=0.0.0.0 serves the page to the network, without a password; who can open it can name any weight file on this
computer. Exit status 2: wrong usage; 130: ended by Ctrl-C.
"""

from collections.abc import Sequence

from absl import flags

from jaxsr.support import command_line
from jaxsr.support.messages import complain, say

_MODEL = flags.DEFINE_string(
    "model", "fsrcnn", "The model selected at first: a shipped name, a weight file, a run folder, or zssr."
)
_PORT = flags.DEFINE_integer("port", 7860, "Port to serve on; 0 for any free one.", 0, 65535)
_HOST = flags.DEFINE_string(
    "host", "127.0.0.1", "Address to serve on; by default only this computer can open the page."
)
_MAX_MEGAPIXELS = flags.DEFINE_float("max_megapixels", 16.0, "Photos with more megapixels are refused.")
_OPEN = flags.DEFINE_bool("open", True, "Open the page in the browser.")


def main(arguments: Sequence[str]) -> None:
    """Serve the page until a signal ends it."""
    from jaxsr.gui.serving import LOOPBACK, served, wait  # after the flags: a typo is reported at once
    from jaxsr.support.errors import UserError

    if arguments:
        raise UserError(f"{arguments[0]!r} was given, but photos are chosen on the page; leave it out")
    with served(
        host=_HOST.value,
        port=_PORT.value,
        model=_MODEL.value,
        max_megapixels=_MAX_MEGAPIXELS.value,
        open_browser=_OPEN.value,
    ) as address:
        if _HOST.value not in (LOOPBACK, "localhost", "::1"):
            complain(f"the page is open to whoever reaches {_HOST.value}: it asks for no password")
        say(f"{address} (Ctrl-C ends it)")
        wait()


if __name__ == "__main__":
    command_line.run(main)
