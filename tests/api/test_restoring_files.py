"""Runs of `restore` on files: what is skipped, what is never overwritten, and what one photo's failure leaves alone."""

from pathlib import Path

import numpy as np
import pytest

from jaxsr.api import restoring_files
from jaxsr.api.restorers import open_restorer
from jaxsr.api.restoring_files import plan_run, planned_lines
from jaxsr.data.images import Photo, read_photo, write_photo
from jaxsr.data.output_record import NAME
from jaxsr.restoration import photo_files
from jaxsr.restoration.options import RestoreOptions
from jaxsr.restoration.saving import SaveOptions
from jaxsr.support.errors import UserError
from jaxsr.weights import load
from tests.helpers.photos import photo, smooth


@pytest.fixture
def photos(tmp_path):
    """Return the paths of three photos."""
    paths = [tmp_path / "in" / f"{name}.png" for name in "abc"]
    for number, path in enumerate(paths):
        write_photo(path, Photo(photo(20 + number, 24)))
    return paths


def plan(photos, folder, *, scale=2, options=RestoreOptions(), **keywords):  # noqa: B008 - frozen
    outputs = {path: folder / path.name for path in photos}
    return plan_run(open_restorer("bicubic", scale=scale, options=options), outputs, folder, **keywords)


def run(photos, folder, **keywords):
    whole = plan(photos, folder, **keywords)
    list(whole.batches())
    return whole


def names(paths):
    return [path.name for path in paths]


def test_whole_outputs_are_skipped(photos, tmp_path):
    out = tmp_path / "out"
    first = run(photos, out)
    assert "done 3, skipped 0, failed 0" in first.summary() and first.pixels == 4 * 24 * (20 + 21 + 22)
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    assert sorted(before) == [NAME, "a.png", "b.png", "c.png"]
    again = plan(photos, out, skip_existing=True)
    assert not again.todo and names(again.skipped) == ["a.png", "b.png", "c.png"]
    run(photos, out, skip_existing=True)
    assert before == {path.name: path.read_bytes() for path in out.iterdir()}
    assert names(plan(photos, out).todo) == ["a.png", "b.png", "c.png"]


def test_what_is_not_whole_or_was_made_otherwise_is_made_anew(photos, tmp_path):
    out = tmp_path / "out"
    run(photos, out)
    for changed in ({"scale": 3}, {"options": RestoreOptions(ensemble=True)}, {"saving": SaveOptions(depth=16)}):
        assert len(plan(photos, out, skip_existing=True, **changed).todo) == 3
    write_photo(photos[0], Photo(photo(9, 9)))
    (out / "b.png").write_bytes((out / "b.png").read_bytes()[:-9])
    assert names(plan(photos, out, skip_existing=True).todo) == ["a.png", "b.png"]


def test_a_broken_record_costs_only_time(photos, tmp_path):
    out = tmp_path / "out"
    run(photos, out)
    lines = (out / NAME).read_text().splitlines(keepends=True)
    (out / NAME).write_text(lines[0] + "[]\n{}\n" + lines[1][:50])
    assert names(plan(photos[:1], out, skip_existing=True).skipped) == ["a.png"]
    run(photos[:2], out, skip_existing=True, overwrite=True)
    assert len((out / NAME).read_text().splitlines()) == 2


def test_what_another_input_made_is_never_overwritten(photos, tmp_path):
    out = tmp_path / "out"
    run(photos, out)
    other = tmp_path / "other" / "a.png"
    write_photo(other, Photo(photo(9, 9)))
    for skip in (False, True):
        with pytest.raises(UserError, match=r"out/a.png is there already and was not made from .*other/a.png"):
            plan([other], out, skip_existing=skip)
    run([other], out, overwrite=True)
    assert read_photo(out / "a.png").pixels.shape == (18, 18, 3)
    (out / "new.png").mkdir()
    with pytest.raises(UserError, match="new.png is a folder"):
        plan([other.with_name("new.png")], out, overwrite=True)


def test_left_by_a_killed_run(photos, tmp_path):
    out = tmp_path / "out"
    (out / "kernels").mkdir(parents=True)
    left = [out / ".a-abcd1234.png", out / "kernels" / ".b-abcd1234.npz", out / f".{NAME[:-6]}-abcd1234.jsonl"]
    mine = out / ".z-abcd1234.png"
    for path in (*left, mine):
        path.touch()
    run(photos, out)
    assert mine.exists() and not any(path.exists() for path in left)


