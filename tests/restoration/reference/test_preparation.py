"""References as they are prepared: features by tiles, reduced and enlarged, copies, and what is refused."""

import jax
import numpy as np
import pytest
from PIL import Image

from jaxsr.imaging.resize import resize
from jaxsr.models.vgg import VGG19
from jaxsr.restoration.reference import features
from jaxsr.restoration.reference import preparation as references
from jaxsr.restoration.reference.features import match_shared, photo_features
from jaxsr.restoration.reference.preparation import (
    LAYERS,
    load_for_matching,
    prepare,
    read_references,
    turned_and_scaled,
)
from jaxsr.support.errors import UserError
from jaxsr.weights.vgg_files import load_vgg
from tests.helpers.photos import photo
from tests.reference import matching

RNG = np.random.default_rng(21)


@pytest.fixture(scope="module")
def vgg():
    """Random weights: for matching, any features are as good."""
    return load_for_matching("random")


def whole(vgg, pixels):
    return jax.jit(VGG19(LAYERS, convention=vgg.convention).apply)({"params": vgg.params}, pixels[None])


def test_tiles_have_the_features_of_the_whole_photo(vgg, monkeypatch):
    """And the weights of features after relu3_1 are not asked for."""
    monkeypatch.setattr(features, "MAX_TILE", 48)
    pixels = RNG.random((92, 60, 3)).astype(np.float32)
    found, expected = photo_features(vgg, pixels, LAYERS), whole(vgg, pixels)
    for layer in LAYERS:
        np.testing.assert_allclose(found[layer], expected[layer][0], atol=1e-5 * np.abs(expected[layer]).max())
    assert max(vgg.params) == "conv3_1"


@pytest.mark.parametrize("height", [3, 4, 5, 13])
def test_devices_share_the_rows(height):
    """Also where there are fewer rows of patches than devices."""
    content = RNG.random((height, 5, 4)).astype(np.float32)
    others = [RNG.random(size).astype(np.float32) for size in ((4, 6, 4), (7, 3, 4))]
    places, similarity = matching.match(content, others)
    found = match_shared(content, others)
    np.testing.assert_array_equal(found.places, places)
    np.testing.assert_allclose(found.similarity, similarity, rtol=1e-5)


def test_conditions_lack_what_small_photos_lack(vgg):
    """References are cut to multiples of 4, grey ones are RGB, 16 bits are as good as 8."""
    grey = photo(30, 29, 1, np.uint16)
    prepared = prepare([grey, photo(16, 20)], vgg)
    rgb = np.repeat(grey[:28, :28] / 65535, 3, axis=-1)
    blurred = np.float32(np.clip(resize(np.clip(resize(rgb, 0.25), 0, 1), 4), 0, 1))
    assert prepared.sizes == [(7, 7), (4, 5)]
    expected = whole(vgg, blurred)["relu3_1"][0]
    np.testing.assert_allclose(prepared.conditions[0], expected, atol=1e-4 * np.abs(expected).max())
    for given, depth in zip(prepared.textures, (256, 4 * 128, 16 * 64), strict=True):
        assert np.asarray(given.blocks).shape == (7 * 7 + 4 * 5, depth)
        assert list(given.starts) == [0, 49] and list(given.widths) == [7, 5]
    sharp = whole(vgg, np.float32(rgb))["relu1_1"][0]
    block = sharp[4:8, 8:12].reshape(-1)
    np.testing.assert_allclose(prepared.textures[2].blocks[7 + 2], block, atol=1e-4 * np.abs(sharp).max())


def test_copies():
    pixels = RNG.random((20, 16, 3)).astype(np.float32)
    copies = turned_and_scaled(pixels)
    sizes = [copy.shape[:2] for copy in copies]
    assert sizes == [(20, 16), (16, 20)] * 2 + [(15, 12), (12, 15)] * 2 + [(25, 20), (20, 25)] * 2
    np.testing.assert_array_equal(copies[0], pixels)
    np.testing.assert_array_equal(copies[2], pixels[::-1, ::-1])
    assert len(turned_and_scaled(pixels[:12, :12])) == 8  # three quarters of it would be tiny


@pytest.mark.slow
def test_a_turned_patch_is_found_in_a_turned_copy(vgg, monkeypatch):
    """The photo is the reference, turned: with copies everything is found, at full similarity."""
    monkeypatch.setattr(references, "COPY_SCALES", (1.0,))
    pixels = RNG.random((24, 32, 3)).astype(np.float32)
    content = photo_features(vgg, references.reduced_and_enlarged(np.rot90(pixels)), LAYERS[:1])[LAYERS[0]]
    alone, among = (match_shared(content, prepare([pixels], vgg, copies=c).conditions) for c in (False, True))
    assert np.asarray(among.similarity).min() > 1 - 1e-4 > np.asarray(alone.similarity).min()
    assert (np.asarray(among.places)[..., 0] == 1).all()


def test_mistakes_are_named(vgg, tmp_path, monkeypatch):
    Image.fromarray(photo(11, 40)).save(tmp_path / "tiny.png")
    (tmp_path / "broken.png").write_bytes(b"no image")
    for name, message in {
        "tiny": "tiny.png: a reference of 40x11 pixels is tiny; use 12x12 or more",
        "broken": "broken.png: not an image of a known kind",
        "gone": "gone.png: no such file; check the path",
    }.items():
        with pytest.raises(UserError, match=message):
            read_references([tmp_path / f"{name}.png"])
    with pytest.raises(UserError, match="reference 2: a reference of 40x11 pixels is tiny"):
        prepare([photo(40, 40), photo(11, 40)], vgg)
    with pytest.raises(UserError, match="gone.pth: no such file; get .* or name a file by vgg or JAXSR_VGG19"):
        load_for_matching(tmp_path / "gone.pth")
    short = load_vgg(["relu2_1"], "random")
    arrays = {name: (layer["kernel"], layer["bias"]) for name, layer in short.params.items()}
    np.savez(tmp_path / "short.npz", **{f"{name}_{'Wb'[i]}": x[i] for name, x in arrays.items() for i in (0, 1)})
    with pytest.raises(UserError, match="short.npz ends with conv2_1, but conv3_1 was asked for"):
        load_for_matching(tmp_path / "short.npz")
    monkeypatch.setattr(references, "free_memory", lambda _: 1e6)
    with pytest.raises(UserError, match="references of 0.0 megapixels take 0.0 GiB, 0.0 GiB are free; give fewer"):
        prepare([photo(40, 40)], vgg)


def test_weights_that_are_loaded_pass_through(vgg):
    assert load_for_matching(vgg) is vgg and prepare([], vgg).vgg is vgg
