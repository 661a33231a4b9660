"""Restoring with references: the parts put together by hand, tiles, the fallback, pictures, what is refused."""

import dataclasses

import jax
import numpy as np
import pytest
from PIL import Image

import jaxsr
from jaxsr.evaluation.folder_scores import ScoreOptions, score_files
from jaxsr.evaluation.pair_options import PairOptions
from jaxsr.evaluation.sources import Source, reference_sources, with_references
from jaxsr.imaging.resize import resize
from jaxsr.models.srntt import Maps
from jaxsr.models.vgg import VGG19
from jaxsr.restoration.options import RestoreOptions
from jaxsr.restoration.photo import restore_pixels
from jaxsr.restoration.reference.features import match_shared
from jaxsr.restoration.reference.match_pictures import matches_picture
from jaxsr.restoration.reference.preparation import LAYERS, load_for_matching, prepare, reduced_and_enlarged
from jaxsr.restoration.reference.transfer import transfer
from jaxsr.restoration.tiles.tiled_photos import restore_tiled
from jaxsr.support.errors import UserError
from tests.helpers.networks import network
from tests.helpers.photos import photo
from tests.helpers.tiles import SRNTT_MODEL, SRNTT_NETWORK
from tests.reference import matching


@pytest.fixture(scope="module")
def vgg():
    return load_for_matching("random")


def layers(vgg, pixels):
    """Return the features of a photo in [0, 1] at each of LAYERS, of the whole at once."""
    features = jax.jit(VGG19(LAYERS, convention=vgg.convention).apply)({"params": vgg.params}, np.float32(pixels)[None])
    return {name: np.asarray(x[0]) for name, x in features.items()}


def by_hand(vgg, pixels, others):
    """Return the result and the places of uint8 RGB `pixels` by whole features, loops over patches, one call."""
    enlarged = layers(vgg, np.clip(resize(pixels / 255, 4), 0, 1))
    conditions = [layers(vgg, reduced_and_enlarged(np.float32(x / 255)))["relu3_1"] for x in others]
    places, _ = matching.match(enlarged["relu3_1"], conditions)
    textures = [layers(vgg, x / 255) for x in others]
    maps = [
        matching.swap(places, [x[name] for x in textures], factor)
        for name, factor in (("relu3_1", 1), ("relu2_1", 2), ("relu1_1", 4))
    ]
    maps = Maps(*(np.float32(x)[None] for x in maps))
    result = jax.jit(SRNTT_NETWORK.apply)(SRNTT_MODEL.variables, np.float32(pixels / 127.5 - 1)[None], maps)
    return (np.asarray(result[0]) + 1) / 2, places


@pytest.mark.slow
def test_the_parts_together(vgg):
    """Two references of other sizes; the network is folded, so the maps reach the right scales."""
    pixels, others = photo(8, 9), [photo(28, 24), photo(20, 36)]
    expected, places = by_hand(vgg, pixels, others)
    result, extras = transfer(
        SRNTT_MODEL, pixels, RestoreOptions(quantize=False, reference=others, vgg=vgg, save_matches=True)
    )
    np.testing.assert_array_equal(extras["places"], places)
    np.testing.assert_allclose(result, expected, atol=1e-4)
    np.testing.assert_array_equal(extras["sizes"], [(7, 6), (5, 9)])
    changed, _ = transfer(SRNTT_MODEL, pixels, RestoreOptions(quantize=False, reference=others[:1], vgg=vgg))
    assert expected.std() > 0.02 and np.abs(changed - expected).max() > 1e-3


@pytest.mark.slow
@pytest.mark.parametrize("reference", [[photo(40, 44)], []])
def test_tiled_equals_untiled(reference, vgg):
    """Also where the photo is its own reference."""
    pixels = photo(57, 62)
    options = RestoreOptions(quantize=False, reference=prepare(reference, vgg))
    whole, tiled = (transfer(SRNTT_MODEL, pixels, dataclasses.replace(options, tile=tile))[0] for tile in (None, 54))
    assert whole.shape == (228, 248, 3)
    np.testing.assert_allclose(tiled, whole, atol=1e-4)


