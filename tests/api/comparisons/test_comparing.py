"""What a comparison page holds: results as `restore` gives them, scores as `evaluate` does, parts of large photos."""

import io

import numpy as np
import pytest
from jax.errors import JaxRuntimeError
from PIL import Image

import jaxsr
from jaxsr.api.comparisons import compared_photos
from jaxsr.api.comparisons.compare_options import CompareOptions
from jaxsr.api.comparisons.comparing import compare
from jaxsr.api.comparisons.comparison_layers import kernels_of
from jaxsr.imaging import color
from jaxsr.models import MODELS, Model
from jaxsr.support.errors import UserError
from jaxsr.weights import save
from tests.helpers.networks import REDUCED, network, quiet_variables
from tests.helpers.photos import photo, smooth


@pytest.fixture
def drawn(monkeypatch):
    """Return the list that gets the comparisons of each page instead of HTML."""
    pages = []

    def render(comparisons, **keywords):
        pages.append((comparisons, keywords))
        return "page"

    monkeypatch.setattr(compared_photos, "render", render)
    return pages


def pixels(picture):
    with Image.open(io.BytesIO(picture.png)) as image:
        return np.asarray(image)


def run(photos, models, folder, **options):
    """Return the number of photos shown, and the lines of failures."""
    failures = []
    shown = compare(photos, models, folder / "c.html", options=CompareOptions(**options), on_failure=failures.append)
    return len(shown), failures


def test_layers_are_results_with_the_scores_of_evaluate(drawn, tmp_path):
    hr, lr = tmp_path / "hr" / "a.png", tmp_path / "a.png"
    hr.parent.mkdir()
    sharp = smooth(66, 78)
    Image.fromarray(sharp).save(hr)
    Image.fromarray(sharp[::2, ::2]).save(lr)
    assert run([lr], ["bicubic", "espcn-x2", "espcn-x3"], tmp_path, sharp=str(hr.parent)) == (1, [])
    (((comparison,), keywords),) = drawn
    first, bicubic, espcn, other, last = comparison.layers
    assert [layer.kind for layer in comparison.layers] == ["photo", "model", "model", "model", "sharp"]
    np.testing.assert_array_equal(pixels(first.rounds[0]), sharp[::2, ::2])
    np.testing.assert_array_equal(pixels(last.rounds[0]), sharp)
    for layer in (bicubic, espcn):
        result = jaxsr.restore(str(lr), layer.name, scale=2)
        np.testing.assert_array_equal(pixels(layer.rounds[0]), result)
        psnr = float(jaxsr.metrics.psnr(*(luma(x)[2:-2, 2:-2] for x in (result, sharp))))
        assert layer.rounds[0].score.startswith(f"{psnr:.2f} dB")
    assert other.rounds[0].score == "not scored: x3, but the sharp photo is x2"
    assert "Y of BT.601" in keywords["facts"][0] and comparison.facts == ("39x33 pixels",)


def luma(levels):
    return color.luma(levels / 255.0)


def test_of_a_large_photo_a_part_is_shown(drawn, tmp_path):
    sharp = smooth(240, 360)
    Image.fromarray(sharp).save(tmp_path / "hr.png")
    Image.fromarray(sharp[::2, ::2]).save(tmp_path / "a.png")
    options = {"side": 64, "at": (1.0, 0.25), "sharp": str(tmp_path / "hr.png")}
    assert run([tmp_path / "a.png"], ["bicubic"], tmp_path, **options) == (1, [])
    (((comparison,), _),) = drawn
    np.testing.assert_array_equal(pixels(comparison.layers[0].rounds[0]), sharp[::2, ::2][14:46, 148:180])
    np.testing.assert_array_equal(pixels(comparison.layers[-1].rounds[0]), sharp[28:92, 296:360])
    assert comparison.facts[0].endswith("the part of 32x32 at column 148, row 14")


def test_one_failure_leaves_the_others(drawn, tmp_path):
    """A photo that is none, a model that does not exist, a sharp photo of another size."""
    Image.fromarray(photo(30, 20)).save(tmp_path / "a.png")
    Image.fromarray(photo(31, 45)).save(tmp_path / "hr.png")
    (tmp_path / "b.png").write_bytes(b"no photo")
    shown, failures = run([tmp_path / "a.png", tmp_path / "b.png"], ["nope-x2", "bicubic"], tmp_path)
    assert shown == 1 and len(failures) == 2
    assert failures[0].startswith("nope-x2: unknown") and failures[1].startswith(str(tmp_path / "b.png"))
    shown, failures = run([tmp_path / "a.png"], ["bicubic"], tmp_path, sharp=str(tmp_path / "hr.png"))
    assert shown == 1 and len(failures) == 1 and "hr.png" in failures[0] and "a.png" in failures[0]
    (_, keywords), ((comparison,), _) = drawn
    assert keywords["failures"][1].startswith("b.png: ") and str(tmp_path) not in keywords["failures"][1]
    assert len(comparison.failures) == 1 and comparison.layers[-1].kind == "model"


