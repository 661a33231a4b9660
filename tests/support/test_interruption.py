"""Signals to commands, which end with one line and clean up, wherever they are."""

import os
import signal
import subprocess
import sys

import pytest

from jaxsr.support.interruption import signals_as_exceptions

CLEANING = """
import gc, sys, time
from pathlib import Path
from jaxsr.support import command_line
from jaxsr.support.files import written_whole
{more}
def main(arguments):
    with written_whole(Path(sys.argv[1]) / "out.txt") as temporary:
        temporary.write_text("half")
        print("working", flush=True)
        while True:
            {work}
command_line.run(main)
"""
IN_CALLBACK = "gc.callbacks.append(lambda *_: [time.sleep(0.001) for _ in range(10)])"


def ended(process):
    """Return what the process printed until it ended, which it does soon."""
    try:
        return process.communicate(timeout=30)
    finally:
        process.kill()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_exception_names_the_signal_and_handlers_come_back(number):
    before = signal.getsignal(number)
    with pytest.raises(KeyboardInterrupt) as caught, signals_as_exceptions():
        os.kill(os.getpid(), number)
    assert caught.value.args == (number,)
    assert signal.getsignal(number) is before


@pytest.mark.slow
@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize(("more", "work"), [("", "time.sleep(0.01)"), (IN_CALLBACK, "gc.collect(), time.sleep(0.3)")])
def test_a_command_cleans_up_and_says_so_in_one_line(number, status, more, work, tmp_path):
    """Also where the signal comes inside a callback of the garbage collector, whose exceptions Python drops."""
    script = CLEANING.format(more=more, work=work)
    command = [sys.executable, "-c", script, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "working\n"
        process.send_signal(number)
        said = ended(process)[1].strip().splitlines()
    assert process.returncode == status
    assert said[-1].endswith(f"ended by {signal.Signals(number).name}")
    assert (more or len(said) == 1) and not list(tmp_path.iterdir())