@pytest.mark.parametrize("error", [MemoryError(), ValueError("too odd"), OSError(36, "File name too long")])
def test_one_failure_does_not_end_the_others(photos, tmp_path, monkeypatch, error):
    original = SaveOptions.write

    def write(self, path, photo, scale):
        if path.name == "b.png":
            raise error
        original(self, path, photo, scale)

    monkeypatch.setattr(SaveOptions, "write", write)
    done = run(photos, tmp_path / "out")
    assert names(done.failures) == ["b.png"] and str(photos[1]) in done.failures[photos[1]]
    assert (tmp_path / "out" / "c.png").exists() and "failed 1" in done.summary()
    assert names(plan(photos, tmp_path / "out", skip_existing=True).todo) == ["b.png"]


def test_a_batch_that_fails_as_a_whole(photos, tmp_path):
    class Breaking:
        name, unit, scale, folders_beside = "breaking-x2", "tile", 2, ()

        def batches(self, paths):
            return [[path] for path in paths]

        def restore_files(self, outputs, *, saving, progress):
            raise MemoryError

    outputs = {path: tmp_path / "out" / path.name for path in photos}
    done = plan_run(Breaking(), outputs, tmp_path / "out")  # pyright: ignore[reportArgumentType]
    assert len(list(done.batches())) == 3 and all("does not fit into memory" in x for x in done.failures.values())
    assert not list((tmp_path / "out").iterdir())


def test_names_of_250_bytes(tmp_path):
    path = tmp_path / "in" / (123 * "ü" + ".png")
    write_photo(path, Photo(photo(9, 9)))
    assert not run([path], tmp_path / "out").failures and (tmp_path / "out" / path.name).exists()
    assert len(list((tmp_path / "in").iterdir())) == 1


def test_too_long_a_name_is_that_photos_failure(photos, tmp_path):
    outputs = {photos[0]: tmp_path / "out" / ("x" * 300 + ".png"), photos[1]: tmp_path / "out" / "b.png"}
    done = plan_run(open_restorer("bicubic"), outputs, tmp_path / "out")
    list(done.batches())
    assert names(done.failures) == ["a.png"] and "File name too long" in done.failures[photos[0]]


def test_formats_and_bounds_are_checked_before_the_work(photos, tmp_path, monkeypatch):
    monkeypatch.setattr("jaxsr.restoration.photo_files.restore_each", None)
    write_photo(photos[0], Photo(photo(9, 8_200, 1)))
    write_photo(photos[1], Photo(photo(9, 9), alpha=np.zeros((9, 9, 1), np.uint8)))
    out = tmp_path / "out"
    outputs = {photos[0]: out / "a.webp", photos[1]: out / "b.jpg", photos[2]: out / "c.png"}
    done = plan_run(open_restorer("bicubic"), outputs, out, saving=SaveOptions(max_pixels=500))
    reasons = {path.stem: line for path, line in done.restorer.restore_files(outputs, saving=done.saving).items()}
    assert "at most 0.0005 are read" in reasons["c"] and "at most 0.0005" in reasons["a"]
    assert "JPEG holds no transparency" in reasons["b"]
    wide = done.restorer.restore_files({photos[0]: out / "a.webp"})
    assert "WebP holds at most 16383 pixels a side; got 16400 x 18" in wide[photos[0]]


@pytest.mark.parametrize(
    ("saving", "size"),
    [
        (SaveOptions(width=60), (50, 60)),
        (SaveOptions(height=80), (80, 96)),
        (SaveOptions(width=50, height=70), (70, 50)),
    ],
)
def test_sizes_are_reached_by_a_reduction(tmp_path, saving, size):
    path = tmp_path / "in" / "a.png"
    write_photo(path, Photo(smooth(60, 72), alpha=np.full((60, 72, 1), 99, np.uint8)))
    run([path], tmp_path / "out", saving=saving)
    result = read_photo(tmp_path / "out" / "a.png")
    assert result.pixels.shape == (*size, 3) and result.alpha is not None and set(np.unique(result.alpha)) == {99}
    assert abs(result.pixels.mean() - read_photo(path).pixels.mean()) < 1
    with pytest.raises(UserError, match=r"72 x 60 pixels become 144 x 120 at scale 2, less than the 200 x 167 asked"):
        SaveOptions(width=200).final_size((60, 72), 2)


