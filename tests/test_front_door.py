"""What a researcher does with any network: create or load it, call it, differentiate it, map over it, save it."""

import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxsr
from jaxsr.losses.pixel import l1
from jaxsr.models import MODELS
from jaxsr.models.srntt import Maps, map_sizes
from tests.helpers.dan_cases import compiled
from tests.helpers.networks import REDUCED, quiet_variables
from tests.helpers.tiles import enlarge

KEY = jax.random.key(0, impl="rbg")  # the default generator takes seconds to compile
SHIPPED = ("fsrcnn-x2", "espcn-x3")
SIDES = (7, 6)
DAN = {"kernel_size": 5, "code_length": 3}
TARGET = np.full((1, 1, 1, 1), 0.3, np.float32)
PHOTOS = {channels: np.random.default_rng(channels).random((2, *SIDES, channels), np.float32) for channels in (1, 3)}


def model_of(name):
    """Return a narrow network as it is created, or shipped weights."""
    if name in SHIPPED:
        return jaxsr.load(name)
    options = {**REDUCED[name], **(DAN if name.startswith("dan") else {})}
    return jaxsr.create(name, scale=MODELS[name].scales[0], key=KEY, **options)


def loss_of(model, x, y):
    """Return the mean absolute difference of the restored photos to `y`, a function of the parameters."""

    def loss(params):
        output = model.with_params(params)(x)
        return l1(output=output, target=jnp.broadcast_to(y, output.shape)).mean()

    return loss


@compiled
def script(model, photos):
    """Return the photos restored, and losses and gradients of two sets of parameters, the first being the model's."""
    outputs = {channels: model(x) for channels, x in photos.items()}
    if not model.params:  # bicubic: nothing to map over
        return outputs, None, {}
    two = jax.tree.map(lambda leaf: jnp.stack([leaf, leaf + 0.05]), model.params)
    losses, gradients = jax.vmap(jax.value_and_grad(loss_of(model, photos[3], TARGET)))(two)
    return outputs, losses, jax.tree.map(lambda leaf: leaf[0], gradients)


# Others have the same script behind -m slow: networks that differ from these in their layers alone
BY_DEFAULT = ("bicubic", "espcn", "vdsr", "fsrcnn-x2")
NAMES = [name if name in BY_DEFAULT else pytest.param(name, marks=pytest.mark.slow) for name in (*MODELS, *SHIPPED)]


@pytest.mark.parametrize("name", NAMES)
def test_every_network(name, tmp_path):
    """Call, `jit`, `vmap`, `grad`, `device_put`, `save` and `load`: one test, since one program serves all of it."""
    model = model_of(name)
    outputs, losses, gradients = script(model, PHOTOS)
    assert_photos(model, outputs)
    assert_gradients(model, gradients)
    if model.params:
        np.testing.assert_allclose(losses[0], np.abs(outputs[3] - TARGET).mean(), rtol=1e-4)
        assert np.isfinite(losses[1]) and losses[1] != losses[0]
    assert_moves_to_a_device(model)
    assert_comes_back_bit_for_bit(model, tmp_path / "w.safetensors")
    assert_is_what_restoring_gives(model, outputs)


def assert_photos(model, outputs):
    for channels, y in outputs.items():
        height, width = (model.scale * side for side in SIDES)
        assert y.shape == (2, height, width, channels) and y.dtype == jnp.float32
        assert 0 <= y.min() < y.max() <= 1


def assert_gradients(model, gradients):
    """They have the shapes of the parameters, are finite, and not all zero."""
    assert jax.tree.map(np.shape, gradients) == jax.tree.map(np.shape, dict(model.params))
    leaves = jax.tree.leaves(gradients)
    assert all(np.isfinite(leaf).all() for leaf in leaves)
    assert not leaves or max(np.abs(leaf).max() for leaf in leaves) > 0


def assert_moves_to_a_device(model):
    device = jax.local_devices()[1]
    moved = jax.device_put(model, device)
    assert isinstance(moved, jaxsr.Model) and moved.card == model.card
    assert all(leaf.devices() == {device} for leaf in jax.tree.leaves(moved))


