import json

import numpy as np
import pytest
import tensorflow_datasets as tfds

from jaxsr.data.builder import _lock_tried, check_output, is_data_set, open_source, write_data_set
from jaxsr.data.streaming import StreamOptions, stream
from jaxsr.support.errors import UserError
from tests.helpers.disks import full_disk

RNG = np.random.default_rng(0)
PHOTOS = [(f"p{i}", RNG.integers(0, 256, (40 + i, 50 - i, 3), np.uint8)) for i in range(5)]


def test_written_sub_images_of_any_size_read_back(tmp_path, capfd):
    write_data_set(tmp_path / "sets" / "a", {"train": iter(PHOTOS), "validation": iter(PHOTOS[3:])})
    assert [p.name for p in (tmp_path / "sets").iterdir()] == ["a"]
    source, validation = (open_source(tmp_path / "sets" / "a", split) for split in ("train", "validation"))
    assert (len(source), len(validation)) == (5, 2)
    for record, (name, pixels) in zip([source[i] for i in range(5)], PHOTOS, strict=True):
        assert record["name"].decode() == name
        np.testing.assert_array_equal(record["hr"], pixels)
    np.testing.assert_array_equal(validation[0]["hr"], PHOTOS[3][1])
    assert capfd.readouterr() == ("", "")  # TFDS keeps silent


