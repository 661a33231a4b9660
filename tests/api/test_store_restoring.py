"""Photos restored from an object store to another: as from folder to folder, and one that fails stops no other."""

import io
import tempfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from jaxsr.api import store_restoring
from jaxsr.api.restorers import open_restorer
from jaxsr.api.restoring_files import plan_run, planned_lines
from jaxsr.data.listing import find_photos
from jaxsr.data.output_names import output_paths
from jaxsr.data.stores.store_paths import shown, store_path
from jaxsr.support.errors import UserError
from tests.helpers.photos import photo

fsspec = pytest.importorskip("fsspec", reason="fsspec is missing: pip install 'jaxsr[stores]'")
IN, OUT = "memory://in/photos", "memory://out/results"
SIZES = {"a": (8, 12), "b": (12, 8), "c": (8, 12), "d": (8, 12)}


@pytest.fixture
def store(tmp_path, monkeypatch):
    """Yield a store with photos and a broken one; the temporary folder is tmp_path/temporary."""
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    monkeypatch.setattr(store_restoring, "STAGED", 3)
    store = fsspec.filesystem("memory")
    for name, size in SIZES.items():
        file = io.BytesIO()
        Image.fromarray(photo(*size)).save(file, "png")
        store.pipe_file(f"/in/photos/{name}.png", file.getvalue())
    store.pipe_file("/in/photos/broken.png", b"no photo")
    yield store
    store.rm("/in", recursive=True)
    if store.exists("/out"):
        store.rm("/out", recursive=True)


def plan(source=IN, target=OUT, restorer=None, **options):
    """Return the run from the address or folder `source` to `target`."""
    folder = store_path(target) if "://" in target else Path(target)
    photos = find_photos([source], stores=True).photos
    outputs = dict(zip(photos, output_paths(photos, folder), strict=True))
    return plan_run(restorer or open_restorer("bicubic", scale=2), outputs, folder, **options)


def finished(run):
    """Return the names of the photos that `run` yielded, and its lines of failures."""
    return sorted(path.name for batch in run.batches() for path in batch), list(run.failures.values())


def written(store):
    return {name.rpartition("/")[2]: store.cat_file(name) for name in store.find("/out/results")}


def test_results_are_those_of_folders(store, tmp_path):
    store.get("/in/photos", str(tmp_path / "photos"), recursive=True)
    finished(plan(str(tmp_path / "photos"), str(tmp_path / "expected")))
    run = plan()
    done, failures = finished(run)
    assert done == ["a.png", "b.png", "broken.png", "c.png", "d.png"]
    assert len(failures) == 1 and failures[0].startswith(f"{IN}/broken.png: ") and "temporary" not in failures[0]
    assert written(store) == {f"{name}.png": (tmp_path / f"expected/{name}.png").read_bytes() for name in SIZES}
    assert run.summary().startswith("done 4, skipped 0, failed 1;") and "megapixels" not in run.summary()
    assert not list((tmp_path / "temporary").iterdir())


def test_a_store_and_a_folder_mix(store, tmp_path):
    done, failures = finished(plan(target=str(tmp_path / "out")))
    assert len(done) == 5 and len(failures) == 1
    assert [path.name for path in sorted((tmp_path / "out").iterdir())] == [f"{name}.png" for name in SIZES]
    (tmp_path / "out" / "d.png").unlink()
    assert finished(plan(str(tmp_path / "out"))) == (["a.png", "b.png", "c.png"], [])
    with Image.open(io.BytesIO(written(store)["a.png"])) as result:
        assert result.size == (48, 32)


