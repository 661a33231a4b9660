"""Matching and swap against the reference implementation and loops over patches; permutations, ties, black."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxsr.models.ops.feature_matching import LARGEST_BLOCK, Matches, best_of, block_rows, match
from jaxsr.models.ops.feature_swap import NOWHERE, surrounded, swap, textures
from jaxsr.support.errors import UserError
from tests.reference import matching as reference

RNG = np.random.default_rng(11)


def features(*shape):
    """Return random features as a ReLU leaves them."""
    return np.maximum(RNG.normal(size=shape), 0).astype(np.float32)


def found(photo, references, **options) -> Matches:
    """Return the matches of a photo in several references."""
    program = jax.jit(functools.partial(match, **options))
    return best_of([program(photo, x) for x in references])


def swapped(places, references, factor=1):
    program = jax.jit(lambda places, given: swap(surrounded(places), given, factor=factor))
    return program(places, textures([jnp.asarray(x) for x in references], factor=factor))


@pytest.mark.shared
def test_golden_file(shared):
    """Where the closest two candidates differ by 6e-5."""
    data = np.load(shared / "golden" / "srntt_swap.npz")
    maps = {name: data[name].transpose(0, 2, 3, 1)[0] for name in data if name.startswith("in/")}
    matches = found(maps["in/in_relu3_1"], [maps["in/refblur_relu3_1"]])
    columns = maps["in/refblur_relu3_1"].shape[1] - 2
    np.testing.assert_array_equal(matches.places[..., 1] * columns + matches.places[..., 2], data["out/index"])
    np.testing.assert_allclose(matches.similarity, data["out/weight"], rtol=1e-5)
    for layer, factor in {"relu3_1": 1, "relu2_1": 2, "relu1_1": 4}.items():
        result = swapped(matches.places, [maps[f"in/ref_{layer}"]], factor)
        np.testing.assert_allclose(result, data[f"out/map_{layer}"].transpose(1, 2, 0), atol=1e-5)


@pytest.mark.parametrize("rows", [2, 50])
def test_matches_are_those_of_loops(rows):
    """For references of other sizes than the photo's, and blocks of rows that do not divide them."""
    photo, references = features(7, 6, 5), [features(5, 8, 5), features(3, 3, 5), features(9, 4, 5)]
    places, similarity = reference.match(photo, references)
    matches = found(photo, references, rows=rows)
    np.testing.assert_array_equal(matches.places, places)
    np.testing.assert_allclose(matches.similarity, similarity, rtol=1e-5)
    assert {0, 2} <= set(places[..., 0].ravel())


def test_features_may_be_negative():
    photo, other = -features(4, 5, 3) - 1, features(5, 4, 3) + 1
    places, similarity = reference.match(photo, [other])
    matches = found(photo, [other])
    np.testing.assert_array_equal(matches.places, places)
    np.testing.assert_allclose(matches.similarity, similarity, rtol=1e-4)
    assert matches.similarity.max() < 0


@pytest.mark.parametrize("factor", [1, 2, 4])
def test_swaps_are_those_of_loops(factor):
    sizes = [(5, 7), (4, 3)]
    references = [features(factor * h, factor * w, 3) for h, w in sizes]
    number = RNG.integers(0, 2, (4, 6))
    limits = np.array(sizes)[number] - 2
    places = np.stack([number, *(RNG.integers(0, limits[..., i]) for i in (0, 1))], axis=-1).astype(np.int32)
    result = swapped(places, references, factor)
    np.testing.assert_allclose(result, reference.swap(places, references, factor), rtol=1e-5, atol=1e-6)


def test_a_window_of_the_photo_swaps_as_the_whole_does():
    references = [features(12, 10, 4)]
    given = textures([jnp.asarray(x) for x in references], factor=2)
    places = found(features(8, 9, 6), [features(6, 5, 6)]).places
    around = surrounded(places)
    program = jax.jit(functools.partial(swap, factor=2))
    window, whole = program(around[3 : 3 + 4 + 2, 2 : 2 + 5 + 2], given), program(around, given)
    np.testing.assert_array_equal(window, whole[6:14, 4:14])
    assert (around[:2] == NOWHERE).all() and (around[:, -2:] == NOWHERE).all()