def test_a_damaged_record_is_told_in_one_line_when_it_is_read(tmp_path):
    images = [(str(i), RNG.integers(0, 256, (64, 64, 3), np.uint8)) for i in range(9)]
    write_data_set(tmp_path / "a", {"train": iter(images)})
    (file,) = tmp_path.glob("a/*array_record*")
    content = file.read_bytes()
    file.write_bytes(content[: len(content) // 2] + bytes(99) + content[len(content) // 2 + 99 :])
    options = StreamOptions(patch_size=32, batch_size=8, seed=0)
    batches = stream(open_source(tmp_path / "a"), options, shard=(1, 2))  # the second process looks at no sizes before
    with pytest.raises(UserError, match=r"cannot read the data set .*a \(Corrupted.*; make it again: python") as error:
        for _ in range(9):
            next(batches)
    assert "\n" not in str(error.value)


def test_a_full_disk_leaves_nothing_and_is_named(tmp_path):
    with full_disk(4096), pytest.raises(OSError, match="no space left for the data set") as error:
        write_data_set(tmp_path / "a", {"train": iter(PHOTOS)})
    assert error.value.filename == str(tmp_path / "a") and not list(tmp_path.iterdir())


def test_older_data_set_is_replaced_only_when_told(tmp_path):
    write_data_set(tmp_path / "a", {"train": PHOTOS})
    with pytest.raises(UserError, match=r"already holds a data set; .* --overwrite"):
        write_data_set(tmp_path / "a", {"train": PHOTOS[:2]})
    assert len(open_source(tmp_path / "a")) == 5
    write_data_set(tmp_path / "a", {"train": PHOTOS[:2]}, overwrite=True)
    assert len(open_source(tmp_path / "a")) == 2
    assert [p.name for p in tmp_path.iterdir()] == ["a"]


def test_failure_leaves_nothing_behind(tmp_path):
    def failing():
        yield PHOTOS[0]
        raise UserError("the photo vanished")

    write_data_set(tmp_path / "old", {"train": PHOTOS})
    for name in ("old", "new"):
        with pytest.raises(UserError, match="the photo vanished"):
            write_data_set(tmp_path / name, {"train": failing()}, overwrite=True)
    assert [p.name for p in tmp_path.iterdir()] == ["old"]
    assert len(open_source(tmp_path / "old")) == 5


def test_what_a_killed_writer_left_is_removed(tmp_path):
    """But no hidden folder of the user's, and none of a writer that is alive."""
    left, own, alive = (tmp_path / name for name in (".a-k1ll3d_x", ".a-original", ".a-2nd_proc"))
    for folder in (left, alive):
        (folder / "hr_photos" / "incomplete.S7BNXO_1.0.0").mkdir(parents=True)
    own.mkdir()
    (own / "photo.png").touch()
    with _lock_tried(alive) as locked:
        assert locked
        write_data_set(tmp_path / "a", {"train": PHOTOS})
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([own.name, alive.name, "a"])


def test_output_among_other_files_is_refused(tmp_path):
    (tmp_path / "holiday.png").touch()
    with pytest.raises(UserError, match="holds other files"):
        check_output(tmp_path, overwrite=True)
    with pytest.raises(UserError, match=r"cannot write to .*holiday\.png"):
        check_output(tmp_path / "holiday.png" / "a")
    (tmp_path / "empty").mkdir()
    check_output(tmp_path / "empty")
    check_output(tmp_path / "new" / "deep")
    assert not (tmp_path / "new").exists()


def test_folder_without_a_fitting_data_set(tmp_path):
    with pytest.raises(UserError, match=r"holds no data set; .* jaxsr\.prepare_data"):
        open_source(tmp_path)
    write_data_set(tmp_path / "a", {"train": PHOTOS})
    assert is_data_set(tmp_path / "a") and not is_data_set(tmp_path)
    with pytest.raises(UserError, match="data set .*a holds no photos for validation, only for train; name photos, or"):
        open_source(tmp_path / "a", "validation")
    features = json.loads((tmp_path / "a" / "features.json").read_text())
    features["featuresDict"]["features"]["photo"] = features["featuresDict"]["features"].pop("hr")
    (tmp_path / "a" / "features.json").write_text(json.dumps(features))
    with pytest.raises(UserError, match="'hr_photos' without uint8 RGB images named 'hr'"):
        open_source(tmp_path / "a")


def changed_format(text):
    return text.replace('"fileFormat": "array_record"', '"fileFormat": "tfrecord"')


@pytest.mark.parametrize(
    ("pattern", "change"),
    [
        ("dataset_info.json", lambda text: ""),
        ("dataset_info.json", lambda text: "{}"),
        ("dataset_info.json", changed_format),
        ("features.json", None),
        ("*array_record*", None),
        ("*array_record*", lambda text: text[:1000]),
    ],
)
def test_a_damaged_data_set_is_reported_in_one_line(pattern, change, tmp_path):
    write_data_set(tmp_path / "a", {"train": PHOTOS})
    (path,) = (tmp_path / "a").glob(pattern)
    if change is None:
        path.unlink()
    else:
        before = path.read_text("latin-1")
        path.write_text(change(before), "latin-1")
        assert path.read_text("latin-1") != before
    with pytest.raises(UserError, match=r"cannot read the data set .*make it again: .*--overwrite$") as caught:
        open_source(tmp_path / "a")
    assert len(str(caught.value).splitlines()) == 1


def test_blurred_photos_beside_sharp_ones(tmp_path):
    pairs = [(name, np.concatenate([pixels, 255 - pixels], axis=-1)) for name, pixels in PHOTOS]
    write_data_set(tmp_path / "a", {"train": pairs}, blurred=True)
    for record, (name, pixels) in zip(open_source(tmp_path / "a", blurred=True), PHOTOS, strict=True):
        assert record["name"].decode() == name
        np.testing.assert_array_equal(record["hr"], pixels)
        np.testing.assert_array_equal(record["blur"], 255 - pixels)
    assert len(open_source(tmp_path / "a")) == 5  # its sharp ones serve alone too
    write_data_set(tmp_path / "b", {"train": PHOTOS})
    with pytest.raises(UserError, match="'hr_photos' without uint8 RGB images named 'blur'; .* with blur and sharp"):
        open_source(tmp_path / "b", blurred=True)


def test_tfds_opens_it_by_itself(tmp_path):
    write_data_set(tmp_path / "a", {"train": PHOTOS})
    builder = tfds.builder_from_directory(str(tmp_path / "a"))
    assert builder.info.splits["train"].num_examples == 5
    assert builder.info.features["hr"].shape == (None, None, 3)


def test_a_name_that_is_not_utf8_is_escaped(tmp_path):
    """Files have any bytes for names; Python shows them as surrogates, which TFDS cannot write."""
    write_data_set(tmp_path / "a", {"train": [("\udcff_0_0", PHOTOS[0][1])]})
    assert open_source(tmp_path / "a")[0]["name"].decode() == "\\udcff_0_0"