def test_what_is_there_is_kept_or_replaced_as_the_user_says(store):
    store.pipe_file("/out/results/a.png", b"there")
    with pytest.raises(UserError, match=f"{OUT}/a.png is there already; --skip_existing to keep it, --overwrite it"):
        plan()
    run = plan(skip_existing=True)
    assert [shown(path) for path in run.skipped.values()] == [f"{OUT}/a.png"]
    lines = [line for line, _ in planned_lines(run)]
    assert lines[0] == f"{IN}/a.png -> {OUT}/a.png (skipped: there already)"
    assert lines[1] == f"{IN}/b.png -> {OUT}/b.png (size unknown: not fetched)"
    assert "a.png" not in finished(run)[0] and written(store)["a.png"] == b"there"
    finished(plan(overwrite=True))
    assert written(store)["a.png"] != b"there"


def test_refusals_name_photos_of_stores_by_their_addresses(store, tmp_path):
    (tmp_path / "out/a.png").mkdir(parents=True)
    with pytest.raises(UserError, match=f"in the place of the result of {IN}/a.png; choose"):
        plan(target=str(tmp_path / "out"))
    (tmp_path / "out/a.png").rmdir()
    restorer = WithExtras(open_restorer("bicubic", scale=2))
    (tmp_path / "out/kernels").mkdir()
    (tmp_path / "out/kernels/a.npz").touch()
    with pytest.raises(UserError, match=f"a.npz is there already and was not made from {IN}/a.png; choose"):
        plan(target=str(tmp_path / "out"), restorer=restorer)
    store.pipe_file("/in/photos/kernels/a.png", b"no photo")
    with pytest.raises(UserError, match=f"^{OUT}/kernels/a.png would be .* written beside {OUT}/a.png, that of"):
        photos = [store_path(f"{IN}/{name}") for name in ("a.png", "kernels/a.png")]
        plan_run(restorer, {path: store_path(OUT + shown(path)[len(IN) :]) for path in photos}, store_path(OUT))


def test_photos_that_cannot_be_moved_get_a_line_and_stop_no_other(store, monkeypatch):
    photos = plan()
    store.rm_file("/in/photos/a.png")  # after it was listed
    put = store_restoring.put

    def full(file, path):
        if path.name == "c.png":
            raise UserError(f"{shown(path)} cannot be written (quota)")
        put(file, path)

    monkeypatch.setattr(store_restoring, "put", full)
    _, failures = finished(photos)
    assert sorted(line[: len(IN) + 7] for line in failures) == [
        f"{IN}/{name}" for name in ("a.png:", "broken", "c.png:")
    ]
    assert f"{IN}/c.png: {OUT}/c.png cannot be written (quota)" in failures
    assert set(written(store)) == {"b.png", "d.png"}


def test_a_folder_that_takes_nothing_is_told_before_work(store, monkeypatch):
    def denied(*_):
        raise PermissionError("Access Denied")

    monkeypatch.setattr(store, "put_file", denied)
    with pytest.raises(UserError, match=f"^{OUT} cannot be written .Access Denied.; check who may use"):
        finished(plan())


def test_extras_are_put_before_their_photo(store, tmp_path, monkeypatch):
    order = []
    monkeypatch.setattr(store, "put_file", lambda file, name: order.append(name))
    finished(plan(restorer=WithExtras(open_restorer("bicubic", scale=2))))
    for name in SIZES:
        place = order.index(f"/out/results/{name}.png")
        assert order.index(f"/out/results/kernels/{name}.npz") < place
    assert not list((tmp_path / "temporary").iterdir())


class WithExtras:
    """A restorer that writes a kernel beside each photo."""

    folders_beside = ("kernels",)

    def __init__(self, restorer):
        self._restorer, self.name, self.scale, self.unit = restorer, "extras", 2, "tile"

    def batches(self, paths):
        return self._restorer.batches(paths)

    def restore_files(self, outputs, **keywords):
        failures = self._restorer.restore_files(outputs, **keywords)
        for output in (output for path, output in outputs.items() if path not in failures):
            (output.parent / "kernels").mkdir(exist_ok=True)
            np.savez(output.parent / "kernels" / output.with_suffix(".npz").name, kernel=np.eye(3))
        return failures
