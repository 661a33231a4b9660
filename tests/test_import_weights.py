"""The command as a user runs it."""

import functools
import hashlib

import numpy as np
import pytest
from safetensors.numpy import save_file

from jaxsr.data.listing import list_photos
from jaxsr.evaluation.folder_scores import ScoreOptions, score_files
from jaxsr.evaluation.sources import Source
from jaxsr.import_weights import check_sources, split_scale
from jaxsr.support.errors import UserError
from jaxsr.support.model_options import parse_model
from jaxsr.weights import load
from tests.helpers import commands
from tests.helpers.networks import network
from tests.helpers.published import espcn_tensors

run = functools.partial(commands.run, "import_weights")


@pytest.mark.slow
def test_a_file_is_imported(tmp_path):
    tensors = espcn_tensors(3)
    np.savez(tmp_path / "espcn.npz", **tensors)
    output = tmp_path / "espcn.safetensors"
    done = run(tmp_path / "espcn.npz", "--model=espcn", f"--output={output}", "--licence=MIT")
    assert done.returncode == 0, done.stderr
    assert "espcn-x3: 22,729 parameters" in done.stdout
    model = load(output)
    np.testing.assert_array_equal(model.params["conv1"]["bias"], tensors["first_part.0.bias"].astype(np.float32))
    assert model.card["licence"] == "MIT"
    digest = hashlib.sha256((tmp_path / "espcn.npz").read_bytes()).hexdigest()
    assert model.card["training"] == {"imported_from": "espcn.npz", "sha256": digest}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("model", "output", "message"),
    [
        ("srcnn", "w.safetensors", "no tensor 'conv1.weight' for srcnn"),
        ("espcnn", "w.safetensors", "unknown model 'espcnn'; did you mean 'espcn'?"),
        ("espcn", "w.npz", "must end in .safetensors"),
    ],
)
def test_mistakes_take_one_line_and_leave_nothing(model, output, message, tmp_path):
    np.savez(tmp_path / "espcn.npz", **espcn_tensors())
    done = run(tmp_path / "espcn.npz", f"--model={model}", f"--output={tmp_path / output}")
    assert done.returncode == 2
    assert message in done.stderr and len(done.stderr.splitlines()) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["espcn.npz"]


def test_options_after_the_name():
    assert parse_model("fsrcnn,scale=3") == ("fsrcnn", {"scale": 3})
    parsed = parse_model("srcnn,kernel_sizes=(9,1,5),padding=zero")
    assert parsed == ("srcnn", {"kernel_sizes": (9, 1, 5), "padding": "zero"})
    with pytest.raises(UserError, match="'x3' is not option=value"):
        parse_model("fsrcnn,x3")
    options: dict = {"scale": 3, "depth": 5}
    assert split_scale("vdsr", options) == 3 and options == {"depth": 5}
    with pytest.raises(UserError, match="scale='three' is not a whole number"):
        split_scale("fsrcnn", {"scale": "three"})


@pytest.mark.shared
@pytest.mark.slow
def test_the_authors_srcnn_scores_what_it_should(shared, tmp_path):
    output = tmp_path / "srcnn.safetensors"
    done = run(shared / "weights" / "srcnn_915_x3.mat", "--model=srcnn,scale=3", f"--output={output}")
    assert done.returncode == 0, done.stderr
    files = [Source(path) for path in list_photos([shared / "data" / "test" / "Set5" / "hr"])]
    scores, failures = score_files(load(output), files, ScoreOptions(["y8"]))
    assert not failures and scores["y8"].mean["psnr"] == pytest.approx(32.41, abs=0.02)


def test_a_file_of_ours_needs_no_import(tmp_path):
    network("espcn", 2).save(tmp_path / "own.safetensors")
    with pytest.raises(UserError, match="own.safetensors is a weight file of jaxsr already; use it as it is"):
        check_sources([tmp_path / "own.safetensors"], tmp_path / "new.safetensors")
    save_file({"w": np.zeros(3, np.float32)}, tmp_path / "published.safetensors")
    check_sources([tmp_path / "published.safetensors", tmp_path / "weights.pth"], tmp_path / "new.safetensors")


def test_a_published_file_is_not_replaced_by_its_import(tmp_path):
    save_file({"w": np.zeros(3, np.float32)}, tmp_path / "published.safetensors")
    (tmp_path / "link.safetensors").symlink_to("published.safetensors")
    for name in ("published", "link"):
        with pytest.raises(UserError, match=f"{name}.safetensors would overwrite the input .*published.safetensors"):
            check_sources([tmp_path / "published.safetensors"], tmp_path / f"{name}.safetensors")