def test_a_permuted_image_is_put_back_exactly():
    """Its pixels in another order, as its own reference: each patch is found where it went."""
    tiles = RNG.permutation(24)
    pixels = features(24, 3, 3, 7)
    image = pixels.reshape(4, 6, 3, 3, 7).transpose(0, 2, 1, 3, 4).reshape(12, 18, 7)
    permuted = pixels[tiles].reshape(4, 6, 3, 3, 7).transpose(0, 2, 1, 3, 4).reshape(12, 18, 7)
    matches = found(image, [permuted])
    went = np.argsort(tiles).reshape(4, 6)
    expected = np.stack([np.zeros_like(went), 3 * (went // 6), 3 * (went % 6)], axis=-1)
    np.testing.assert_array_equal(matches.places[::3, ::3], expected)
    np.testing.assert_allclose(matches.similarity[::3, ::3], 1, atol=1e-5)
    own = found(image, [image])
    rows, columns = np.indices((10, 16))
    np.testing.assert_array_equal(own.places, np.stack([np.zeros_like(rows), rows, columns], axis=-1))
    np.testing.assert_allclose(swapped(own.places, [image]), image, rtol=1e-5, atol=1e-6)


def test_of_equal_patches_the_first_counts():
    """In a reference that repeats itself, and in two that are equal."""
    tile = features(4, 5, 3)
    matches = found(tile, [np.tile(tile, (2, 3, 1))] * 2)
    rows, columns = np.indices((2, 3))
    np.testing.assert_array_equal(matches.places, np.stack([np.zeros_like(rows), rows, columns], axis=-1))


def test_black_patches_are_like_nothing():
    """Neither the photo's nor the reference's give NaN, and a patch that shows something is preferred."""
    black, other = np.zeros((6, 6, 3), np.float32), features(6, 6, 3)
    other[:, :3] = 0
    matches = found(black, [other])
    assert (np.asarray(matches.similarity) == 0).all() and (np.asarray(matches.places) == 0).all()
    lively = found(features(6, 6, 3) + 0.1, [other])
    assert np.isfinite(lively.similarity).all() and (np.asarray(lively.places)[..., 2] > 0).all()


def test_batches_by_vmap():
    photos, references = features(3, 6, 5, 4), features(3, 5, 6, 4)
    batch = jax.jit(jax.vmap(match))(photos, references)
    maps = jax.jit(jax.vmap(lambda places, x: swap(surrounded(places), textures([x]))))(batch.places, references)
    for i in range(3):
        places, similarity = reference.match(photos[i], [references[i]])
        np.testing.assert_array_equal(batch.places[i], places)
        np.testing.assert_allclose(batch.similarity[i], similarity, rtol=1e-5)
        np.testing.assert_allclose(maps[i], reference.swap(places, [references[i]], 1), rtol=1e-5, atol=1e-6)


def test_rows_at_once_follow_the_memory():
    assert block_rows(128, 128, memory=8e9) == LARGEST_BLOCK
    assert 1 <= block_rows(1000, 1000, memory=2e9) < LARGEST_BLOCK
    assert block_rows(4000, 4000, memory=1e6) == 1


@pytest.mark.parametrize(
    ("photo", "other", "message"),
    [
        ((2, 5, 3), (5, 5, 3), r"3x3 pixels or more; the photo has \(2, 5, 3\)"),
        ((5, 5, 3), (5, 2, 3), r"3x3 pixels or more; the reference has \(5, 2, 3\)"),
        ((5, 5, 3), (5, 5, 4), r"features of one depth; got photo \(5, 5, 3\), reference \(5, 5, 4\)"),
    ],
)
def test_mistakes_are_named(photo, other, message):
    with pytest.raises(UserError, match=message):
        match(jnp.zeros(photo), jnp.zeros(other))