@pytest.mark.slow
def test_without_a_reference_the_photo_is_its_own(vgg):
    """Each layer of the network's own enlargement is matched with that layer of the LR photo, mirrored to 12x16."""
    pixels = photo(12, 13)
    x = np.float32(pixels / 127.5 - 1)[None]
    alone = np.clip((jax.jit(SRNTT_NETWORK.clone(alone=True).apply)(SRNTT_MODEL.variables, x) + 1) / 2, 0, 1)
    small = np.pad(pixels / 255, ((0, 0), (0, 3), (0, 0)), mode="reflect")
    content, own = layers(vgg, alone[0]), layers(vgg, small)
    maps = [matching.swap(match_shared(content[name], [own[name]]).places, [own[name]], 1)[None] for name in LAYERS]
    expected = jax.jit(SRNTT_NETWORK.apply)(SRNTT_MODEL.variables, x, Maps(*map(np.float32, maps)))
    result, extras = transfer(SRNTT_MODEL, pixels, RestoreOptions(quantize=False, vgg=vgg, save_matches=True))
    np.testing.assert_allclose(result, (expected[0] + 1) / 2, atol=1e-4)
    np.testing.assert_array_equal(extras["sizes"], [(3, 4)])


@pytest.mark.slow
def test_the_engine_also_enlarges_a_photo_that_is_its_own_reference(vgg, monkeypatch):
    engines = []

    def noted(model, pixels, options, **keywords):
        engines.append(options.engine)
        return restore_tiled(model, pixels, options, **keywords)

    monkeypatch.setattr("jaxsr.restoration.reference.transfer.restore_tiled", noted)
    restore_pixels(SRNTT_MODEL, photo(12, 13), RestoreOptions(vgg=vgg, engine="xla"))
    assert engines == ["xla", "xla"]


def test_a_network_alone_takes_no_references():
    pixels = photo(12, 13)
    x = np.float32(pixels / 127.5 - 1)[None]
    expected = (jax.jit(SRNTT_NETWORK.clone(alone=True).apply)(SRNTT_MODEL.variables, x)[0] + 1) / 2
    result, extras = restore_pixels(SRNTT_MODEL.with_options(alone=True), pixels, RestoreOptions(quantize=False))
    np.testing.assert_allclose(result, expected, atol=1e-5)
    assert extras == {}
    with pytest.raises(UserError, match="takes no reference; leave it out"):
        restore_pixels(SRNTT_MODEL.with_options(alone=True), pixels, RestoreOptions(reference=[pixels]))


@pytest.mark.slow
def test_kinds_of_photos_and_references(vgg, tmp_path):
    """Arrays, PIL images and paths give the same; grey photos stay grey; alpha is enlarged by bicubic."""
    pixels, other = photo(8, 9, 4), photo(16, 20)
    Image.fromarray(other).save(tmp_path / "other.png")
    expected = jaxsr.restore(pixels, SRNTT_MODEL, reference=other, vgg=vgg)
    assert expected.shape == (32, 36, 4) and expected.dtype == np.uint8
    for given in (tmp_path / "other.png", [Image.fromarray(other)], [other]):
        np.testing.assert_array_equal(jaxsr.restore(pixels, SRNTT_MODEL, reference=given, vgg=vgg), expected)
    assert jaxsr.restore(pixels[..., 0], SRNTT_MODEL, reference=other[..., :1], vgg=vgg).shape == (32, 36)


def test_the_picture_of_matches():
    """Red is the column, green the row, blue the reference; the references stand beside, as they would look."""
    places = np.array([[[0, 0, 0], [0, 4, 3]], [[1, 0, 1], [1, 2, 0]]], np.int32)
    picture = matches_picture(places, [(7, 6), (5, 4)])
    assert picture.shape == (5, 2 + 4 + 4 + 4 + 2, 3)
    expected = [[[0, 0, 0], [255, 255, 0]], [[255, 0, 255], [0, 255, 255]]]
    np.testing.assert_array_equal(picture[:2, :2], expected)
    np.testing.assert_array_equal(picture[4, 6 + 3], expected[0][1])
    np.testing.assert_array_equal(picture[2, 14], expected[1][1])


