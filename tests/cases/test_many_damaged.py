"""Hundreds of damaged files: each is read, or named in one line; nothing else is printed, and memory stays small."""

import subprocess
import sys

import numpy as np
import pytest

from jaxsr.data.images import photo_size, read_photo
from jaxsr.support.errors import UserError
from tests.helpers.damaged import KINDS, write_damaged
from tests.helpers.odd_photos import encoded, picture


@pytest.mark.parametrize("seed", [0, 1])
def test_each_is_read_or_named(tmp_path, seed, capfd):
    read = 0
    for path in write_damaged(tmp_path, 260, seed):
        size = photo_size(path)
        try:
            photo = read_photo(path)
        except UserError as error:
            assert str(error).startswith(f"{path}: ") and "\n" not in str(error)
            continue
        read += 1
        assert (
            size == photo.pixels.shape[:2]
            and photo.pixels.shape[2] in (1, 3)
            and photo.pixels.dtype in (np.uint8, np.uint16)
        )
    assert 20 < read < 200
    assert "VIPS" not in "".join(capfd.readouterr())


# Prints the peak memory of a command in KiB. A child of this process would count the memory of that as its own
MEASURE = """
import os, subprocess, sys
process = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL)
_, status, used = os.wait4(process.pid, 0)
print(used.ru_maxrss)
sys.exit(os.waitstatus_to_exitcode(status))
"""


@pytest.mark.slow
def test_a_folder_goes_on(tmp_path):
    """The command restores the good ones and names the others, in less than a GiB."""
    folder, output, errors = tmp_path / "photos", tmp_path / "out", tmp_path / "errors"
    folder.mkdir()
    write_damaged(folder, 500)
    for number, (suffix, (kind, options)) in enumerate(KINDS.items()):
        (folder / f"good{number}.{suffix}").write_bytes(encoded(kind, picture(), **options))
    line = [sys.executable, "-m", "jaxsr.restore", str(folder), f"--output={output}", "--model=bicubic"]
    with errors.open("wb") as file:
        done = subprocess.run([sys.executable, "-c", MEASURE, *line], stdout=subprocess.PIPE, stderr=file, check=False)
    named = {line.split(": ")[0] for line in errors.read_text().splitlines() if line.startswith(str(folder))}
    written = [path.name for path in output.iterdir() if path.name[0] != "."]
    assert done.returncode == 1 and "Traceback" not in errors.read_text()
    assert len(named) + len(written) == 500 + len(KINDS)
    assert sum(name.startswith("good") for name in written) == len(KINDS)
    assert int(done.stdout) < 2**20  # KiB
