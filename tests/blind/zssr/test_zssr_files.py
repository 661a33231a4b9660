"""Photo files through ZSSR: depths, alpha, kernels in files and estimated, and what is refused."""

import dataclasses
import functools

import jax
import numpy as np
import pytest

from jaxsr.blind.kernelgan.estimation import estimate_kernels
from jaxsr.blind.kernelgan.kernelgan_options import KernelGANOptions
from jaxsr.blind.zssr import kernel_choice
from jaxsr.blind.zssr.kernel_choice import check_request
from jaxsr.blind.zssr.restoration import restore_zssr
from jaxsr.blind.zssr.settings import ZSSRSettings
from jaxsr.blind.zssr.zssr_files import restore_files
from jaxsr.data.images import Photo, read_photo, write_photo
from jaxsr.data.kernel_files import read_kernel, write_kernel
from jaxsr.degradations.kernels import draw_isotropic
from jaxsr.support.errors import UserError
from tests.helpers.blind import block_levels, estimates_of_blobs


@pytest.fixture
def kernel(tmp_path):
    """Return the file of a kernel."""
    write_kernel(
        tmp_path / "kernel.npz", np.asarray(draw_isotropic(jax.random.key(0), 1, size=5, widths=(1.0, 1.0)))[0]
    )
    return str(tmp_path / "kernel.npz")


@pytest.mark.slow
def test_a_group_of_files(kernel, tmp_path, narrow):
    deep = block_levels(40, 44, dtype=np.uint16)
    write_photo(tmp_path / "deep.png", Photo(deep, alpha=block_levels(40, 44, 1, np.uint16)))
    write_photo(tmp_path / "grey.png", Photo(block_levels(36, 48, 1)))
    write_photo(tmp_path / "tiny.png", Photo(block_levels(9, 9)))
    (tmp_path / "broken.png").write_bytes(b"no image")
    outputs = {tmp_path / name: tmp_path / "out" / name for name in ("broken.png", "deep.png", "grey.png", "tiny.png")}
    settings = ZSSRSettings(kernel=kernel, steps=2, seed=1)
    failures = restore_files(outputs, scale=2, settings=settings)
    assert [path.name for path in failures] == ["broken.png", "tiny.png"]
    message = f"{tmp_path / 'tiny.png'}: a photo of 9x9 pixels is too small for zssr; use at least 32x32"
    assert message in failures[tmp_path / "tiny.png"] and "broken.png" in failures[tmp_path / "broken.png"]
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"deep.png", "grey.png"}
    result = read_photo(tmp_path / "out" / "deep.png")
    assert result.pixels.shape == (80, 88, 3) and result.pixels.dtype == np.uint16
    assert result.alpha is not None and result.alpha.shape == (80, 88, 1)
    pixels = (deep / 65535).astype(np.float32)
    (expected,) = restore_zssr([pixels], scale=2, kernels=[read_kernel(kernel)], settings=settings)
    assert np.abs(result.pixels / 65535 - expected).max() <= 0.51 / 65535
    assert read_photo(tmp_path / "out" / "grey.png").pixels.shape == (72, 96, 1)


def restored_twice(scale, tmp_path):
    """Restore a photo with an estimated kernel and again with the file that was kept; compare the results."""
    write_photo(tmp_path / "a.png", Photo(block_levels(90, 96)))
    outputs = {tmp_path / "a.png": tmp_path / "out" / "a.png"}
    assert restore_files(outputs, scale=scale, settings=ZSSRSettings(kernel="estimate", steps=1)) == {}
    kept = tmp_path / "out" / "kernels" / "a.npz"
    assert {path.name for path in kept.parent.iterdir()} == {"a.npz", "a.mat", "a.png"}
    again = {tmp_path / "a.png": tmp_path / "again" / "a.png"}
    assert restore_files(again, scale=scale, settings=ZSSRSettings(kernel=str(kept), steps=1)) == {}
    first, second = (read_photo(tmp_path / folder / "a.png").pixels for folder in ("out", "again"))
    assert np.abs(first.astype(int) - second).max() <= 1


@pytest.mark.slow
@pytest.mark.parametrize("scale", [2, 4])
def test_an_estimated_kernel_is_used_and_kept(scale, tmp_path, monkeypatch, narrow):
    monkeypatch.setattr(kernel_choice, "estimate_kernels", estimates_of_blobs)
    restored_twice(scale, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("scale", [2, 4])
def test_kernelgans_kernel_is_used_and_kept(scale, tmp_path, monkeypatch):
    quick = lambda photos, options, **_: estimate_kernels(photos, dataclasses.replace(options, steps=2))  # noqa: E731
    monkeypatch.setattr(kernel_choice, "estimate_kernels", quick)
    restored_twice(scale, tmp_path)


def test_progress_counts_the_steps_of_kernels_too(tmp_path, monkeypatch, narrow):
    """They take most of the time, and a run is cancelled by an error in its progress."""
    monkeypatch.setattr(kernel_choice, "estimate_kernels", estimates_of_blobs)
    write_photo(tmp_path / "a.png", Photo(block_levels(90, 96)))
    settings, calls = ZSSRSettings(kernel="estimate", steps=1, real=True), []
    report = lambda done, total: calls.append((done, total))  # noqa: E731
    estimating = KernelGANOptions().steps * len(KernelGANOptions().all_seeds)
    assert restore_files({tmp_path / "a.png": tmp_path / "b.png"}, scale=2, settings=settings, progress=report) == {}
    assert calls[0] == (estimating, estimating + 1) and calls[-1] == (estimating + 1, estimating + 1)
    calls.clear()
    restore_zssr([block_levels(90, 96) / np.float32(255)], scale=2, settings=settings, progress=report)
    assert calls[0] == (estimating, estimating + 1) and calls[-1] == (estimating + 1, estimating + 1)


def test_arrays_are_restored_with_the_kernel_that_the_settings_name(kernel, monkeypatch, narrow):
    monkeypatch.setattr(kernel_choice, "estimate_kernels", estimates_of_blobs)
    pixels, settings = block_levels(90, 96) / np.float32(255), ZSSRSettings(steps=1, real=True)
    restore = functools.partial(restore_zssr, [pixels], scale=2)
    (given,) = restore(kernels=[read_kernel(kernel)], settings=settings)
    named, estimated = (restore(settings=dataclasses.replace(settings, kernel=k))[0] for k in (kernel, "estimate"))
    np.testing.assert_array_equal(named, given)
    assert np.abs(estimated - given).max() > 0


def test_flat_photos_have_no_kernel_to_estimate(tmp_path):
    write_photo(tmp_path / "flat.png", Photo(np.full((90, 90, 3), 7, np.uint8)))
    outputs = {tmp_path / "flat.png": tmp_path / "out" / "flat.png"}
    (failure,) = restore_files(outputs, scale=2, settings=ZSSRSettings(kernel="estimate")).values()
    assert "flat.png: the photo is flat" in failure and not (tmp_path / "out").exists()


def test_requests_are_checked_before_any_photo_is_read(kernel, tmp_path):
    check_request(4, ZSSRSettings(kernel=kernel))
    with pytest.raises(UserError, match="zssr has no scale 5; choose one of: 2, 3, 4"):
        check_request(5, ZSSRSettings())
    with pytest.raises(UserError, match="scale=3: KernelGAN estimates kernels for the scales 2 and 4"):
        check_request(3, ZSSRSettings(kernel="estimate"))
    with pytest.raises(UserError, match="no kernel file"):
        check_request(2, ZSSRSettings(kernel=str(tmp_path / "gone.npz")))
