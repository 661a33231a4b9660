"""The commands with references as a user runs them: restore, evaluate, the picture of matches, the mistakes."""

import json

import numpy as np
import pytest
from PIL import Image

import jaxsr
from jaxsr.restoration.reference.preparation import load_for_matching
from jaxsr.weights import save
from tests.helpers.commands import run
from tests.helpers.networks import network
from tests.helpers.photos import photo
from tests.helpers.tiles import SRNTT_MODEL

pytestmark = pytest.mark.slow


@pytest.fixture
def folder(tmp_path):
    """Return weights, a small photo, a folder of a sharp photo with references as CUFED5 has them, two bad ones."""
    save(tmp_path / "srntt.safetensors", SRNTT_MODEL)
    save(tmp_path / "espcn.safetensors", network("espcn", 2))
    Image.fromarray(photo(14, 16)).save(tmp_path / "small.png")
    (tmp_path / "cufed").mkdir()
    for number, pixels in enumerate((photo(56, 60), photo(40, 44), photo(36, 36))):
        Image.fromarray(pixels).save(tmp_path / "cufed" / f"000_{number}.png")
    Image.fromarray(photo(9, 40)).save(tmp_path / "tiny.png")
    (tmp_path / "broken.png").write_bytes(b"no image")
    return tmp_path


def test_restoring(folder):
    references = [folder / "cufed" / f"000_{number}.png" for number in (1, 2)]
    flags = [f"--model={folder / 'srntt.safetensors'},vgg=random,save_matches=True", f"--output={folder / 'out'}"]
    done = run("restore", folder / "small.png", f"--reference={','.join(map(str, references))}", *flags)
    assert done.returncode == 0, done.stderr
    assert "1 of 1 photos restored by srntt-x4" in done.stdout and "RANDOM WEIGHTS" in done.stderr
    with Image.open(folder / "out" / "small.png") as result, Image.open(folder / "out/matches/small.png") as matches:
        expected = jaxsr.restore(
            folder / "small.png", SRNTT_MODEL, reference=references, vgg=load_for_matching("random")
        )
        assert np.abs(np.asarray(result).astype(int) - expected).max() <= 1
        assert matches.size == (14 + 4 + 9 + 4 + 7, 12)


def test_scoring(folder):
    flags = [f"--model={folder / 'srntt.safetensors'},vgg=random", f"--data={folder / 'cufed'}"]
    done = run("evaluate", *flags, "--reference_level=all", "--protocol=y,rgb", f"--json={folder / 's.json'}")
    assert done.returncode == 0, done.stderr
    assert "Pillow's bicubic, 8 bits" in done.stdout and "references: level all" in done.stdout
    records = json.loads((folder / "s.json").read_text())
    assert [record["protocol"]["name"] for record in records] == ["y", "rgb"]
    assert records[0]["references"] == "level all" and [x["name"] for x in records[0]["images"]] == ["000"]


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--reference=gone.png"], "gone.png: no such file"),
        (["--reference=broken.png"], "broken.png: not an image of a known kind"),
        (["--reference=tiny.png"], "tiny.png: a reference of 40x9 pixels is tiny; use 12x12 or more"),
        (["--reference=small.png", "--model=srntt.safetensors,vgg=gone.pth"], "vgg=gone.pth: no such file; get vgg19"),
        (["--reference=small.png", "--ensemble"], "leave the ensemble out"),
        (
            ["--model=espcn.safetensors", "--reference=small.png"],
            "espcn-x2 takes no reference; leave it out, or use srntt",
        ),
        (["--model=espcn.safetensors,copies=True"], "unknown option of espcn-x2 'copies'"),
        (["--model=srntt.safetensors,copies=1"], "copies=1 is not of type bool; write for example copies=True"),
        (["--model=zssr,save_matches=True"], "unknown option of zssr 'save_matches'"),
        (["--model=zssr", "--reference=small.png"], "zssr takes no reference"),
    ],
)
def test_mistakes_take_one_line_and_write_nothing(flags, message, folder):
    flags = [flag.replace("=", f"={folder}/", 1) if ".png" in flag or "tensors" in flag else flag for flag in flags]
    model = f"--model={folder / 'srntt.safetensors'},vgg=random"
    done = run("restore", folder / "small.png", model, *flags, f"--output={folder}/o")
    lines = [line for line in done.stderr.splitlines() if "RANDOM WEIGHTS" not in line]
    assert done.returncode == 2 and len(lines) == 1 and message in lines[0]
    assert not (folder / "o").exists()


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--reference=cufed/000_0.png"], "000_0.png is the sharp photo itself; give another photo"),
        (["--reference_level=4"], "has no reference of level '4'; choose one of: 1, 2, all"),
        (["--reference_level=1", "--reference=cufed/000_1.png"], "leave out --reference and --lr"),
        (["--reference_level=1", "--model=espcn.safetensors"], "--reference_level is for a model of srntt"),
    ],
)
def test_mistakes_in_scoring(flags, message, folder):
    flags = [flag.replace("=", f"={folder}/") if flag.endswith((".png", "tensors")) else flag for flag in flags]
    model = [f"--model={folder / 'srntt.safetensors'},vgg=random", f"--data={folder / 'cufed'}"]
    done = run("evaluate", *model, *flags, f"--json={folder / 's.json'}")
    assert done.returncode == 2 and message in done.stderr.splitlines()[-1] and not (folder / "s.json").exists()