def test_what_does_not_fit_into_memory_leaves_the_others(drawn, tmp_path, monkeypatch):
    def layer_of(model, *arguments):
        raise MemoryError if model == "bicubic-x2" else JaxRuntimeError("RESOURCE_EXHAUSTED: Out of memory")

    monkeypatch.setattr(compared_photos, "layer_of", layer_of)
    Image.fromarray(photo(24, 20)).save(tmp_path / "a.png")
    shown, (failure,) = run([tmp_path / "a.png"], ["bicubic-x2", "espcn-x2"], tmp_path)
    assert shown == 0 and failure.count("does not fit into memory") == 2 and "espcn-x2: does not" in failure


def test_photos_of_one_name_are_told_apart(drawn, tmp_path):
    files = [tmp_path / folder / "1.png" for folder in ("x", "y", "z")]
    for file in files:
        file.parent.mkdir()
        Image.fromarray(photo(24, 20)).save(file)
    files[1].write_bytes(b"no photo")
    assert run(files, ["bicubic"], tmp_path)[0] == 2
    ((comparisons, keywords),) = drawn
    assert [comparison.name for comparison in comparisons] == ["x/1.png", "z/1.png"]
    assert len(keywords["failures"]) == 1 and keywords["failures"][0].startswith("y/1.png")


def test_nothing_to_show_writes_nothing(tmp_path):
    (tmp_path / "b.png").write_bytes(b"no photo")
    assert run([tmp_path / "b.png"], ["bicubic"], tmp_path)[0] == 0
    with pytest.raises(UserError, match="unknown model 'nope'"):
        run([tmp_path / "b.png"], ["nope"], tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"b.png"}


