"""The table of kernels against the true ones."""

from pathlib import Path

import numpy as np

from jaxsr.blind.kernelgan.kernel_reports import score_table
from jaxsr.degradations.kernels import anisotropic_kernels


def test_photos_of_one_name_have_a_line_each_and_count_in_the_mean():
    true, wide = (np.asarray(anisotropic_kernels(np.array([[w, w]]), np.zeros(1), 13))[0] for w in (1.5, 6.0))
    kernels = {Path("x/1.png"): true, Path("y/1.png"): wide, Path("y/2.png"): true}
    header, *rows, mean = score_table(kernels, dict.fromkeys(kernels, true), 2).splitlines()
    assert header.split() == ["photo", "error", "PSNR", "dB", "centre", "px"]
    assert [row.split()[0] for row in rows] == ["x/1.png", "y/1.png", "2.png"]
    errors = [float(row.split()[1]) for row in rows]
    assert errors[0] == errors[2] == 0 < 0.1 < errors[1]
    assert abs(float(mean.split()[1]) - np.mean(errors)) < 1e-3
