"""KernelGAN from files to files: every photo once, losses in the log, and what is refused."""

import dataclasses
import json

import numpy as np
import pytest

from jaxsr.blind.kernelgan import kernel_files_run
from jaxsr.blind.kernelgan.kernel_files_run import estimate_kernels_of_files
from jaxsr.blind.kernelgan.kernelgan_options import KernelGANOptions
from jaxsr.data.images import Photo, write_photo
from jaxsr.data.kernel_files import read_kernel
from jaxsr.data.listing import find_photos, list_photos
from jaxsr.support.errors import UserError
from tests.helpers.blind import block_levels, estimates_of_blobs

OPTIONS = KernelGANOptions(steps=4, log_every=2, seeds=2, fidelity="steady")


@pytest.fixture
def photos(tmp_path):
    """Return a folder of two photos, one broken."""
    write_photo(tmp_path / "photos" / "a.png", Photo(block_levels(90, 92)))
    (tmp_path / "photos" / "broken.png").write_bytes(b"no image")
    return tmp_path / "photos"


@pytest.fixture
def blobs(monkeypatch):
    """Let KernelGAN estimate blobs at once; return the number of photos of each call."""
    calls = []

    def estimate(photos, options, **callbacks):
        calls.append(len(photos))
        return estimates_of_blobs(photos, options)

    monkeypatch.setattr(kernel_files_run, "estimate_kernels", estimate)
    return calls


def read_log(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.mark.slow
def test_every_photo_once(photos, tmp_path, compiled_fast):
    folder, log = tmp_path / "run" / "kernels", tmp_path / "run" / "metrics.jsonl"
    counts = []
    first = estimate_kernels_of_files(
        list_photos([photos]), folder, OPTIONS, log_file=log, progress=lambda *now: counts.append(now)
    )
    assert list(first.failures) == [photos / "broken.png"] and "broken.png" in first.failures[photos / "broken.png"]
    assert {path.name for path in folder.glob("a*")} == {"a_x2.npz", "a_x2.mat", "a_x2.png"}
    assert counts == sorted(counts) and counts[-1] == (16, 16) and counts[0] == (2, 16)
    lines = read_log(log)
    assert [(line["photo"], line["seed"], line["step"]) for line in lines] == [
        ("a.png", seed, step) for seed in (0, 1) for step in (2, 4)
    ]
    assert all(np.isfinite(line["generator_loss"]) for line in lines)
    write_photo(photos / "b.png", Photo(block_levels(92, 90)))
    second = estimate_kernels_of_files(list_photos([photos]), folder, OPTIONS, log_file=log)  # the new one alone
    assert [line["photo"] for line in read_log(log)[4:]] == ["b.png"] * 4
    assert second.skipped == [photos / "a.png"] and set(second.kernels) == {photos / "a.png", photos / "b.png"}
    np.testing.assert_allclose(second.kernels[photos / "a.png"], first.kernels[photos / "a.png"], atol=1e-7)
    np.testing.assert_array_equal(read_kernel(folder / "a_x2.npz"), second.kernels[photos / "a.png"])


def test_kernels_are_estimated_anew_where_asked_for_or_incomplete(blobs, photos, tmp_path):
    for name in ("b.png", "c.png", "d.png"):
        write_photo(photos / name, Photo(block_levels(90, 92)))
    run = estimate_kernels_of_files
    paths, folder = list_photos([photos]), tmp_path / "kernels"
    run(paths, folder, OPTIONS)
    assert blobs == [2, 1, 1]  # groups of two, four runs on four devices, of which one photo is broken
    (folder / "a_x2.mat").unlink()
    (folder / "c_x2.npz").write_bytes(b"no kernel")
    result = run(paths, folder, OPTIONS)
    assert sum(blobs) == 6 and result.skipped == [photos / "b.png", photos / "d.png"]
    assert run(paths, folder, OPTIONS, overwrite=True).skipped == [] and sum(blobs) == 10
    assert run(paths, folder, dataclasses.replace(OPTIONS, scale=4)).skipped == []  # a_x4.npz and so on
    assert (folder / "losses.jsonl").is_file()


def test_a_photo_that_changed_is_estimated_anew(blobs, photos, tmp_path):
    for _ in range(2):
        estimate_kernels_of_files([photos / "a.png"], tmp_path / "kernels", OPTIONS)
    assert blobs == [1]
    write_photo(photos / "a.png", Photo(block_levels(92, 90)))
    assert not estimate_kernels_of_files([photos / "a.png"], tmp_path / "kernels", OPTIONS).skipped and blobs == [1, 1]


def test_photos_of_one_name_are_told_apart_in_the_log(blobs, tmp_path):
    for folder in ("x", "y"):
        write_photo(tmp_path / "photos" / folder / "a.png", Photo(block_levels(90, 92)))
    photos = find_photos([tmp_path / "photos" / "*" / "a.png"]).photos
    estimate_kernels_of_files(photos, tmp_path / "kernels", OPTIONS)
    assert {line["photo"] for line in read_log(tmp_path / "kernels" / "losses.jsonl")} == {"x/a.png", "y/a.png"}


def test_kernels_stay_where_losses_cannot_be_logged(blobs, photos, tmp_path, caplog):
    (tmp_path / "kernels" / "losses.jsonl").mkdir(parents=True)
    result = estimate_kernels_of_files([photos / "a.png"], tmp_path / "kernels", OPTIONS)
    assert list(result.kernels) == [photos / "a.png"] and not result.failures
    assert (tmp_path / "kernels" / "a_x2.mat").is_file() and "a.png: its losses are not logged: " in caplog.text


def test_pictures_follow_the_kernel(photos, tmp_path, monkeypatch):
    written = []
    monkeypatch.setattr(kernel_files_run, "write_picture", lambda stem, kernel, scale: written.append(stem.name))

    def estimate(photos, options, *, progress, on_kernels):
        estimates = estimates_of_blobs(photos, options)
        on_kernels(2, {0: estimates[0][0].kernel})
        return estimates

    monkeypatch.setattr(kernel_files_run, "estimate_kernels", estimate)
    options = dataclasses.replace(OPTIONS, pictures_every=2, log_every=0)
    estimate_kernels_of_files([photos / "a.png"], tmp_path / "kernels", options)
    assert written == ["a_x2"] and not (tmp_path / "kernels" / "losses.jsonl").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"seeds": 0}, "seeds=0 must be at least 1"),
        ({"seed": 2**32 - 3, "seeds": 4}, f"seed={2**32 - 3} must be at most {2**32 - 4}"),
        ({"steps": 0}, "steps=0 must be at least 1"),
        ({"log_every": -1}, "log_every=-1 must be at least 0"),
        ({"fidelity": "papre"}, "unknown fidelity 'papre'; did you mean 'paper'"),
        ({"scale": 3}, "scale=3"),
        ({"steps": 10.5}, "steps=10.5 is not a whole number; the default is 3000"),
        ({"seeds": True}, "seeds=True is not a whole number"),
    ],
)
def test_mistaken_options_are_named(options, message):
    with pytest.raises(UserError, match=message):
        KernelGANOptions(**options)


