"""Object stores: which paths name them, what lies there by the rules for folders, and files that appear whole."""

import sys
import types

import pytest

from jaxsr.data.listing import find_photos
from jaxsr.data.output_names import output_paths
from jaxsr.data.stores import object_stores, store_paths
from jaxsr.data.stores.object_stores import check_folder, existing, fetch, put
from jaxsr.data.stores.store_paths import in_store, shown, store_path
from jaxsr.support.errors import UserError
from jaxsr.support.paths import is_address

fsspec = pytest.importorskip("fsspec", reason="fsspec is missing: pip install 'jaxsr[stores]'")
NAMES = ["a.png", "b.JPG", "notes.txt", ".hidden.png", "x/a.png", "x/.y/c.png", "out/a.png", "odd [1].png"]


@pytest.fixture(params=["memory", "file"])
def folder(request, tmp_path):
    """Return the address of a folder with NAMES, in either of the stores that need no network."""
    store = fsspec.filesystem(request.param)
    address = f"{request.param}://{tmp_path}/photos"
    for name in NAMES:
        store.makedirs(f"{tmp_path}/photos/{name}".rpartition("/")[0], exist_ok=True)
        store.pipe_file(f"{tmp_path}/photos/{name}", name.encode())
    yield address
    if request.param == "memory":
        store.rm(str(tmp_path), recursive=True)


def names(folder, *inputs, **keywords):
    """Return the names below `folder` of the photos that `inputs` in it name."""
    given = [f"{folder}/{name}" if name else folder for name in inputs]
    found = [shown(path) for path in find_photos(given, stores=True, **keywords).photos]
    root = shown(store_path(folder))
    assert all(path.startswith(root + "/") for path in found)
    return [path[len(root) + 1 :] for path in found]


def test_an_address_becomes_a_path_and_back():
    assert is_address("s3://bucket/a") and not is_address("photos/a.png") and not is_address("a b://c")
    for address, path in (("memory://b/x/a.png", "memory:/b/x/a.png"), ("file:///tmp/a b.png", "file:/tmp/a b.png")):
        assert str(store_path(address)) == path and shown(store_path(address)) == address
        assert in_store(store_path(address)) and shown(store_path(address) / "c") == f"{address}/c"
    assert not in_store(store_path("memory://b").relative_to("memory:")) and not in_store(
        store_path("file:///b").parent.parent
    )
    for address in ("memory://", "memory://b//a.png", "memory://b/../a.png"):
        with pytest.raises(UserError, match=f"{address} names no folder or file"):
            store_path(address)


def test_photos_are_those_that_a_folder_would_have(folder):
    assert names(folder, "") == ["a.png", "b.JPG", "odd [1].png"]
    assert names(folder, "", recursive=True) == ["a.png", "b.JPG", "odd [1].png", "out/a.png", "x/a.png"]
    assert "out/a.png" not in names(folder, "", recursive=True, without=store_path(f"{folder}/out"))
    assert names(folder, "*.png") == ["a.png", "odd [1].png"] and names(folder, "*/a.png") == ["out/a.png", "x/a.png"]
    assert names(folder, "**/a.png") == ["a.png", "out/a.png", "x/a.png"]
    assert names(folder, "notes.txt", "missing.png", "odd [1].png") == ["missing.png", "notes.txt", "odd [1].png"]
    assert [path.name for path in find_photos([folder], stores=True).left_out] == ["notes.txt"]


def test_a_folder_whose_name_reads_as_a_pattern_is_a_folder(folder):
    store, root = fsspec.filesystem(folder.partition(":")[0]), folder.partition("://")[2]
    for name in ("a.png", "x/b.png"):
        store.makedirs(f"{root}/odd [1]/{name}".rpartition("/")[0], exist_ok=True)
        store.pipe_file(f"{root}/odd [1]/{name}", b"")
    assert names(folder, "odd [1]") == ["odd [1]/a.png"]
    assert names(folder, "odd [1]", recursive=True) == ["odd [1]/a.png", "odd [1]/x/b.png"]


def test_names_that_are_no_photos_are_told_in_one_line(folder):
    for name, message in (("nothing", "no file or folder .*/nothing; check"), ("*.tif", "pattern .*tif' matches no")):
        with pytest.raises(UserError, match=message):
            names(folder, name)
    with pytest.raises(UserError, match="is an address; .* name a local path"):
        find_photos([folder])  # of commands that read folders alone


def test_outputs_are_named_as_those_of_folders(folder):
    photos = find_photos([folder, f"{folder}/x"], recursive=True, stores=True).photos
    outputs = output_paths(photos, store_path("memory://results"))
    assert len(set(outputs)) == len(outputs) == 5 and all(
        shown(each).startswith("memory://results/") for each in outputs
    )
    with pytest.raises(UserError, match="is that of the input"):
        output_paths(photos, store_path(folder))


def test_files_come_and_go(folder, tmp_path):
    photo, there = store_path(f"{folder}/a.png"), store_path(f"{folder}/new/b.png")
    fetch(photo, tmp_path / "here.png")
    assert (tmp_path / "here.png").read_bytes() == b"a.png"
    assert existing([photo, there]) == {photo}
    put(tmp_path / "here.png", there)
    put(tmp_path / "here.png", there)
    assert existing([photo, there]) == {photo, there}
    fetch(there, tmp_path / "again.png")
    assert (tmp_path / "again.png").read_bytes() == b"a.png"
    with pytest.raises(UserError, match="missing.png: no such file or bucket"):
        fetch(there.with_name("missing.png"), tmp_path / "missing.png")
    check_folder(store_path(f"{folder}/probed"))
    with pytest.raises(UserError, match="no file or folder"):
        names(folder, "probed/none")


def test_what_a_store_says_is_one_line_with_the_remedy(monkeypatch, tmp_path):
    class Closed:
        """A store that denies everything, with an error that is no OSError."""

        def _strip_protocol(self, address):
            return address.partition("://")[2]

        def isfile(self, name):
            return False

        def ls(self, name, detail):
            raise RuntimeError("Unable to locate credentials\nin many lines")

        put_file = ls

    for module in (object_stores, store_paths):
        monkeypatch.setattr(module, "file_system", lambda protocol: Closed())
    for do in (lambda: find_photos(["s3://b/x"], stores=True), lambda: existing([store_path("s3://b/x/a.png")])):
        with pytest.raises(UserError, match=r"^s3://b/x cannot be listed \(Unable to locate credentials\); check .*"):
            do()
    with pytest.raises(UserError, match=r"^s3://b/x cannot be written .*aws configure"):
        check_folder(store_path("s3://b/x"))


def test_without_a_package_one_line_says_which(monkeypatch):
    store_paths.file_system.cache_clear()

    def lacks(protocol):
        raise ImportError("Install s3fs to access S3")

    monkeypatch.setattr(fsspec, "filesystem", lacks)
    with pytest.raises(UserError, match="gs:// is reached by gcsfs; install it: pip install gcsfs"):
        store_path("gs://b/x")
    monkeypatch.setitem(sys.modules, "fsspec", None)
    with pytest.raises(UserError, match=r"pip install 'jaxsr\[stores\]'"):
        store_path("s3://b/x")
    monkeypatch.setitem(sys.modules, "fsspec", types.ModuleType("fsspec"))
    with pytest.raises(UserError, match="unknown store 'http'; choose one of: s3"):
        store_path("http://b/x")
