import dataclasses
import itertools
import json

import numpy as np
import pytest

from jaxsr.data.builder import open_source, write_data_set
from jaxsr.data.streaming import StreamOptions, random_crop, resumed_state, stream
from jaxsr.support.errors import UserError

COUNT, SIDE, PATCH = 12, 24, 8


def record(number, height=SIDE, width=SIDE):
    """Return a sub-image whose every pixel tells its sub-image, row and column."""
    rows, columns = np.indices((height, width), np.uint8)
    return {"hr": np.stack([np.full_like(rows, number), rows, columns], axis=-1)}


SOURCE = [record(number) for number in range(COUNT)]
OPTIONS = StreamOptions(patch_size=PATCH, batch_size=4, seed=7)


def options_with(**fields):
    return dataclasses.replace(OPTIONS, **fields)


def batches(iterator, count):
    return np.stack(list(itertools.islice(iterator, count)))


def places(iterator, count):
    """Return sub-image, row and column of `count` batches of crops, each (count * batch,)."""
    return batches(iterator, count)[:, :, 0, 0].reshape(-1, 3).T


def test_every_crop_occurs_in_its_source():
    crops = batches(stream(SOURCE, OPTIONS), 9)
    assert crops.shape == (9, 4, PATCH, PATCH, 3) and crops.dtype == np.uint8
    for crop in crops.reshape(-1, PATCH, PATCH, 3):
        number, top, left = (int(value) for value in crop[0, 0])
        np.testing.assert_array_equal(crop, SOURCE[number]["hr"][top : top + PATCH, left : left + PATCH])


def test_each_pass_visits_every_sub_image_once_in_a_new_order():
    numbers, tops, lefts = places(stream(SOURCE, OPTIONS), 9).reshape(3, 3, COUNT)
    for visited in numbers:
        assert sorted(visited) == list(range(COUNT))
    assert not np.array_equal(numbers[0], numbers[1])
    same = [np.stack([tops[i], lefts[i]])[:, np.argsort(numbers[i])] for i in range(2)]
    assert not np.array_equal(*same)  # nor does a sub-image give the same crop again


def test_seed_decides_and_threads_do_not():
    first = batches(stream(SOURCE, options_with(num_threads=0)), 5)
    np.testing.assert_array_equal(batches(stream(SOURCE, options_with(num_threads=3)), 5), first)
    assert not np.array_equal(batches(stream(SOURCE, options_with(seed=8)), 5), first)


@pytest.mark.parametrize("taken", [0, 1, 5])
def test_resumes_bit_for_bit_through_json(taken):
    whole = batches(stream(SOURCE, OPTIONS), 8)
    interrupted = stream(SOURCE, OPTIONS)
    for _ in range(taken):
        next(interrupted)
    state = json.loads(json.dumps(interrupted.get_state()))
    resumed = stream(SOURCE, OPTIONS)
    next(resumed)
    resumed.set_state(state)
    np.testing.assert_array_equal(batches(resumed, 8 - taken), whole[taken:])


@pytest.mark.parametrize("count", [2, 4])
def test_shards_are_the_parts_of_each_batch(count):
    """Also over several passes, and the parts of a pass share no sub-image."""
    shards = [batches(stream(SOURCE, OPTIONS, shard=(i, count)), 8) for i in range(count)]
    np.testing.assert_array_equal(np.concatenate(shards, axis=1), batches(stream(SOURCE, OPTIONS), 8))
    numbers = [set(shard[:3, :, 0, 0, 0].flat) for shard in shards]
    assert sum(map(len, numbers)) == len(set.union(*numbers)) == COUNT


