"""A photo of the page restored without the page: files, limits, cancelling, and messages without folders."""

from pathlib import Path

import numpy as np
import pytest

import jaxsr
from jaxsr.api.named_models import split_options
from jaxsr.api.restorers import open_restorer
from jaxsr.data.images import Photo, photo_size, read_photo, write_photo
from jaxsr.data.kernel_files import write_kernel
from jaxsr.gui.photo_jobs import Cancelled, PhotoRequest, restore_upload
from jaxsr.gui.previews import kernel_pictures, round_pictures, slider_pictures, summary, thumbnail
from jaxsr.gui.visitors import Visitors
from tests.helpers.photos import photo


@pytest.fixture
def upload(tmp_path):
    path = tmp_path / "uploads" / "a.b.png"
    path.parent.mkdir()
    write_photo(path, Photo(photo(9, 12)))
    return path


def restored(request, visitor, *, max_megapixels=1.0, progress=lambda done, total, unit: None):
    return restore_upload(request, visitor, max_megapixels=max_megapixels, progress=progress)


def test_the_file_is_that_of_the_command(upload, tmp_path):
    visitor, seen = Visitors(tmp_path).visitor("one"), []
    result = restored(PhotoRequest(str(upload), "bicubic", 2), visitor, progress=lambda *step: seen.append(step))
    open_restorer("bicubic", scale=2).restore_files({upload: tmp_path / "out.png"})
    assert result.output.name == "a.b.png" and result.output.read_bytes() == (tmp_path / "out.png").read_bytes()
    assert seen[-1] == (1, 1, "tile") and "12 × 9 to 24 × 18 pixels by bicubic-x2" in summary(result)
    assert all(Path(path).read_bytes().startswith(b"\x89PNG") for path in slider_pictures(result))
    assert round_pictures(result) == kernel_pictures(result) == []


def test_options_of_a_model_follow_its_name():
    assert PhotoRequest("a.png", "danv1", 4, rounds=2).model_text == "danv1,rounds=2"
    assert PhotoRequest("a.png", "zssr", 2, steps=50, kernel="estimate").model_text == "zssr,steps=50,kernel=estimate"
    typed = PhotoRequest("a.png", " zssr,steps=300,seed=1", 2, steps=1000, kernel="estimate")
    assert typed.model_text == "zssr,steps=300,seed=1,kernel=estimate"


def test_a_cancelled_photo_leaves_no_file(upload, tmp_path):
    visitor = Visitors(tmp_path).visitor("one")

    def cancel(done, total, unit):
        visitor.cancelled.set()

    with pytest.raises(Cancelled):
        restored(PhotoRequest(str(upload), "bicubic", 2), visitor, progress=cancel)
    assert not list(visitor.folder.rglob("*.png"))


def test_failures_name_the_photo_alone(upload, tmp_path):
    visitor = Visitors(tmp_path).visitor("one")
    with pytest.raises(jaxsr.UserError, match=r"^a\.b\.png has 0\.00 megapixels; this page takes 0\.0001; make it"):
        restored(PhotoRequest(str(upload), "bicubic", 2), visitor, max_megapixels=0.0001)
    upload.write_bytes(b"no image")
    with pytest.raises(jaxsr.UserError, match=r"^a\.b\.png: not an image of a known kind"):
        restored(PhotoRequest(str(upload), "bicubic", 2), visitor)
    with pytest.raises(jaxsr.UserError, match="no photo yet; drop one, or choose an example"):
        restored(PhotoRequest(None, "bicubic", 2), visitor)


def test_visitors_are_kept_apart_and_forgotten(tmp_path):
    visitors = Visitors(tmp_path)
    one, other = visitors.visitor("one"), visitors.visitor("other")
    first = one.new_folder()
    assert visitors.visitor("one") is one and one.folder != other.folder and first.is_dir()
    assert one.new_folder().is_dir() and not first.exists()
    visitors.leave("one")
    visitors.leave("nobody")
    assert one.cancelled.is_set() and not one.folder.exists()
    assert not other.cancelled.is_set() and other.folder.is_dir()


def test_a_kernel_in_a_folder_whose_name_has_commas(tmp_path):
    """TMPDIR may be one, where uploads go."""
    folder = tmp_path / "a,b c"
    folder.mkdir()
    write_kernel(folder / "kernel.npz", np.full((3, 3), 1 / 9))
    text = PhotoRequest("a.png", "zssr", 2, steps=50, kernel=str(folder / "kernel.npz")).model_text
    assert split_options(text) == ("zssr", {"steps": 50, "kernel": str(folder / "kernel.npz")})
    assert open_restorer(text, scale=2).name == "zssr-x2"


def test_previews_of_results_that_photos_are_not_read_at_by_default(upload, tmp_path, monkeypatch):
    for read in (read_photo, photo_size):
        monkeypatch.setitem(read.__kwdefaults__, "max_pixels", 50)
    with pytest.raises(jaxsr.UserError, match=r"has 0.00 megapixels; this page takes 6e-05"):
        restored(PhotoRequest(str(upload), "bicubic", 2), Visitors(tmp_path).visitor("one"), max_megapixels=6e-5)
    result = restored(PhotoRequest(str(upload), "bicubic", 2), Visitors(tmp_path).visitor("one"))
    assert all(Path(path).is_file() for path in slider_pictures(result))
    assert Path(thumbnail(upload, tmp_path)).is_file() and "12 × 9 to 24 × 18 pixels" in summary(result)
