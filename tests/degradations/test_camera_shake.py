"""Camera shake against the reference implementation and loops in NumPy; where kernels lie, and what they refuse."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxsr import degradations
from jaxsr.degradations.camera_paths import Shake, draw_paths, draw_shake, trajectories
from jaxsr.degradations.camera_shake import (
    EXPOSURES,
    draw_motion,
    motion_blur,
    official_kernels,
    official_motion,
    official_place,
)
from jaxsr.degradations.centering import centre_of_mass
from jaxsr.degradations.kernels import delta_kernel
from jaxsr.evaluation.pair_options import PairOptions
from jaxsr.support.errors import UserError
from tests.reference import motion as reference

KEY = jax.random.key(6)
RNG = np.random.default_rng(12)
STATIC = ("count", "size", "steps", "length", "exposures", "jitter")
draw = jax.jit(draw_motion, static_argnames=STATIC)
official_kernels_of = jax.jit(official_motion, static_argnums=(1, 2))
kernels_of = jax.jit(official_kernels, static_argnums=(1, 2))


def fed(drawn):
    """Return the numbers of several paths as ours: over time first, then over paths."""
    names = {name: np.array([path[name] for path in drawn]) for name in Shake._fields}
    kinds = {"noise": np.complex64}
    return Shake(**{name: jnp.asarray(x.T, kinds.get(name, np.float32)) for name, x in names.items()})


@pytest.mark.shared
def test_golden_file(shared):
    with np.load(shared / "golden" / "motion_psf.npz") as data:
        path = np.complex64(data["in/trajectory_re"] + 1j * data["in/trajectory_im"])
        expected = data["out/psf"]
    kernels = kernels_of(path[None], (0.01, 0.1, 0.5, 1.0), 64)[0]
    assert np.abs(kernels - expected).max() <= 5e-6 * expected.max()


@pytest.mark.parametrize("anxiety", [None, 0.0, 0.9])
def test_whole_trajectories_are_the_authors(anxiety):
    """With the same random numbers, from the first position to the PSF; at 0.9 the camera often turns back."""
    drawn = [reference.draw(RNG, 150) for _ in range(3)]
    drawn = drawn if anxiety is None else [{**path, "anxiety": anxiety} for path in drawn]
    paths = jax.jit(lambda shake: trajectories(shake, length=40))(fed(drawn))
    expected = np.stack([reference.trajectory(path, 40) for path in drawn])
    if anxiety == 0.9:
        assert any(chance < 0.9 * path["jerk"] for path in drawn for chance in path["chances"])
    np.testing.assert_allclose(paths, expected, atol=2e-3)
    placed = np.stack([reference.place(path, 48) for path in expected])
    np.testing.assert_allclose(official_place(paths, 48), placed, atol=2e-3)
    kernels = kernels_of(jnp.asarray(placed, jnp.complex64), EXPOSURES, 48)
    theirs = np.stack([reference.psf(path, EXPOSURES, 48) for path in placed])
    np.testing.assert_allclose(kernels, theirs, atol=1e-5 * theirs.max())
    np.testing.assert_allclose(kernels[:, 2].sum(axis=(1, 2)), 149 / 150, rtol=1e-5)


def test_paths_beyond_the_canvas():
    """The authors clamp the pixel, not the position: what lies beyond the canvas and on its first lines is lost."""
    path = np.array([0.3 + 5.5j, 0.3 + 5.5j, -2 + 4j, 6.2 + 0.4j, 11.4 + 3j, 11.9 + 11.5j, 14 + 2j, 5.5 + 13j, 4 + 4j])
    exposures = (0.3, 1.0)
    kernels = np.asarray(kernels_of(np.complex64(path)[None], exposures, 12)[0])
    np.testing.assert_allclose(kernels, reference.psf(path, exposures, 12), atol=1e-6)
    assert kernels[:, 0].max() == kernels[:, :, 0].max() == 0 < kernels[1, :, 11].max()


@pytest.mark.parametrize(("size", "length"), [(64, 60.0), (21, 15.0), (9, 60.0)])
def test_kernels_sum_to_1_about_their_centre(size, length):
    """Which is where `blur` has it, also where the path is too long for the canvas."""
    kernels = np.asarray(draw(KEY, count=5, size=size, steps=400, length=length, jitter=(0.0, 0.01)))
    assert kernels.shape == (5, 3, size, size) and kernels.min() >= 0
    for kernel in kernels.reshape(-1, size, size):
        assert abs(kernel.sum(dtype=float) - 1) < 1e-5
        np.testing.assert_allclose(centre_of_mass(kernel), size // 2, atol=1e-4)
    longest = (kernels > 0).sum(axis=(2, 3))
    assert (longest[:, 2] > longest[:, 0]).all()


@pytest.mark.slow
@pytest.mark.parametrize(("steps", "exposures"), [(1, EXPOSURES), (2, (0.5,)), (2000, (0.0005,))])
def test_a_kernel_of_one_step_is_a_delta(steps, exposures):
    for size in (8, 13):
        kernels = draw(KEY, count=2, size=size, steps=steps, exposures=exposures)
        np.testing.assert_array_equal(kernels, np.broadcast_to(delta_kernel(size), kernels.shape))


def test_a_ramp_does_not_move():
    kernels = draw(KEY, count=2, size=32, steps=300, length=20.0, exposures=(1.0,))[:, 0]
    ramp = np.broadcast_to(np.linspace(0, 1, 80, dtype=np.float32), (2, 70, 80)) + np.linspace(0, 1, 70)[:, None]
    ramp = np.float32(ramp[..., None] / 2)
    blurred = jax.jit(motion_blur)(ramp, kernels)
    np.testing.assert_allclose(blurred[:, 32:-32, 32:-32], ramp[:, 32:-32, 32:-32], atol=1e-5)


def test_published_kernels_and_blur():
    """The kernel is turned about, so that correlating is what the authors' convolution is; borders get dark."""
    numbers = draw_shake(KEY, 2, steps=200, jitter=(0.01,))
    paths = jax.jit(lambda shake: trajectories(shake, length=12))(numbers)
    psf = [reference.psf(reference.place(path, 16), (0.5, 1.0), 16) for path in np.asarray(paths)]
    kernels = np.asarray(official_kernels_of(paths, (0.5, 1.0), 16))
    images = np.float32(0.2 + 0.5 * RNG.random((2, 30, 30, 3)))
    blurred = np.asarray(jax.jit(functools.partial(motion_blur, official=True))(images, kernels[:, 1]))
    for i in range(2):
        for j in range(2):
            np.testing.assert_allclose(kernels[i, j, ::-1, ::-1], reference.stretched(psf[i][j]), atol=5e-3)
        expected = reference.blur(images[i], kernels[i, 1, ::-1, ::-1])
        np.testing.assert_allclose(blurred[i], expected, atol=1e-5)
    assert blurred[:, 0].mean() < 0.5 * blurred[:, 15].mean()


