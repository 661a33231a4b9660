"""The script that trains the weights that ship: what it installs, and how it starts `train`."""

import shutil
import subprocess
from pathlib import Path

import pytest

LAUNCH = Path(__file__).parents[1] / "launch"


@pytest.fixture
def started(tmp_path):
    """Return a function that gives the flags of the runs `names`, in a checkout that installs and trains nothing."""

    def start(*names):
        (tmp_path / "launch").mkdir()
        shutil.copy(LAUNCH / "weights.sh", tmp_path / "launch")
        (tmp_path / "launch" / "install.sh").write_text('install() { echo "install $1" >>asked; }\n')
        python = tmp_path / ".venv" / "bin" / "python"
        python.parent.mkdir(parents=True)
        python.write_text('#!/bin/sh\necho "$@" PREALLOCATE="$XLA_PYTHON_CLIENT_PREALLOCATE" >>asked\n')
        python.chmod(0o755)
        subprocess.run(["bash", tmp_path / "launch" / "weights.sh", *names], check=True, timeout=60)
        return [line.split() for line in (tmp_path / "asked").read_text().splitlines()]

    return start


def test_it_installs_what_a_gpu_needs_and_scores_srntt_on_photos_with_references(started):
    installed, srntt = started("srntt")
    assert installed == ["install", "cuda"]
    assert "--config=srntt:l2" in srntt and "--config.data.references=data/views" in srntt
    assert "--config.data.validation=data/views-test" in srntt
    assert "PREALLOCATE=false" in srntt  # runs share the GPU


def test_deblurgan_is_scored_on_pairs_of_its_own_where_there_are_any(started, monkeypatch):
    monkeypatch.setenv("PAIRS_TEST", "data/gopro-test")
    _, deblurgan = started("deblurgan")
    assert {"--config.data.pairs=data/gopro", "--config.data.validation=data/gopro-test"} < set(deblurgan)
