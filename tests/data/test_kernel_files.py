"""Blur kernels through files and back, and what is refused."""

import numpy as np
import pytest
import scipy.io

from jaxsr.data.kernel_files import kernel_picture, read_kernel, read_kernels, write_kernel
from jaxsr.support.errors import UserError

KERNEL = np.random.default_rng(0).random((7, 7))
KERNEL /= KERNEL.sum()


@pytest.mark.parametrize("suffix", [".npz", ".mat", ".NPZ", ".MAT"])
def test_round_trip_with_facts(suffix, tmp_path):
    path = tmp_path / "sub" / f"k{suffix}"
    write_kernel(path, KERNEL, {"codes": np.arange(3.0)})
    np.testing.assert_allclose(read_kernel(path), KERNEL, rtol=1e-6)
    assert [file.name for file in path.parent.iterdir()] == [path.name]
    reread = scipy.io.loadmat(path, appendmat=False) if suffix.lower() == ".mat" else np.load(path)
    np.testing.assert_array_equal(np.ravel(reread["codes"]), [0, 1, 2])


def test_sums_are_mended(tmp_path):
    np.savez(tmp_path / "k.npz", Kernel=1.05 * KERNEL)
    assert read_kernel(tmp_path / "k.npz").sum() == pytest.approx(1)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"other": KERNEL}, "holds no array 'Kernel' but other"),
        ({"Kernel": KERNEL[:5]}, r"square of at least 3x3 pixels; got shape \(5, 7\)"),
        ({"Kernel": 255 * KERNEL}, "sums to 1 .* got 255; divide by the sum"),
        ({"Kernel": np.full((3, 3), np.nan)}, "holds values that are not finite"),
    ],
)
def test_refusals(arrays, message, tmp_path):
    np.savez(tmp_path / "k.npz", **arrays)
    with pytest.raises(UserError, match=message):
        read_kernel(tmp_path / "k.npz")


def test_missing_broken_and_foreign_files(tmp_path):
    (tmp_path / "k.mat").write_bytes(b"no matlab")
    with pytest.raises(UserError, match="not a readable MATLAB file"):
        read_kernel(tmp_path / "k.mat")
    with pytest.raises(UserError, match="no kernel file"):
        read_kernel(tmp_path / "gone.npz")
    with pytest.raises(UserError, match=r"must end in .npz or .mat"):
        write_kernel(tmp_path / "k.txt", KERNEL)


def test_a_picture_shows_the_largest_entry_white():
    picture = kernel_picture(KERNEL, side=70)
    assert picture.shape == (70, 70, 3) and picture.max() == 255
    row, column = np.unravel_index(KERNEL.argmax(), KERNEL.shape)
    assert (picture[10 * row : 10 * row + 10, 10 * column : 10 * column + 10] == 255).all()


def test_a_cross_marks_the_centre():
    picture = kernel_picture(KERNEL, side=70, centre=3.5)
    assert picture.shape == (70 + 16, 70, 3) and picture[70:].max() > 200
    red = np.argwhere((picture == [255, 0, 0]).all(axis=-1))
    np.testing.assert_allclose(red.mean(axis=0), 40, atol=0.5)  # between entries 3 and 4


def test_the_kernels_of_a_restorer_in_two_stages(tmp_path):
    write_kernel(tmp_path / "k.npz", KERNEL, {"Kernel_x2": KERNEL[1:6, 1:6] / KERNEL[1:6, 1:6].sum()})
    first, second = read_kernels(tmp_path / "k.npz", 4)
    assert first.shape == (5, 5) and second.shape == (7, 7)
    np.testing.assert_array_equal(read_kernels(tmp_path / "k.npz", 2), first)  # and not the kernel for x4


@pytest.mark.parametrize("suffix", [".npz", ".mat"])
def test_a_kernel_serves_the_scale_that_it_was_estimated_for(suffix, tmp_path):
    path = tmp_path / f"k{suffix}"
    write_kernel(path, KERNEL, {"scale": 2})
    np.testing.assert_allclose(read_kernels(path, 2), KERNEL, rtol=1e-6)
    with pytest.raises(UserError, match=f"k{suffix} holds the kernel for scale 2, not 4; give one for scale 4"):
        read_kernels(path, 4)
    write_kernel(path, KERNEL, {"Kernel_x2": KERNEL})
    with pytest.raises(UserError, match="for scale 4, not 3"):
        read_kernels(path, 3)
