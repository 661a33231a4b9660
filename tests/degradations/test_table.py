"""The table of degradations: every row does in a batch what it says, its public function the same."""

import functools
import inspect

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxsr import degradations
from jaxsr.data.images import read_pixels
from jaxsr.degradations import DEGRADATIONS, degrade_batch
from jaxsr.degradations.blurring import blur
from jaxsr.degradations.camera_shake import draw_camera_shake
from jaxsr.degradations.downscale import downscale, fitted_kernel
from jaxsr.degradations.kernels import draw_anisotropic, draw_isotropic, gaussian8_kernels
from jaxsr.degradations.table import context_of, degradation_of
from jaxsr.imaging.color import round_to_levels
from jaxsr.imaging.patches import modcrop
from jaxsr.imaging.resize import resize
from jaxsr.metrics.protocols import PROTOCOLS, Protocol
from jaxsr.support.errors import UserError
from jaxsr.support.randomness import Stream, stream

KEY = jax.random.key(5)
HR = np.float32(resize(np.random.default_rng(0).random((3, 12, 12, 3)), size=(48, 48)).clip(0, 1))
SIZES = {"motion": 12, "isotropic": 9, "anisotropic": 10, "gaussian8": 11, "gaussian8_ikc": 11}
# "real" takes seconds to compile
ROWS = [pytest.param(name, marks=pytest.mark.slow) if name == "real" else name for name in DEGRADATIONS]
jitted = jax.jit(degrade_batch, static_argnames=("name", "scale", "kernel_size", "quantize"))


def scale_of(name):
    return DEGRADATIONS[name].scales[0]


@functools.cache
def degraded(name, quantize=None):
    """Return what a row makes of HR, compiled once for all tests."""
    keys = jax.random.split(KEY, len(HR))
    return jitted(keys, HR, name, scale=scale_of(name), kernel_size=SIZES.get(name), quantize=quantize)


def test_the_names():
    names = ["bicubic", "pillow", "bd", "dn", "isotropic", "anisotropic", "gaussian8", "gaussian8_ikc"]
    names += ["div2krk", "motion", "real"]
    assert list(DEGRADATIONS) == names
    assert DEGRADATIONS["bicubic"].resizer == Protocol.resizer
    assert len({row.summary for row in DEGRADATIONS.values()}) == len(names)
    for row in DEGRADATIONS.values():
        assert (row.draw is None) == (not row.kernel_sizes)
        assert row.draw is None or set(row.kernel_sizes) == set(row.scales)
        assert not row.validated_on or row.validated_on in names


