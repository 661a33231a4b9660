"""Who has the page open: each visitor has a folder for results, and can cancel what is under way."""

import dataclasses
import shutil
import tempfile
import threading
from pathlib import Path


@dataclasses.dataclass(frozen=True)
class Visitor:
    """One open page.

    Attributes:
        folder: that holds the visitor's results; its name cannot be guessed.
        cancelled: whether the restoration under way is to end after its tile.
    """

    folder: Path
    cancelled: threading.Event = dataclasses.field(default_factory=threading.Event)

    def new_folder(self) -> Path:
        """Return an empty folder for the results of a photo; those of the photo before are removed."""
        for earlier in self.folder.glob("result-*"):
            shutil.rmtree(earlier, ignore_errors=True)
        return Path(tempfile.mkdtemp(prefix="result-", dir=self.folder))


class Visitors:
    """All open pages, by the name that Gradio gives to a session."""

    def __init__(self, root: Path) -> None:
        """Keep the folders of visitors in the folder `root`."""
        self._root = root
        self._lock = threading.Lock()
        self._visitors: dict[str, Visitor] = {}

    def visitor(self, session: str) -> Visitor:
        """Return the visitor of `session`, with a folder of its own."""
        with self._lock:
            if session not in self._visitors:
                self._visitors[session] = Visitor(Path(tempfile.mkdtemp(prefix="visitor-", dir=self._root)))
            return self._visitors[session]

    def leave(self, session: str) -> None:
        """Cancel what is running for `session`, and remove its files."""
        with self._lock:
            visitor = self._visitors.pop(session, None)
        if visitor is not None:
            visitor.cancelled.set()
            shutil.rmtree(visitor.folder, ignore_errors=True)

    def cancel_all(self) -> None:
        """Cancel everything that is running."""
        with self._lock:
            for visitor in self._visitors.values():
                visitor.cancelled.set()