@pytest.fixture
def cufed(tmp_path):
    """Return a folder of an HR photo with two references, the second of which is the photo."""
    for number, pixels in enumerate((photo(48, 52), photo(40, 44), photo(48, 52))):
        Image.fromarray(pixels).save(tmp_path / f"000_{number}.png")
    return tmp_path


@pytest.mark.slow
def test_scores_on_a_folder_with_references(cufed, vgg):
    """LR photos are Pillow's, in 8 bits; the score is that of restoring with the reference of the level."""
    sources = reference_sources(cufed, "1")
    assert sources == [Source(cufed / "000_0.png", references=(cufed / "000_1.png",), name="000")]
    options = ScoreOptions(["y", "rgb"], PairOptions("pillow"), vgg=vgg)
    scores, failures = score_files(SRNTT_MODEL, sources, options)
    assert (
        failures == []
        and [row.name for row in scores["y"].rows] == ["000"]
        and "Pillow's bicubic, 8 bits" in scores["y"].protocol.resizer
    )
    with Image.open(cufed / "000_0.png") as sharp, Image.open(cufed / "000_1.png") as other:
        small = np.asarray(sharp.resize((13, 12), Image.Resampling.BICUBIC))
        result = jaxsr.restore(small, SRNTT_MODEL, reference=other, vgg=vgg) / 255
        expected = scores["rgb"].protocol.score(result, np.asarray(sharp) / 255, scale=4, luma_only=False)
    assert scores["rgb"].mean["psnr"] == pytest.approx(expected["psnr"], abs=1e-3)


@pytest.mark.slow
def test_a_broken_reference_fails_its_photo_alone(cufed, vgg):
    (cufed / "named").mkdir()
    (cufed / "named" / "000_0.png").write_bytes(b"no photo")
    Image.fromarray(photo(30, 36)).save(cufed / "named" / "000_1.png")
    photos = [Source(cufed / "000_0.png"), Source(cufed / "000_1.png")]
    sources = with_references(photos, [cufed / "named"])
    scores, (failure,) = score_files(SRNTT_MODEL, sources, ScoreOptions(["y"], PairOptions("pillow"), vgg=vgg))
    assert [row.name for row in scores["y"].rows] == ["000_1"]
    assert "000_0.png" in failure and "named" in failure
    with pytest.raises(UserError, match="named/000_0.png"):
        with_references(photos[:1], [cufed / "named" / "000_0.png"])


def test_the_ground_truth_is_no_reference(cufed):
    with pytest.raises(UserError, match="000_2.png is the sharp photo itself; give another photo"):
        reference_sources(cufed, "all")
    with pytest.raises(UserError, match="000_2.png is the sharp photo itself"):
        with_references([Source(cufed / "000_1.png"), Source(cufed / "000_0.png")], [cufed / "000_2.png"])


@pytest.mark.parametrize(
    ("pixels", "options", "message"),
    [
        (photo(11, 20), {}, "a photo of 20x11 pixels is too small for srntt-x4; use 12x12 or more"),
        (photo(2, 20), {"reference": [photo(20, 20)]}, "20x2 pixels is too small for srntt-x4; use 3x3"),
        (photo(20, 20), {"reference": [photo(20, 8)]}, "reference 1: a reference of 8x20 pixels is tiny"),
        (photo(20, 20), {"ensemble": True}, "matches an upright photo with references; leave the ensemble out"),
    ],
)
def test_mistakes_are_named(pixels, options, message, vgg):
    with pytest.raises(UserError, match=message):
        restore_pixels(SRNTT_MODEL, pixels, RestoreOptions(vgg=vgg, **options))


def test_other_models_take_no_reference():
    with pytest.raises(UserError, match="espcn-x2 takes no reference; leave it out, or use srntt"):
        restore_pixels(network("espcn", 2), photo(20, 20), RestoreOptions(reference=[photo(20, 20)]))
    with pytest.raises(UserError, match="cannot take a int as reference; give an array, a PIL image or a path"):
        jaxsr.restore(photo(20, 20), SRNTT_MODEL, reference=[3])