@pytest.mark.parametrize("name", ROWS)
def test_shapes_ranges_and_kernels(name):
    scale, (lr, kernels) = scale_of(name), degraded(name)
    assert lr.shape == (3, 48 // scale, 48 // scale, 3) and lr.dtype == jnp.float32
    assert lr.min() > -0.1 and lr.max() < 1.1 and lr.std() > 0.05
    if DEGRADATIONS[name].eight_bit:
        np.testing.assert_allclose(lr * 255, np.rint(np.asarray(lr) * 255), atol=1e-4)
    if DEGRADATIONS[name].draw is None:
        assert kernels is None
        return
    size = SIZES.get(name, 11)
    assert kernels.shape == (3, size, size) and kernels.min() >= 0
    np.testing.assert_allclose(kernels.sum(axis=(1, 2)), 1, rtol=1e-5)
    assert np.abs(kernels[0] - kernels[1]).max() > 1e-4 or name in ("gaussian8", "gaussian8_ikc")


@pytest.mark.slow
@pytest.mark.parametrize("name", DEGRADATIONS)
def test_a_public_function_is_its_row(name):
    function = getattr(degradations, name)
    options = {"kernel_size": SIZES[name]} if name in SIZES else {}
    options |= {} if name == "motion" else {"scale": scale_of(name)}
    random = "key" in inspect.signature(function).parameters
    result = function(*((KEY, HR) if random else (HR,)), **options)
    expected = degraded(name)
    if DEGRADATIONS[name].draw is None:
        result = (result, None)
    else:
        np.testing.assert_allclose(result[1], expected.kernels, atol=1e-6)
    difference = np.abs(result[0] - expected.lr)
    assert difference.max() < 1.01 / 255 and (difference < 1e-5).mean() > 0.999


@pytest.mark.parametrize("name", ["isotropic", "anisotropic", "motion"])
def test_kernels_are_drawn_by_each_key_in_its_stream(name):
    draw = {
        "isotropic": lambda key: draw_isotropic(key, 1, size=9, widths=(0.2, 2.0))[0],
        "anisotropic": lambda key: draw_anisotropic(key, 1, size=10)[0],
        "motion": lambda key: draw_camera_shake(key, 12),
    }[name]
    key = stream(jax.random.split(KEY, 3)[1], Stream.BLUR_KERNEL)
    np.testing.assert_allclose(degraded(name).kernels[1], draw(key), atol=1e-6)


@pytest.mark.parametrize("name", ["isotropic", "anisotropic", "gaussian8"])
def test_gaussian_kernels_blur_before_bicubic(name):
    lr, kernels = degraded(name, quantize=False)
    np.testing.assert_allclose(lr, resize(blur(HR, kernels), 1 / 2), atol=2e-6)
    assert (np.abs(round_to_levels(lr) - degraded(name).lr) < 1e-5).mean() > 0.999


@pytest.mark.parametrize("name", ["isotropic", "anisotropic", "gaussian8"])
def test_kernels_of_even_sides_move_no_photo(name):
    ramp = np.broadcast_to(np.linspace(0, 1, 64, dtype=np.float32)[:, None], (1, 64, 64, 1))
    ramp = (ramp + ramp.swapaxes(1, 2)) / 2
    lr, kernels = degrade_batch(jax.random.split(KEY, 1), ramp, name, scale=2, kernel_size=24, quantize=False)
    assert kernels.shape == (1, 24, 24)
    np.testing.assert_allclose(lr[:, 8:-8, 8:-8], resize(ramp, 1 / 2)[:, 8:-8, 8:-8], atol=0.15 / 63)  # of a pixel


def test_gaussian8_takes_one_of_its_test_kernels():
    tests = np.asarray(DEGRADATIONS["gaussian8"].test_kernels(2, 11))
    np.testing.assert_array_equal(tests, gaussian8_kernels(2, 11))
    keys = jax.random.split(KEY, 64)
    drawn = np.asarray(jax.vmap(lambda key: DEGRADATIONS["gaussian8"].draw(key, 2, 11))(keys))
    nearest = np.abs(drawn[:, None] - tests[None]).max(axis=(2, 3))
    assert nearest.min(axis=1).max() < 1e-7 and set(nearest.argmin(axis=1)) == set(range(8))


@pytest.mark.slow
@pytest.mark.parametrize("scale", [2, 4])
def test_div2krk_is_the_reduction_with_its_kernel_centred(scale):
    """SciPy's spline moves the kernels that the batch moves by matrices; x4 takes its kernel of x2 twice."""
    hr, keys = np.float32(resize(HR, 2).clip(0, 1)), jax.random.split(KEY, 3)
    lr, kernels = jitted(keys, hr, "div2krk", scale=scale, quantize=False)
    assert kernels.shape == (3, 31, 31) if scale == 4 else (3, 11, 11)
    moved = np.float32([fitted_kernel(np.float64(kernel), scale) for kernel in kernels])
    np.testing.assert_allclose(lr, downscale(jnp.asarray(hr), jnp.asarray(moved), scale), atol=5e-6)


def test_integer_levels_are_photos_too():
    levels = np.rint(HR * 255).astype(np.uint8)
    expected = degradations.bicubic(np.float32(levels / 255), scale=2)
    np.testing.assert_allclose(degradations.bicubic(levels, scale=2), expected, atol=1e-6)


def test_bicubic_is_differentiable():
    gradient = jax.grad(lambda hr: jnp.sum(degradations.bicubic(hr, scale=2)))(jnp.asarray(HR))
    np.testing.assert_allclose(gradient.sum(), 24 * 24 * 9, rtol=1e-4)


def test_contexts():
    assert context_of("bicubic", 2) == context_of("bd", 3) == 2
    assert context_of("anisotropic", 2, 11) == 3 + 2 and context_of("isotropic", 4) == 3 + 2
    assert context_of("div2krk", 2) == context_of("div2krk", 4) - 1 == 4
    assert context_of("motion", 1) == 32


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("bicubik", 2), "unknown degradation 'bicubik'; did you mean 'bicubic'"),
        (("motion", 2), "motion has no scale 2; choose one of: 1"),
        (("isotropic", 8), "isotropic has no scale 8; choose one of: 2, 3, 4"),
        (("div2krk", 2, 21), "div2krk at scale 2 has kernels of 11x11, not of 21; leave the size out"),
        (("isotropic", 2, 0), "kernel_size=0 must be a whole number, at least 1; isotropic takes 21"),
        (("isotropic", 2, 2.5), "kernel_size=2.5 must be a whole number"),
    ],
)
def test_mistakes_are_named(arguments, message):
    with pytest.raises(UserError, match=message):
        degradation_of(*arguments)


