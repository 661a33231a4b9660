"""Commands run as a user runs them, in a process of their own."""

import subprocess
import sys


def run(command, *arguments):
    """Return the finished process of `python -m jaxsr.COMMAND`, with what it printed."""
    line = [sys.executable, "-m", f"jaxsr.{command}", *map(str, arguments)]
    return subprocess.run(line, capture_output=True, text=True, check=False)
