"""Every input has an output of its own, whose name can be foreseen."""

from pathlib import Path

import pytest

from jaxsr.data.listing import find_photos
from jaxsr.data.output_names import output_paths, shown_names
from jaxsr.support.errors import UserError


def paths(*names):
    return [Path(name) for name in names]


def test_outputs_take_the_stem_or_where_shared_the_suffix_too():
    inputs = paths("in/a.jpg", "in/a.PNG", "in/b.tif")
    expected = [Path("out") / name for name in ("a_jpg.png", "a_png.png", "b.png")]
    assert output_paths(inputs, "out") == expected
    assert output_paths(paths("b.tif", "c.d.tif"), "out", suffix=".webp") == paths("out/b.webp", "out/c.d.webp")


@pytest.mark.parametrize(
    ("inputs", "expected"),
    [
        (("x/1.png", "y/1.png", "y/2.png"), ("x/1", "y/1", "2")),
        (("p/x/1.png", "p/1.png"), ("x/1", "1")),
        (("x/1.png", "x/1.jpg", "y/1.png"), ("x/1_png", "x/1_jpg", "y/1")),
        (("a.jpg", "a.png", "a_jpg.png"), ("a_jpg_2", "a_png", "a_jpg")),
        (("a.jpg", "a.JPG"), ("a_jpg_2", "a_jpg")),
    ],
)
def test_no_two_inputs_have_one_output(inputs, expected):
    assert output_paths(paths(*inputs), "out") == [Path("out") / f"{name}.png" for name in expected]


def test_the_tree_of_a_folder_is_mirrored(tmp_path):
    for name in ("0001.png", "x/0001.png", "y/0001.jpg"):
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / name).touch()
    photos = find_photos([tmp_path / "in"], recursive=True).photos
    assert output_paths(photos, "out", "_x2.png") == paths("out/0001_x2.png", "out/x/0001_x2.png", "out/y/0001_x2.png")


def test_outputs_never_overwrite_an_input(tmp_path):
    with pytest.raises(UserError, match="the output folder .* is that of the input"):
        output_paths([tmp_path / "x" / ".." / "a.png"], tmp_path)
    with pytest.raises(UserError, match="x/1.png would overwrite the input"):
        output_paths([tmp_path / "x" / "1.png", tmp_path / "y" / "1.png"], tmp_path)


def test_an_address_of_the_folder_of_inputs_is_that_folder(tmp_path):
    address, photo = Path(f"file:{tmp_path}"), tmp_path / "a.png"
    with pytest.raises(UserError, match=f"output folder file://{tmp_path} is that of the input {photo}; choose"):
        output_paths([photo], address)
    with pytest.raises(UserError, match=f"output folder {tmp_path} is that of the input file://{photo}; choose"):
        output_paths([address / "a.png"], tmp_path)
    assert output_paths([photo], address / "out") == [address / "out" / "a.png"]


def test_links_in_a_circle_are_left_to_who_reads_them(tmp_path):
    (tmp_path / "a.png").symlink_to("a.png")
    assert output_paths([tmp_path / "a.png"], tmp_path / "out") == [tmp_path / "out" / "a.png"]


def test_files_of_one_name_are_shown_with_the_folders_in_which_they_differ():
    files = paths("p/x/1.png", "p/y/1.png", "p/y/2.png", "p/y/1.jpg")
    assert list(shown_names(files).values()) == ["x/1.png", "y/1.png", "2.png", "1.jpg"]
    assert shown_names(files[:1]) == {files[0]: "1.png"}
