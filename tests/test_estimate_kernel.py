"""The command as a user runs it: files, pictures, scores, failures, exit statuses."""

import functools
from dataclasses import replace

import numpy as np
import pytest
import scipy.io
from PIL import Image

from jaxsr.blind.kernelgan.estimation import combine, estimate_kernels, rgb_photo
from jaxsr.blind.kernelgan.kernelgan_options import KernelGANOptions
from jaxsr.data.kernel_files import read_kernel, write_kernel
from tests.helpers import commands
from tests.helpers.blind import block_levels

pytestmark = pytest.mark.slow


run = functools.partial(commands.run, "estimate_kernel")


@pytest.fixture
def photos(tmp_path):
    """Return a folder of a colour, a transparent, a flat, a small and a broken photo."""
    folder = tmp_path / "photos"
    folder.mkdir()
    levels = block_levels(100, 120)
    Image.fromarray(levels).save(folder / "colour.png")
    Image.fromarray(np.dstack([levels[::-1], levels[..., :1]])).save(folder / "clear.png")
    Image.fromarray(np.full((120, 120, 3), 77, np.uint8)).save(folder / "flat.png")
    Image.fromarray(levels[:60]).save(folder / "small.png")
    (folder / "broken.png").write_bytes(b"no image")
    return folder


def test_a_folder_goes_on_after_failures(photos, tmp_path):
    done = run(photos, f"--output={tmp_path / 'out'}", "--steps=5", "--seeds=2", "--scale=4", "--pictures_every=2")
    assert done.returncode == 1 and "2 of 5 kernels for x4" in done.stdout, done.stderr
    lines = done.stderr.strip().splitlines()[-3:]
    assert "flat.png: the photo is flat" in done.stderr and "small.png: a photo of 120x60 pixels" in done.stderr
    assert any("broken.png" in line for line in lines) and "Traceback" not in done.stderr
    names = {path.name for path in (tmp_path / "out").glob("c*")}
    assert names == {f"{stem}_x4{suffix}" for stem in ("colour", "clear") for suffix in (".npz", ".mat", ".png")}
    options = KernelGANOptions(scale=4, seeds=2, steps=5)
    (estimates,) = estimate_kernels([rgb_photo(photos / "clear.png")], options)
    saved = scipy.io.loadmat(tmp_path / "out" / "clear_x4.mat")
    np.testing.assert_allclose(saved["raw"], [e.kernel for e in estimates], rtol=1e-2, atol=1e-10)  # other devices
    finished = combine([replace(e, kernel=k) for e, k in zip(estimates, saved["raw"], strict=True)], 4)
    np.testing.assert_allclose(read_kernel(tmp_path / "out" / "clear_x4.npz"), finished, atol=1e-6)


def test_scores(photos, tmp_path):
    truth = np.zeros((11, 11))
    truth[4:8, 4:8] = 1 / 16
    write_kernel(tmp_path / "truth" / "k_1.mat", truth)
    done = run(photos / "colour.png", f"--output={tmp_path / 'out'}", "--steps=3", f"--truth={tmp_path / 'truth'}")
    assert done.returncode == 0, done.stderr
    name, error, psnr, distance = done.stdout.splitlines()[-2].split()
    assert name == "colour.png" and 0 < float(error) < 2 and 0 < float(psnr) < 60 and float(distance) < 0.01
    again = run(photos / "colour.png", f"--output={tmp_path / 'out'}", "--steps=3", f"--truth={tmp_path / 'truth'}")
    assert "0 of 1 kernels for x2 estimated" in again.stdout
    assert "1 kept from before; --overwrite estimates them anew" in again.stdout
    assert again.stdout.splitlines()[-3:] == done.stdout.splitlines()[-3:]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["colour.png", "--scale=3"], "scale"),
        (["colour.png", "--fidelity=papr"], "unknown fidelity 'papr'; did you mean 'paper'?"),
        (["colour.png", "--truth=nowhere.mat"], "no kernel file nowhere.mat"),
        ([], "no photos given"),
    ],
)
def test_mistakes_take_one_line_and_write_nothing(arguments, message, photos, tmp_path):
    paths = [str(photos / a) if a.endswith(".png") else a for a in arguments]
    done = run(*paths, f"--output={tmp_path / 'out'}")
    assert done.returncode == 2 and message in done.stderr and len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "out").exists()