def test_a_folder_of_inputs_is_refused_before_any_work(photos, tmp_path):
    before = sorted(photos.iterdir())
    with pytest.raises(UserError, match="is that of the input"):
        estimate_kernels_of_files([photos / "a.png", tmp_path / "a.png"], photos, OPTIONS)
    assert sorted(photos.iterdir()) == before


@pytest.mark.parametrize("suffix", [".png", ".npz", ".mat"])
def test_files_of_others_stay(suffix, blobs, photos, tmp_path):
    (tmp_path / "out").mkdir()
    foreign = tmp_path / "out" / f"a_x2{suffix}"
    foreign.write_bytes(b"of somebody else")
    with pytest.raises(UserError, match=f"a_x2{suffix} is there already and was not made from .*a.png; choose another"):
        estimate_kernels_of_files([photos / "a.png"], tmp_path / "out", OPTIONS)
    assert list((tmp_path / "out").iterdir()) == [foreign] and not blobs
    estimate_kernels_of_files([photos / "a.png"], tmp_path / "out", OPTIONS, overwrite=True)
    assert foreign.read_bytes() != b"of somebody else"


def test_a_kernel_is_not_passed_off_as_that_of_another_photo_of_the_name(blobs, photos, tmp_path):
    other = tmp_path / "others" / "a.png"
    write_photo(other, Photo(block_levels(92, 90)))
    estimate_kernels_of_files([photos / "a.png"], tmp_path / "out", OPTIONS)
    with pytest.raises(
        UserError, match="was not made from .*others/a.png; choose another output folder, or --overwrite"
    ):
        estimate_kernels_of_files([other], tmp_path / "out", OPTIONS)
    (tmp_path / "out" / ".jaxsr-outputs.jsonl").unlink()  # as earlier versions left it
    assert estimate_kernels_of_files([other], tmp_path / "out", OPTIONS).skipped == [other]