def test_flat_photos_stay_finite():
    kernels = official_kernels_of(draw_paths(KEY, 1, steps=20, jitter=(0.01,), length=4.0), (1.0,), 8)[:, 0]
    for value in (0.0, 0.5):
        flat = jnp.full((1, 9, 9, 1), value)
        blurred = jax.jit(functools.partial(motion_blur, official=True))(flat, kernels)
        np.testing.assert_array_equal(blurred, 0)


def test_mistakes_are_named():
    with pytest.raises(UserError, match=r"exposures=\(0.5, 1.5\): shares of the time must lie in \(0, 1\]"):
        draw_motion(KEY, 2, exposures=(0.5, 1.5))
    with pytest.raises(UserError, match="exposures=.*must lie in"):
        draw_motion(KEY, 2, exposures=())
    with pytest.raises(UserError, match="kernel_size=2 leaves a motion kernel no room; use at least 3"):
        draw_motion(KEY, 2, size=2)
    with pytest.raises(UserError, match="kernel_size=9.5 must be a whole number of pixels, at least 3"):
        draw_motion(KEY, 2, size=9.5)
    with pytest.raises(UserError, match=r"jitter=\(-0.1,\) must be 0 \(a straight line\) or more"):
        draw_motion(KEY, 2, jitter=(-0.1,))


@pytest.mark.parametrize("options", [{"exposures": 0.5}, {"jitter": 0.005}, {"exposures": ("half",)}])
def test_a_number_in_place_of_several_is_named(options):
    (name,) = options
    for use in (degradations.motion, lambda key, hr, **options: PairOptions("motion", **options).check(1)):
        with pytest.raises(UserError, match=f"{name}=.* is not a sequence of numbers; write for example {name}=.0"):
            use(KEY, jnp.zeros((1, 8, 8, 3)), **options)
