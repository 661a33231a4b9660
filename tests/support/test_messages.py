"""Lines about files: nothing in a name moves the cursor, ends the program, or fills the screen."""

import os
import subprocess
import sys

import pytest

from jaxsr.support.messages import MAX_LINE, first_few, one_line

SCRIPT = """
import sys
from jaxsr.support.messages import protect_streams, say, complain
protect_streams()
for number in range(20_000):
    say(f"line {number}")
complain(f"\\udcff \\u00fc \\u4e2d")
print("\\u4e2d")
"""


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a\nb\t\x1b[2J", r"a\nb\t\x1b[2J"),
        (os.fsdecode(b"\xff.png"), r"\udcff.png"),
        ("ü中 \u202e", "ü中 \\u202e"),
        ("\x7f\x85\u2028", r"\x7f\x85\u2028"),
    ],
)
def test_control_characters_are_escaped(text, line):
    assert one_line(text) == line


def test_long_lines_keep_both_ends():
    for middle in (5000 * "x", 10**6 * "\0"):
        line = one_line(f"begin{middle}end")
        assert len(line) <= MAX_LINE and line.startswith("begin") and line.endswith("end") and " ... " in line


@pytest.mark.parametrize("encoding", ["ascii", "utf-8"])
def test_nothing_that_is_printed_raises(encoding):
    environment = os.environ | {"PYTHONIOENCODING": encoding}
    whole = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, env=environment, check=False)
    assert whole.returncode == 0 and whole.stdout.count(b"\n") == 20_001 and b"\\udcff" in whole.stderr
    line = f"{sys.executable} -c '{SCRIPT}' | head -1; exit ${{PIPESTATUS[0]}}"
    cut = subprocess.run(["bash", "-c", line], capture_output=True, env=environment, check=False)
    assert cut.returncode == 0 and cut.stdout == b"line 0\n" and b"Error" not in cut.stderr


def test_warnings_are_plain_lines_and_come_once():
    script = (
        "from absl import app, logging; from jaxsr.support.messages import log_plainly\n"
        "def main(_):\n log_plainly()\n for _ in range(2): logging.warning('%s: %s', 'a\\n.png', 'odd')\n"
        "app.run(main, ['x'])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.stderr == "warning: a\\n.png: odd\n"


def test_long_lists_end_in_a_number():
    assert first_few(["a", "b"]) == "a, b"
    assert first_few(list("abcd"), most=2, separator="; ") == "a; b; and 2 more"
