"""The table of kernels against the true ones."""

from pathlib import Path

import numpy as np
import pytest

from jaxsr.blind.kernelgan.kernel_reports import read_truth, score_table
from jaxsr.data.kernel_files import write_kernel
from jaxsr.degradations.kernels import anisotropic_kernels
from jaxsr.support.errors import UserError


def test_photos_of_one_name_have_a_line_each_and_count_in_the_mean():
    true, wide = (np.asarray(anisotropic_kernels(np.array([[w, w]]), np.zeros(1), 13))[0] for w in (1.5, 6.0))
    kernels = {Path("x/1.png"): true, Path("y/1.png"): wide, Path("y/2.png"): true}
    header, *rows, mean = score_table(kernels, dict.fromkeys(kernels, true), 2).splitlines()
    assert header.split() == ["photo", "error", "PSNR", "dB", "centre", "px"]
    assert [row.split()[0] for row in rows] == ["x/1.png", "y/1.png", "2.png"]
    errors = [float(row.split()[1]) for row in rows]
    assert errors[0] == errors[2] == 0 < 0.1 < errors[1]
    assert abs(float(mean.split()[1]) - np.mean(errors)) < 1e-3


def test_where_true_kernels_are_missing_is_said(tmp_path):
    photos = [Path("a.png"), Path("b.png")]
    with pytest.raises(UserError, match="no file or folder 'gone' of true kernels; check the path"):
        read_truth(photos, "gone", 2)
    with pytest.raises(UserError, match="no kernel file ~nobody-of-that-name/a.npz; check the path"):
        read_truth(photos, "~nobody-of-that-name/a.npz", 2)
    write_kernel(tmp_path / "a.npz", np.full((3, 3), 1 / 9))
    (tmp_path / "._a.npz").touch()  # hidden files, such as macOS leaves, are no kernels
    with pytest.raises(UserError, match=r"holds 1 kernels \(.npz, .mat\) for 2 photos; give one for each, or a"):
        read_truth(photos, str(tmp_path), 2)
    assert set(read_truth(photos, str(tmp_path / "a.npz"), 2)) == set(photos)


def test_a_kernel_that_is_there_as_npz_and_as_mat_counts_once(tmp_path):
    for suffix in (".npz", ".mat"):  # as `estimate_kernel` writes them
        for name in ("a", "b"):
            write_kernel(tmp_path / f"{name}{suffix}", np.full((3, 3), 1 / 9))
    assert len(read_truth([Path("a.png"), Path("b.png")], str(tmp_path), 2)) == 2


def test_true_kernels_are_those_of_the_scale(tmp_path):
    flat, wide = np.full((3, 3), 1 / 9), np.full((5, 5), 1 / 25)
    write_kernel(tmp_path / "x2" / "A.NPZ", flat, {"scale": 2})  # in capitals, as Windows has some names
    write_kernel(tmp_path / "x4" / "a.mat", wide, {"Kernel_x2": flat, "scale": 4})
    photo = Path("a.png")
    for scale, source, size in ((2, "x2/A.NPZ", 3), (2, "x4/a.mat", 3), (4, "x4", 5), (2, "x2", 3)):
        assert read_truth([photo], str(tmp_path / source), scale)[photo].shape == (size, size)
    for source in ("x2/A.NPZ", "x2"):
        with pytest.raises(UserError, match="A.NPZ holds the kernel for scale 2, not 4; give one for scale 4"):
            read_truth([photo], str(tmp_path / source), 4)