@pytest.mark.parametrize("source", [np.uint8, np.uint16])
def test_depths(tmp_path, source):
    path, results = tmp_path / "in" / "a.png", {}
    write_photo(path, Photo(photo(9, 9, dtype=source)))
    for depth in (8, 16):
        run([path], tmp_path / f"out{depth}", saving=SaveOptions(depth=depth))
        results[depth] = read_photo(tmp_path / f"out{depth}" / "a.png").pixels
    assert results[8].dtype == np.uint8 and results[16].dtype == np.uint16
    assert len(np.unique(results[16] % 257)) > 10
    np.testing.assert_allclose(results[16] / 257, results[8], atol=0.502)


@pytest.mark.parametrize("options", [{"width": 0}, {"depth": 12}, {"quality": 0}, {"quality": 101}, {"max_pixels": 0}])
def test_bounds(options):
    with pytest.raises(UserError, match=f"{next(iter(options))}="):
        SaveOptions(**options)


def test_the_plan_says_what_would_be_done(photos, tmp_path):
    run(photos[:1], tmp_path / "out")
    (photos[2]).write_bytes(b"no photo")
    planned = plan(photos, tmp_path / "out", skip_existing=True)
    lines, fails = zip(*restoring_files.planned_lines(planned), strict=True)
    assert fails == (False, False, True)
    assert "a.png (skipped: there already)" in lines[0] and "24 x 21 to 48 x 42 pixels" in lines[1]
    assert f"{photos[2]}: would fail: its size cannot be read" in lines[2]
    assert not Path(tmp_path / "out" / "b.png").exists()


def test_photos_that_do_not_fit_into_memory_together_are_tried_one_by_one(photos, tmp_path, monkeypatch):
    original, calls = photo_files.restore_each, []

    def restore_each(model, pixels, options, **keywords):
        calls.append(len(pixels))
        if len(pixels) > 1:
            raise MemoryError
        return original(model, pixels, options, **keywords)

    monkeypatch.setattr(photo_files, "restore_each", restore_each)
    for path in photos:
        write_photo(path, Photo(photo(20, 24)))
    failures = photo_files.restore_files(load("bicubic-x2"), {path: tmp_path / "out" / path.name for path in photos})
    assert calls == [3, 1, 1, 1] and not failures


def test_an_accelerator_works_beside_threads(photos, tmp_path, monkeypatch):
    """Which read and write several photos; the same files come out, and one that fails leaves the others alone."""
    plainly = run(photos, tmp_path / "plain")
    photos[1].write_bytes(b"broken")
    monkeypatch.setattr(restoring_files, "on_accelerator", lambda: True)
    done = run(photos, tmp_path / "threads")
    assert names(done.failures) == ["b.png"] and names(plainly.todo) == ["a.png", "b.png", "c.png"]
    for name in ("a.png", "c.png"):
        np.testing.assert_array_equal(
            read_photo(tmp_path / "threads" / name).pixels, read_photo(tmp_path / "plain" / name).pixels
        )
    assert names(plan(photos, tmp_path / "threads", skip_existing=True).skipped) == ["a.png", "c.png"]


def test_kernels_take_no_photos_place(tmp_path):
    out = tmp_path / "out"
    outputs = {tmp_path / "z.png": out / "z.png", tmp_path / "kernels" / "z.png": out / "kernels" / "z.png"}
    assert len(plan_run(open_restorer("bicubic"), outputs, out).todo) == 2
    with pytest.raises(UserError, match=r"kernels/z.png would be the result of one photo, and .* beside .*out/z.png"):
        plan_run(open_restorer("danv2-x2"), outputs, out)


def test_kernels_of_others_are_not_overwritten(tmp_path):
    out, estimating = tmp_path / "out", open_restorer("zssr,kernel=estimate")
    (out / "kernels").mkdir(parents=True)
    (out / "kernels" / "a.npz").touch()
    outputs = {tmp_path / "a.png": out / "a.png"}
    assert plan_run(open_restorer("zssr"), outputs, out).todo
    with pytest.raises(UserError, match=r"kernels/a.npz is there already and was not made from .*/a.png"):
        plan_run(estimating, outputs, out)
    assert plan_run(estimating, outputs, out, overwrite=True).todo


def test_the_plan_says_what_would_be_refused(photos, tmp_path):
    def line(saving, suffix=".png"):
        outputs = {photos[0]: (tmp_path / "out" / "a").with_suffix(suffix)}
        return next(planned_lines(plan_run(open_restorer("bicubic"), outputs, tmp_path / "out", saving=saving)))[0]

    assert " pixels)" in line(SaveOptions())
    assert "would fail: declares" in line(SaveOptions(max_pixels=4))
    assert "would fail:" in line(SaveOptions(depth=16), ".jpg")