@pytest.mark.parametrize(("before", "after"), [(1, 2), (2, 4), (4, 1)])
def test_another_number_of_shards_goes_on(before, after):
    states = []
    for i in range(before):
        iterator = stream(SOURCE, OPTIONS, shard=(i, before))
        batches(iterator, 3)
        states.append(iterator.get_state())
    shards = [stream(SOURCE, OPTIONS, shard=(i, after)) for i in range(after)]
    for shard in shards:
        shard.set_state(resumed_state(states, count=after))
    following = np.concatenate([batches(shard, 2) for shard in shards], axis=1)
    np.testing.assert_array_equal(following, batches(stream(SOURCE, OPTIONS), 5)[3:])


def test_shards_that_skip_share_nothing_either():
    source = [record(number, height=PATCH - 1 if number % 5 == 0 else SIDE) for number in range(COUNT)]
    numbers = [places(stream(source, OPTIONS, shard=(i, 2)), 2)[0] for i in range(2)]
    assert not set(numbers[0]) & set(numbers[1])


@pytest.mark.parametrize(("small", "told"), [(2, "of 5 sub-images that were looked at, 2 have "), (0, "")])
def test_how_many_are_skipped_is_said_once(small, told, caplog):
    source = [record(number, height=PATCH - 1 if number < small else SIDE) for number in range(5)]
    for index in (0, 1):  # of two processes
        stream(source, OPTIONS, shard=(index, 2))
    assert caplog.text.count("are skipped") == bool(small) and told in caplog.text


def test_small_sub_images_are_skipped_also_after_resuming():
    source = [record(0, height=PATCH - 1), record(1), record(2, width=PATCH - 1), record(3, PATCH, PATCH)]
    iterator = stream(source, OPTIONS)
    assert set(places(iterator, 3)[0]) == {1, 3}
    state, following = iterator.get_state(), batches(iterator, 2)
    iterator.set_state(state)
    np.testing.assert_array_equal(batches(iterator, 2), following)


def test_several_crops_of_a_sub_image():
    """Each is read once in a pass, and its crops lie at places of their own; parts are parts here, too."""
    options = options_with(batch_size=8, crops=2)
    whole = batches(stream(SOURCE, options), 3)
    numbers, tops, lefts = whole[:, :, 0, 0].reshape(12, 2, 3).transpose(2, 0, 1)
    assert (numbers[:, 0] == numbers[:, 1]).all() and sorted(numbers[:, 0]) == list(range(COUNT))
    assert (np.diff(tops) != 0).sum() > 6 < (np.diff(lefts) != 0).sum()
    halves = [batches(stream(SOURCE, options, shard=(i, 2)), 3) for i in range(2)]
    np.testing.assert_array_equal(np.concatenate(halves, axis=1), whole)
    with pytest.raises(UserError, match="crops=3 do not divide the 4 patches"):
        stream(SOURCE, options_with(crops=3))


def test_nothing_large_enough_is_told():
    with pytest.raises(UserError, match=r"none of the 12 sub-images has 25x25 pixels"):
        stream(SOURCE, options_with(patch_size=25))


def test_crop_places_cover_the_image_evenly():
    rng = np.random.default_rng(0)
    tops = [random_crop([record(0, 5, 4)["hr"]], 4, rng)[0, 0, 1] for _ in range(1000)]
    counts = np.bincount(tops)
    assert len(counts) == 2 and abs(counts[0] - 500) < 80  # 5 standard deviations


def test_several_fields_are_cropped_alike():
    pairs = [{**each, "blur": 255 - each["hr"]} for each in SOURCE]
    crops = batches(stream(pairs, options_with(fields=("hr", "blur"))), 3)
    assert crops.shape == (3, 4, PATCH, PATCH, 6)
    np.testing.assert_array_equal(crops[..., 3:], 255 - crops[..., :3])


def test_streams_from_disk(tmp_path):
    write_data_set(tmp_path / "set", {"train": ((str(i), SOURCE[i]["hr"]) for i in range(COUNT))})
    from_disk = batches(stream(open_source(tmp_path / "set"), OPTIONS), 4)
    np.testing.assert_array_equal(from_disk, batches(stream(SOURCE, OPTIONS), 4))
