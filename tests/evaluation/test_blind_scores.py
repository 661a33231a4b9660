"""What DAN estimates beside the image, through tiles, files and scores."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxsr.data.images import Photo, read_pixels, write_photo
from jaxsr.data.kernel_files import read_kernel
from jaxsr.evaluation.pair_options import PairOptions
from jaxsr.evaluation.pairs import make_pair, make_pairs
from jaxsr.evaluation.score_tables import table
from jaxsr.evaluation.scores import score
from jaxsr.metrics.kernel_errors import kernel_error
from jaxsr.models import MODELS, Model
from jaxsr.restoration.options import RestoreOptions
from jaxsr.restoration.photo_files import restore_files
from jaxsr.restoration.tiles.tiled_photos import restore_tiled
from jaxsr.support.errors import UserError
from tests.helpers.dan_cases import compiled, random_variables
from tests.helpers.networks import network
from tests.helpers.photos import photo
from tests.helpers.training import REDUCED


@pytest.fixture(scope="module", params=[pytest.param("danv1", marks=pytest.mark.slow), "danv2"])
def model(request):
    """Return a small DAN with random weights."""
    name = request.param
    module = MODELS[name].module(2, **REDUCED[name], kernel_size=5, code_length=3)
    return Model(MODELS[name], module, 2, random_variables(module))


def run_directly(model, pixels):
    """Return the network's own results on a photo, without the batch."""
    apply = compiled(lambda variables, x: model.module.apply(variables, x, all_rounds=True))
    output = apply(model.variables, jnp.asarray(pixels[None] / 255, jnp.float32))
    return output.sr[0], jax.tree.map(lambda x: x[:, 0], (output.images, output.codes, output.kernels))


def test_all_rounds_of_an_odd_sized_photo(model):
    pixels = photo(13, 11)
    restored, extras = restore_tiled(model, pixels, RestoreOptions(quantize=False, all_rounds=True))
    sr, (images, codes, kernels) = run_directly(model, pixels)
    assert restored.shape == (26, 22, 3) and extras["images"].shape == (4, 26, 22, 3)
    np.testing.assert_allclose(restored, sr, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(extras["images"], images, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(extras["images"][-1], restored, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(extras["codes"], codes, rtol=1e-4, atol=1e-4)
    assert ("kernels" in extras) == (model.spec.name == "danv2")
    if kernels is not None:
        np.testing.assert_allclose(extras["kernels"], kernels, rtol=1e-4, atol=1e-4)


@pytest.mark.slow
def test_the_ensembles_kernel_is_that_of_the_upright_photo(model):
    pixels = photo(12, 10)
    _, plain = restore_tiled(model, pixels)
    _, ensemble = restore_tiled(model, pixels, RestoreOptions(ensemble=True))
    assert plain.keys() == ensemble.keys() and "images" not in plain
    for name, value in plain.items():
        np.testing.assert_allclose(ensemble[name], value, rtol=1e-4, atol=1e-4)


def test_files_of_extras(model, tmp_path):
    write_photo(tmp_path / "a.png", Photo(photo(12, 10, 1)))
    three = model.with_options(rounds=3)
    outputs = {tmp_path / "a.png": tmp_path / "out" / "a.png"}
    assert not restore_files(three, outputs, RestoreOptions(all_rounds=True))
    _, extras = restore_tiled(three, photo(12, 10, 1))
    written = {path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*.*")}
    rounds = {f"rounds/a-{i}.png" for i in (1, 2, 3)}
    estimated = {"kernels/a.png"} if model.spec.name == "danv2" else set()
    assert written == {"a.png", "kernels/a.npz", *rounds, *estimated}
    with np.load(tmp_path / "out" / "kernels" / "a.npz") as file:
        np.testing.assert_allclose(file["codes"], extras["codes"], rtol=1e-4, atol=1e-5)
    if model.spec.name == "danv2":
        np.testing.assert_allclose(read_kernel(tmp_path / "out/kernels/a.npz"), extras["kernels"][-1], atol=1e-5)
    last = read_pixels(tmp_path / "out" / "rounds" / "a-3.png")
    assert last.shape == (24, 20, 1) and last.std() > 0
    np.testing.assert_array_equal(last, read_pixels(tmp_path / "out" / "a.png"))


def test_scores_tell_the_error_of_the_kernel(model):
    pixels = np.tile(np.arange(64, dtype=np.uint8)[:, None, None], (1, 48, 3))
    pairs = make_pairs("p", pixels, 2, PairOptions("gaussian8", 5))
    scores = score(model, pairs[:2])["y8"]
    _, extras = restore_tiled(model, pairs[0].lr)
    if model.spec.name == "danv2":
        expected = kernel_error(extras["kernels"][-1], pairs[0].kernel)
    else:
        code = pairs[0].kernel.reshape(-1) @ np.asarray(model.variables["constants"]["basis"])
        expected = np.linalg.norm(extras["codes"][-1] - code) / np.linalg.norm(code)
    assert scores.rows[0].scores["kernel_error"] == pytest.approx(expected, rel=1e-3)
    assert "kernel_error" in scores.record()["images"][0] and "kernel_error" not in scores.baseline
    lines = table(scores, asked=2).splitlines()
    assert lines[0].endswith("kernel") and lines[-1].startswith("kernel: ")
    assert f"{scores.mean['kernel_error']:7.3f}" in lines[3]


def test_no_kernel_no_error(model):
    pixels = np.tile(np.arange(64, dtype=np.uint8)[:, None, None], (1, 48, 3))
    assert "kernel_error" not in score(model, [make_pair("p", pixels, 2)])["y8"].mean
    pairs = make_pairs("p", pixels, 2, PairOptions("gaussian8", 5))[:1]
    scores = score(network("espcn", 2), pairs)["y8"]
    assert "kernel_error" not in scores.mean and "kernel" not in table(scores, asked=1).split()


def test_rounds_are_of_dan_alone():
    with pytest.raises(UserError, match="espcn has no option 'rounds'"):
        network("espcn", 2).with_options(rounds=2)
    assert restore_tiled(network("espcn", 2), photo(9, 8))[0].shape == (18, 16, 3)


def test_weights_serve_their_scale_alone(model):
    with pytest.raises(UserError, match="was made for scale 2, not 3; use a model of scale 3"):
        model.at_scale(3)