def assert_comes_back_bit_for_bit(model, path):
    model.save(path, licence="CC0-1.0")
    loaded = jaxsr.load(path)
    assert (loaded.spec, loaded.module, loaded.scale) == (model.spec, model.module, model.scale)
    assert loaded.card["licence"] == "CC0-1.0"
    have, want = (dict(jax.tree_util.tree_leaves_with_path(dict(each.variables))) for each in (loaded, model))
    assert have.keys() == want.keys()
    jax.tree.map(np.testing.assert_array_equal, list(have.values()), [want[path] for path in have])


def assert_is_what_restoring_gives(model, outputs):
    """Of a colour photo for a network on luma, and a grey one for a network on RGB; but for the clipping."""
    channels = 3 if model.channels == 1 else 1
    model = model.with_options(alone=True) if model.needs else model
    restored = enlarge(model, PHOTOS[channels][0], quantize=False)
    np.testing.assert_allclose(outputs[channels][0], np.clip(restored, 0, 1), atol=2e-5)


def test_the_script_as_printed():
    """Without `jit`, then with it."""
    model = jaxsr.load("espcn-x2")
    x = jnp.asarray(PHOTOS[1])
    y = model(x)
    np.testing.assert_allclose(jax.jit(lambda m, x: m(x))(model, x), y, atol=1e-6)
    gradients = jax.grad(lambda p: l1(output=model.with_params(p)(x), target=y + 0.1).mean())(model.params)
    again = jax.jit(jax.grad(loss_of(model, x, y + 0.1)))(model.params)
    assert jax.tree.structure(gradients) == jax.tree.structure(dict(model.params))
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6), gradients, again)
    whole = jax.jit(jax.grad(lambda m: m(x).mean()))(model)
    assert isinstance(whole, jaxsr.Model) and whole.card == model.card


def test_models_are_stacked():
    """Two models as one pytree, each leaf with a new first axis."""
    models = [jaxsr.create("espcn", scale=2, key=jax.random.key(i), features=(6, 4)) for i in range(2)]
    stacked = jax.tree.map(lambda *leaves: jnp.stack(leaves), *models)
    x = jnp.asarray(PHOTOS[1])
    y = jax.jit(jax.vmap(lambda m, x: m(x), in_axes=(0, None)))(stacked, x)
    apart = jax.jit(lambda models, x: jnp.stack([model(x) for model in models]))
    np.testing.assert_allclose(y, apart(models, x), atol=1e-6)


def test_values_are_clipped_and_gradients_are_not():
    model = jaxsr.load("bicubic", scale=2)
    x = np.zeros((1, 8, 8, 1), np.float32)
    x[:, 2:, 2:] = 1  # the cubic overshoots on both sides of the edge
    y, pull = jax.vjp(model, jnp.asarray(x))
    assert (y == 0).sum() > 1 and (y == 1).sum() > 1 and y.min() == 0 and y.max() == 1
    np.testing.assert_allclose(pull(jnp.ones_like(y))[0].sum(), y.size, rtol=1e-4)  # of a linear map, not cut off


def test_srntt_transfers_texture_from_maps():
    module = MODELS["srntt"].module(4, **REDUCED["srntt"])
    model = jaxsr.Model(MODELS["srntt"], module, 4, quiet_variables(module))
    rng = np.random.default_rng(0)
    x = np.float32(rng.random((1, 4, 5, 3)))
    maps = Maps(*(np.float32(rng.random((1, *size))) for size in map_sizes(4, 5)))
    alone, textured = compiled(lambda model, x, maps: (model(x), model(x, maps)))(model, x, maps)
    assert textured.shape == alone.shape == (1, 16, 20, 3) and np.abs(textured - alone).max() > 0.01


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("danv1", {"codes": (2, 4, 3), "images": (2, 4, 14, 12, 1)}),
        ("danv2", {"codes": (2, 4, 3), "images": (2, 4, 14, 12, 1), "kernels": (2, 4, 5, 5)}),
        ("drcn", {"images": (2, 3, 14, 12, 1)}),
        ("lapsrn", {"image_x2": (2, 14, 12, 1)}),
        ("mslapsrn", {"image_x2": (2, 14, 12, 1)}),
        ("espcn", {}),
    ],
)
def test_details(name, expected):
    """What a network returns beside the image; the last of the images is the result but for the clipping."""
    model = model_of(name)
    details, y = compiled(lambda model, x: (model.details(x), model(x)))(model, PHOTOS[1])
    assert {name: x.shape for name, x in details.items()} == expected
    if "codes" in details:
        np.testing.assert_allclose(np.clip(details["images"][:, -1], 0, 1), y, atol=1e-5)
    if "image_x2" in details:
        np.testing.assert_allclose(np.clip(details["image_x2"], 0, 1), y, atol=1e-5)


