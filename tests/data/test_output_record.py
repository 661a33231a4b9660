"""Outputs that were there before: kept, replaced or refused."""

import pytest

from jaxsr.data.output_record import OutputRecord, outputs_to_keep
from jaxsr.support.errors import UserError


@pytest.fixture
def outputs(tmp_path):
    """Return the outputs of three files; the first is whole, the second was begun, the third is not there."""
    (tmp_path / "out").mkdir()
    sources = [tmp_path / name for name in ("a.mp4", "b.mp4", "c.mp4")]
    outputs = {source: tmp_path / "out" / source.name for source in sources}
    record = OutputRecord(tmp_path / "out", "one way")
    for source, output in list(outputs.items())[:2]:
        source.write_text(source.name)
        record.begin(output, source)
        output.write_text("result")
    record.finish(outputs[sources[0]])
    record.close()
    return outputs


def keep(outputs, settings="one way", **options):
    folder = next(iter(outputs.values())).parent
    return [source.name for source in outputs_to_keep(outputs, OutputRecord(folder, settings), **options)]


def test_whole_outputs_are_kept_where_that_is_asked(outputs):
    assert keep(outputs, skip_existing=True) == ["a.mp4"]
    assert keep(outputs) == keep(outputs, "another way", skip_existing=True) == []


def test_what_was_made_of_something_else_is_not_replaced(outputs):
    strange = list(outputs)[2]
    outputs[strange].write_text("somebody's")
    with pytest.raises(UserError, match=r"out/c.mp4 is there already and was not made from .*/c.mp4"):
        keep(outputs, skip_existing=True)
    assert keep(outputs, skip_existing=True, overwrite=True) == ["a.mp4"]
    outputs[strange].unlink()
    outputs[strange].mkdir()
    for overwrite in (False, True):  # no file can take its place
        with pytest.raises(UserError, match=r"out/c.mp4 is a folder, in the place of the result of .*/c.mp4"):
            keep(outputs, overwrite=overwrite)


def test_a_result_is_of_its_file_though_that_has_changed_or_moved(outputs, tmp_path):
    first, second, _ = outputs
    first.write_text("changed")
    assert keep(outputs, skip_existing=True) == []
    moved = second.rename(tmp_path / "elsewhere.mp4")
    assert keep({moved: outputs[second]}) == []
    moved.write_text("changed")
    with pytest.raises(UserError, match=r"out/b.mp4 is there already and was not made from .*/elsewhere.mp4"):
        keep({moved: outputs[second]})


def test_a_name_that_is_too_long_is_not_there(outputs, tmp_path):
    assert keep({tmp_path / "a.mp4": tmp_path / "out" / f"{'a' * 300}.mp4"}) == []


def test_two_runs_into_one_folder_keep_each_others_entries(tmp_path):
    first, second = OutputRecord(tmp_path, "one way"), OutputRecord(tmp_path, "one way")
    for name, record in (("a", first), ("b", second)):
        source, output = tmp_path / f"{name}.mp4", tmp_path / f"{name}.png"
        source.write_text(name)
        record.begin(output, source)
        output.write_text("result")
        record.finish(output)
    second.close()
    first.close()
    after = OutputRecord(tmp_path, "one way")
    assert all(after.is_whole(tmp_path / f"{name}.png", tmp_path / f"{name}.mp4") for name in "ab")
