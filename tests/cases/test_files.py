"""Files that cannot be written, read or named as they are."""

import contextlib

import jax
import numpy as np
import pytest

from jaxsr.data.images import Photo, check_writable, read_photo, write_photo
from jaxsr.data.listing import list_photos
from jaxsr.restoration.photo_files import restore_files
from jaxsr.support.errors import UserError
from jaxsr.weights import load
from tests.helpers.disks import full_disk
from tests.helpers.odd_photos import encoded
from tests.helpers.photos import photo

SUFFIXES = [".png", ".jpg", ".jfif", ".tif", ".webp", ".avif"]


@contextlib.contextmanager
def no_program_is_kept():
    """Let JAX write no compiled program to its cache, whose disk is as full."""
    name = "jax_persistent_cache_min_compile_time_secs"
    before = getattr(jax.config, name)
    jax.config.update(name, 1e6)
    try:
        yield
    finally:
        jax.config.update(name, before)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_full_disk_is_no_success(tmp_path, suffix):
    path = tmp_path / f"a{suffix}"
    write_photo(path, Photo(photo(9, 9)))
    before = path.read_bytes()
    with full_disk(4096), pytest.raises(UserError, match=rf"cannot write .*a\{suffix} \(File too large\); free space"):
        write_photo(path, Photo(photo(99, 99)))
    assert path.read_bytes() == before and [each.name for each in tmp_path.iterdir()] == [path.name]


def test_a_full_disk_fails_the_photos_that_do_not_fit(tmp_path):
    for name, side in (("large", 60), ("small", 9)):
        write_photo(tmp_path / f"{name}.png", Photo(photo(side, side)))
    outputs = {path: tmp_path / "out" / path.name for path in list_photos([tmp_path])}
    with full_disk(8192), no_program_is_kept():
        failures = restore_files(load("bicubic-x2"), outputs)
    assert [path.name for path in failures] == ["large.png"] and "File too large" in failures[tmp_path / "large.png"]
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["small.png"]


@pytest.mark.parametrize(
    ("suffix", "size", "bound"),
    [(".webp", (16_384, 9), 16_383), (".jpg", (9, 65_501), 65_500), (".avif", (16_385, 9), 16_384)],
)
def test_sizes_that_a_format_lacks_are_refused_before_work(tmp_path, suffix, size, bound):
    check_writable(f"a{suffix}", (bound, 9))
    with pytest.raises(UserError, match=rf"holds at most {bound} pixels a side; got {size[1]} x {size[0]}; write .png"):
        check_writable(f"a{suffix}", size)
    with pytest.raises(UserError, match=f"holds at most {bound} pixels"):
        write_photo(tmp_path / f"a{suffix}", Photo(np.zeros((*size, 1), np.uint8)))


def test_folders_give_every_format_that_is_read(tmp_path):
    kinds = {".png": "PNG", ".jfif": "JPEG", ".JPE": "JPEG", ".tiff": "TIFF", ".webp": "WEBP", ".avif": "AVIF"}
    kinds |= {".gif": "GIF", ".bmp": "BMP", ".ppm": "PPM", ".jp2": "JPEG2000"}
    for suffix, kind in kinds.items():
        (tmp_path / f"a{suffix}").write_bytes(encoded(kind))
    paths = list_photos([tmp_path])
    assert {path.suffix for path in paths} == set(kinds)
    assert all(read_photo(path).pixels.shape == (48, 66, 3) for path in paths)


def test_the_suffix_says_nothing_about_the_content(tmp_path):
    (tmp_path / "a.jpg").write_bytes(encoded("PNG"))
    assert read_photo(tmp_path / "a.jpg").pixels.shape == (48, 66, 3)


def test_heic_without_its_reader_says_what_to_install(tmp_path):
    (tmp_path / "a.heic").write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(100))
    try:
        import pillow_heif  # noqa: F401  # pyright: ignore[reportMissingImports]
    except ImportError:
        reason = r"HEIC files are read by pillow-heif; install it: pip install 'jaxsr\[heic\]'"
    else:
        reason = "unreadable"
    assert list_photos([tmp_path]) == [tmp_path / "a.heic"]
    with pytest.raises(UserError, match=rf"a\.heic: {reason}"):
        read_photo(tmp_path / "a.heic")


def test_folders_and_missing_files_are_named(tmp_path):
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(UserError, match=r"folder\.png is a folder, not a photo; name a file in it"):
        read_photo(tmp_path / "folder.png")
    with pytest.raises(UserError, match=r"gone\.png: no such file"):
        read_photo(tmp_path / "gone.png")
    with pytest.raises(UserError, match=r"cannot write .*folder\.png \(Is a directory\)"):
        write_photo(tmp_path / "folder.png", Photo(photo(9, 9)))