@pytest.mark.slow
def test_mistakes_are_named_under_jit_too():
    model = jaxsr.load("espcn-x2")
    deblurgan = model_of("deblurgan")
    for call in (model, jax.jit(model)):
        with pytest.raises(jaxsr.UserError, match=r"espcn-x2 takes photos \(N, H, W, 1 or 3\); got shape \(8, 8, 3\)"):
            call(jnp.zeros((8, 8, 3)))
        with pytest.raises(jaxsr.UserError, match="got shape"):
            call(jnp.zeros((1, 8, 8, 4)))
        with pytest.raises(jaxsr.UserError, match="takes floats in .*; got uint8; divide by the level of white, 255"):
            call(jnp.zeros((1, 8, 8, 1), jnp.uint8))
    with pytest.raises(jaxsr.UserError, match="photos of 9x4 pixels are too small for deblurgan; use 5x5 or more"):
        jax.eval_shape(deblurgan, jnp.zeros((1, 9, 4, 3)))
    valid = jaxsr.create("srcnn", scale=2, key=KEY, **REDUCED["srcnn"], padding="valid")
    with pytest.raises(jaxsr.UserError, match="padding='valid' is for training; restore with another padding"):
        jax.eval_shape(valid, jnp.zeros((1, 9, 9, 1)))


def test_mistakes_in_creating():
    for name, options, message in (
        ("kernelgan", {}, "estimates a blur kernel and restores nothing: use jaxsr.estimate_kernel"),
        ("rdnn", {}, "unknown model 'rdnn'; did you mean 'rdn'"),
        ("rdn", {"block": 4}, "rdn has no option 'block'; did you mean 'blocks'"),
        ("rdn", {"scale": 5}, "rdn has no scale 5; choose one of: 2, 3, 4"),
        ("rdn", {"key": 0}, r"key=0 is not a PRNG key; make one: key=jax.random.key\(0\)"),
    ):
        with pytest.raises(jaxsr.UserError, match=message):
            jaxsr.create(name, **{"scale": 2, "key": KEY, **options})


@pytest.mark.slow
def test_the_same_key_gives_the_same_weights():
    options = {**REDUCED["danv1"], **DAN}
    keys = (KEY, KEY, jax.random.key(1, impl="rbg"))
    first, again, other = (jaxsr.create("danv1", scale=2, key=key, **options).variables for key in keys)
    jax.tree.map(np.testing.assert_array_equal, first, again)
    kernels = [variables["params"]["restorer"]["head"]["kernel"] for variables in (first, other)]
    assert np.abs(kernels[0] - kernels[1]).max() > 0
    basis = np.asarray(first["constants"]["basis"])
    np.testing.assert_allclose(basis.T @ basis, np.eye(3), atol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["train", "evaluate", "restore", "degrade", "estimate_kernel"])
def test_a_command_does_not_hide_the_function_of_its_name(name):
    """In a process of its own: the attribute is set where a command is imported for the first time."""
    lines = ["import jaxsr", f"from jaxsr.{name} import main", f"import jaxsr.{name}", "assert callable(main)"]
    lines += [f"assert jaxsr.{name}.__name__ == '{name}' and callable(jaxsr.{name}), jaxsr.{name}"]
    done = subprocess.run([sys.executable, "-c", "\n".join(lines)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
