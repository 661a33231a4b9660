"""Both kinds of feed: what they draw is in the photos, and streamed training resumes like resident training."""

import weakref

import jax
import numpy as np
import pytest

from jaxsr.support.errors import UserError
from jaxsr.training.feeds import open_photos as opening
from jaxsr.training.feeds.open_photos import open_photos
from jaxsr.training.loop import train
from tests.helpers.training import stop_after, weights

DEVICES = jax.local_devices()
THREE_STEPS = {"steps_per_dispatch": 3, "log_every": 3, "checkpoint_every": 3, "validate_every": 3}


def test_streamed_batches_are_laid_out_for_the_devices(data_set, tiny):
    feed = open_photos(tiny(batch_size=8, **THREE_STEPS, **{"data.train": str(data_set)}), 20, DEVICES)
    batches = feed.data(2)
    assert feed.sharded and batches.shape == (4, 3, 2, 20, 20, 3) and batches.dtype == np.uint8
    np.testing.assert_array_equal(batches[:, 1], batches[:, 2])  # only the padding repeats
    assert not (batches[:, 0] == batches[:, 1]).all()


def test_a_dispatch_is_padded_to_no_more_steps_than_it_can_have(data_set, tiny):
    """A billion batches that no step reads would not fit into any memory."""
    config = tiny(steps_per_dispatch=10**9, batch_size=8, log_every=2, **{"data.train": str(data_set)})
    assert open_photos(config, 20, DEVICES).data(1).shape == (4, 2, 2, 20, 20, 3)


def test_what_is_read_ahead_is_not_yet_passed(data_set, tiny):
    """The place is that of the batches taken; going back to it, or to an earlier one, gives the same again."""
    config = tiny(batch_size=8, **THREE_STEPS, **{"data.train": str(data_set)})
    feed = open_photos(config, 20, DEVICES)
    places, taken = [], []
    for count in (1, 3, 2, 3):
        places.append(feed.position())
        taken.append(np.asarray(feed.data(count))[:, :count])
    for start in (2, 0, 3):
        for other in (feed, open_photos(config, 20, DEVICES)):
            other.seek(places[start])
            assert other.position() == places[start]
            for batches in taken[start:]:
                np.testing.assert_array_equal(np.asarray(other.data(batches.shape[1]))[:, : batches.shape[1]], batches)


def test_batches_that_are_done_with_are_freed(data_set, tiny):
    """By the reader: where the loop does it, it waits for data."""
    feed = open_photos(tiny(batch_size=8, **{"data.train": str(data_set)}), 20, DEVICES)
    given = [weakref.ref(feed.data(1)) for _ in range(12)]
    feed.seek(feed.position())  # which lets the reader end what it has to do
    assert sum(batch() is not None for batch in given) <= 2


@pytest.mark.slow
@pytest.mark.parametrize("per_dispatch", [1, 3])
def test_streamed_training_resumes_bit_for_bit(per_dispatch, data_set, tiny, tmp_path):
    fields = {"steps": 20, "steps_per_dispatch": per_dispatch, "checkpoint_every": 10, "validate_every": 20}
    config = tiny(**fields, **{"data.train": str(data_set)})
    train(config, tmp_path / "whole")
    stop_after(10, config, tmp_path / "halves")
    train(config, tmp_path / "halves")
    whole, halves = weights(tmp_path / "whole"), weights(tmp_path / "halves")
    assert len(whole) == 6
    for name in whole:
        np.testing.assert_array_equal(whole[name], halves[name])


@pytest.mark.parametrize(("rescale", "warned"), [((0.5,), True), ((1.0,), False)])
def test_factors_that_a_prepared_set_does_not_heed_are_named(rescale, warned, data_set, tiny, caplog):
    open_photos(tiny(**{"data.train": str(data_set), "data.rescale": rescale}), 20, DEVICES)
    lines = [record.getMessage() for record in caplog.records if "data.rescale" in record.getMessage()]
    assert len(lines) == warned
    if warned:
        assert str(data_set) in lines[0] and "prepare_data --rescale=0.5" in lines[0]


def test_several_folders_and_samples_together(photos, tiny):
    alone = open_photos(tiny(), 20, DEVICES).data(1)
    both = open_photos(tiny(**{"data.train": f"{photos}, samples"}), 20, DEVICES).data(1)
    assert len(alone.width) == 3 and len(both.width) == 8


def test_too_many_photos_for_the_device(tiny, monkeypatch):
    monkeypatch.setattr(opening, "RESIDENT_LIMIT", 1000)
    with pytest.raises(UserError, match="python -m jaxsr.prepare_data"):
        open_photos(tiny(), 20, DEVICES)


def test_a_moved_data_set_is_missed_at_once(tiny, tmp_path):
    with pytest.raises(UserError, match="gone"):
        train(tiny(**{"data.train": str(tmp_path / "gone")}), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_set_in_the_home_folder_is_found(data_set, tiny, monkeypatch):
    """Shells leave the ~ of --config.data.train=~/set as it is."""
    monkeypatch.setenv("HOME", str(data_set.parent))
    assert open_photos(tiny(**{"data.train": f"~/{data_set.name}"}), 20, DEVICES).sharded


def test_a_set_beside_other_photos_is_refused(data_set, photos, tiny):
    with pytest.raises(UserError, match="data.train names the prepared data set .*set beside others; name it alone"):
        open_photos(tiny(**{"data.train": f"{photos},{data_set}"}), 20, DEVICES)