def test_photos_that_do_not_fit_are_named():
    with pytest.raises(UserError, match=r"shape \(N, H, W, C\); got \(48, 48, 3\); give a single one as photo\[None\]"):
        degradations.bicubic(HR[0], scale=2)
    with pytest.raises(UserError, match="JPEG has grey photos and RGB; got 2 channels; use 1 or 3"):
        degradations.real(KEY, HR[..., :2], scale=2)
    with pytest.raises(UserError, match="photos of 48x47 have sides that are not multiples of the scale 2"):
        degradations.bicubic(HR[:, :47], scale=2)


@pytest.mark.parametrize("dtype", [np.int32, np.int64, np.uint32, np.int8, bool, complex])
def test_integers_whose_white_is_unknown_are_refused(dtype):
    """Levels of 8 bits, divided by the largest number of 32, made black photos."""
    photos = np.full((1, 8, 8, 3), 100).astype(dtype)
    for degrade in (functools.partial(degradations.bicubic, scale=2), functools.partial(degradations.motion, KEY)):
        with pytest.raises(UserError, match="photos are uint8, uint16 or floats in .0, 1.; got .*; convert them"):
            degrade(photos)


@pytest.mark.parametrize("name", ["dn", "isotropic", "div2krk", "motion"])
def test_photos_and_kernels_are_float32_with_double_precision_too(name):
    scale = DEGRADATIONS[name].scales[0]
    keys = jax.random.split(KEY, 3)
    with jax.enable_x64(True):
        results = [jax.eval_shape(lambda: degrade_batch(keys, HR, name, scale=scale, quantize=False))]
        if name == "motion":
            results.append(jax.eval_shape(lambda: degradations.motion(KEY, HR, kernel_size=8)))
    assert {leaf.dtype for leaf in jax.tree.leaves(results)} == {np.dtype(np.float32)}


def test_keys_that_do_not_fit_are_named():
    """One key for three photos would blur them all alike."""
    for keys in (KEY, jax.random.split(KEY, 1)):
        with pytest.raises(UserError, match="3 photos need as many keys"):
            degrade_batch(keys, HR, "isotropic", scale=2)
    for key in (0, HR, jax.random.split(KEY, 3)):
        with pytest.raises(UserError, match=r"is not a PRNG key; make one: key=jax.random.key\(0\)"):
            degradations.isotropic(key, HR, scale=2)


@pytest.mark.parametrize(
    ("hr", "message"),
    [
        ("photo.png", r"photos have the shape \(N, H, W, C\); got 'photo.png'"),
        (None, r"photos have the shape \(N, H, W, C\); got None"),
        (np.zeros((1, 0, 4, 3)), r"photos of shape \(1, 0, 4, 3\) have no pixels"),
    ],
)
def test_what_is_no_batch_of_photos_is_named(hr, message):
    with pytest.raises(UserError, match=message):
        degradations.bd(hr, scale=2)
    with pytest.raises(UserError, match=message):
        degradations.isotropic(KEY, hr, scale=2)


@pytest.mark.slow
@pytest.mark.shared
@pytest.mark.parametrize(("scale", "printed"), [(2, 28.82), (3, 26.21), (4, 24.57)])
def test_the_bicubic_rows_of_ikc_and_dan(shared, scale, printed):
    """Set5 under each kernel, enlarged by bicubic, as their tables have it."""
    kernels, scores = DEGRADATIONS["gaussian8_ikc"].test_kernels(scale, 21), []
    for path in sorted((shared / "data" / "test" / "Set5" / "hr").glob("*.png")):
        hr = np.float32(modcrop(read_pixels(path), scale) / 255)
        lr = round_to_levels(resize(blur(np.repeat(hr[None], 8, axis=0), kernels), 1 / scale))
        large = np.asarray(resize(lr, scale))
        scores += [PROTOCOLS["y-full"].score(image, hr, scale=scale, luma_only=False)["psnr"] for image in large]
    assert np.mean(scores) == pytest.approx(printed, abs=0.04)