def test_a_page_has_a_bound(drawn, tmp_path, monkeypatch):
    for name in "ab":
        Image.fromarray(photo(30, 20)).save(tmp_path / f"{name}.png")
    assert run([tmp_path / "a.png"], ["bicubic"], tmp_path) == (1, [])
    monkeypatch.setattr(compared_photos, "MAX_PAGE", drawn[0][0][0].size * 3 // 2)
    shown, failures = run([tmp_path / "a.png", tmp_path / "b.png"], ["bicubic"], tmp_path)
    assert shown == 1 and failures[0].startswith(f"{tmp_path / 'b.png'}: the page would hold more than")


@pytest.mark.slow
def test_a_blurred_photo_is_scored_as_it_is(drawn, tmp_path):
    """Beside a model that deblurs; bicubic has no scale 1, and enlarges."""
    blurred, sharp = photo(40, 48), smooth(40, 48)
    Image.fromarray(sharp).save(tmp_path / "hr.png")
    Image.fromarray(blurred).save(tmp_path / "a.png")
    module = MODELS["deblurgan"].module(1, **REDUCED["deblurgan"])
    save(tmp_path / "own.safetensors", Model(MODELS["deblurgan"], module, 1, quiet_variables(module)))
    models = ["bicubic", str(tmp_path / "own.safetensors")]
    assert run([tmp_path / "a.png"], models, tmp_path, sharp=str(tmp_path / "hr.png"), protocol="rgb") == (1, [])
    original, bicubic, deblurred, _ = drawn[0][0][0].layers
    assert original.rounds[0].score.startswith(f"{jaxsr.metrics.psnr(blurred / 255.0, sharp / 255.0):.2f} dB")
    assert bicubic.rounds[0].score.startswith("not scored: x2") and "dB" in deblurred.rounds[0].score
    assert (deblurred.rounds[0].width, deblurred.name) == (48, "own (deblurgan)")


def test_a_grey_photo_is_scored_against_a_coloured_one(drawn, tmp_path):
    Image.fromarray(smooth(48, 60)).save(tmp_path / "hr.png")
    Image.fromarray(smooth(48, 60)[::2, ::2, 0]).save(tmp_path / "a.png")
    assert run([tmp_path / "a.png"], ["bicubic"], tmp_path, sharp=str(tmp_path / "hr.png")) == (1, [])
    assert "dB" in drawn[0][0][0].layers[1].rounds[0].score
    assert drawn[0][1]["facts"][0].endswith("; computed in float32.")


def test_a_sharp_photo_of_another_size_is_named(drawn, tmp_path):
    Image.fromarray(smooth(47, 60)).save(tmp_path / "hr.png")
    Image.fromarray(smooth(48, 60)[::2, ::2]).save(tmp_path / "a.png")
    shown, (failure,) = run([tmp_path / "a.png"], ["bicubic"], tmp_path, sharp=str(tmp_path / "hr.png"))
    assert shown == 1 and "hr.png of 60x47 pixels is not a whole number of times as large as" in failure


@pytest.mark.parametrize(
    ("output", "options", "message"),
    [
        ("c.png", {}, "must end in .html"),
        ("c.html", {"side": 10}, "side=10"),
        ("c.html", {"at": (0.5, 2.0)}, "two parts from 0 to 1"),
        ("c.html", {"protocol": "yy"}, "unknown protocol 'yy'"),
        ("c.html", {"sharp": "hr"}, "2 sharp and 1 other photos do not pair"),
    ],
)
def test_mistakes_come_before_work(output, options, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "hr").mkdir()
    for name in ("a.png", "hr/b.png", "hr/c.png"):
        Image.fromarray(photo(30, 20)).save(tmp_path / name)
    with pytest.raises(UserError, match=message):
        compare([tmp_path / "a.png"], ["bicubic"], tmp_path / output, options=CompareOptions(**options))
    assert not (tmp_path / output).exists()


@pytest.mark.slow
def test_dan_shows_every_round_with_its_kernel(drawn, tmp_path):
    save(tmp_path / "dan.safetensors", network("danv2", 2, **REDUCED["danv2"], kernel_size=5, code_length=3))
    Image.fromarray(smooth(24, 24)).save(tmp_path / "a.png")
    Image.fromarray(smooth(48, 48)).save(tmp_path / "hr.png")
    model = f"{tmp_path / 'dan.safetensors'},rounds=3"
    assert run([tmp_path / "a.png"], [model], tmp_path, sharp=str(tmp_path / "hr.png")) == (1, [])
    layer = drawn[0][0][0].layers[1]
    assert len(layer.rounds) == len(layer.kernels) == 3 and all("dB" in each.score for each in layer.rounds)
    np.testing.assert_array_equal(pixels(layer.rounds[-1]), jaxsr.restore(str(tmp_path / "a.png"), model))


def test_kernels_of_codes():
    """DANv1's codes say which mixture of its principal components the kernel is."""
    basis = np.linalg.qr(np.random.default_rng(0).random((25, 3)))[0]
    model = network("bicubic", 2)
    model = Model(model.spec, model.module, 2, {"constants": {"basis": basis}})
    picture = kernels_of(model, {"codes": np.array([[0.0, 0.0, 1.0], [0.0, 1.0, 0.0]])})[0]
    shown = pixels(picture)[16::33, 16::33, 0]
    expected = np.clip(basis[:, 2].reshape(5, 5) / basis[:, 2].max(), 0, 1) * 255
    np.testing.assert_allclose(shown, expected, atol=1)
    assert picture.caption == "kernel of the code estimated, 5 × 5"
    assert kernels_of(network("bicubic", 2), {}) == ()


@pytest.mark.slow
def test_srntt_shows_its_matches(drawn, tmp_path, shared):
    module = MODELS["srntt"].module(4, **REDUCED["srntt"])
    save(tmp_path / "srntt.safetensors", Model(MODELS["srntt"], module, 4, quiet_variables(module)))
    for name in "ab":
        Image.fromarray(smooth(48, 48)).save(tmp_path / f"{name}.png")
    (tmp_path / "album").mkdir()
    (tmp_path / "b.png").rename(tmp_path / "album" / "b.png")
    (vgg,) = (shared / "weights").glob("vgg19_torchvision*")
    model = f"{tmp_path / 'srntt.safetensors'},vgg={vgg}"
    assert run([tmp_path / "a.png"], [model], tmp_path, reference=(str(tmp_path / "album"),)) == (1, [])
    matches = drawn[0][0][0].layers[1].matches
    assert matches is not None and matches.width > 48 and "reference" in matches.caption


def test_references_that_no_model_takes_are_refused(tmp_path):
    Image.fromarray(smooth(12, 12)).save(tmp_path / "a.png")
    with pytest.raises(UserError, match="none of the models takes a reference; leave it out, or add srntt"):
        run([tmp_path / "a.png"], ["bicubic"], tmp_path, reference=(str(tmp_path / "a.png"),))
    assert not (tmp_path / "c.html").exists()


@pytest.mark.slow
def test_zssr_shows_the_kernel_that_it_inverts(drawn, tmp_path):
    kernel = np.zeros((5, 5), np.float32)
    kernel[2, 1:4] = 1 / 3
    np.savez(tmp_path / "k.npz", Kernel=kernel)
    Image.fromarray(smooth(48, 48)).save(tmp_path / "a.png")
    models = [f"zssr,steps=2,kernel={tmp_path / 'k.npz'}", "zssr,steps=2"]
    assert run([tmp_path / "a.png"], models, tmp_path) == (1, [])
    with_kernel, without = drawn[0][0][0].layers[1:]
    assert with_kernel.name == "zssr-x2, steps=2, kernel=k.npz" and without.kernels == ()
    assert [each.caption for each in with_kernel.kernels] == ["kernel inverted, 5 × 5"]


def test_links_in_a_circle_are_named_and_the_others_are_shown(drawn, tmp_path):
    (tmp_path / "circle.png").symlink_to("circle.png")
    Image.fromarray(photo(24, 32)).save(tmp_path / "a.png")
    shown, (failure,) = run([tmp_path / "circle.png", tmp_path / "a.png"], ["bicubic"], tmp_path)
    assert shown == 1 and failure.endswith("circle.png: unreadable (Too many levels of symbolic links); check the file")
