"""A model as a value: its card, its tree, what changes with other parameters, options and scales."""

import copy
import dataclasses
import pickle

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxsr.models import MODELS, Model, model_spec
from jaxsr.models.card import Card
from jaxsr.support.errors import UserError
from tests.helpers.networks import REDUCED, lively


def model_of(name="espcn", scale=2, card=None, **options):
    module = MODELS[name].module(scale, **{**REDUCED[name], **options})
    return Model(MODELS[name], module, scale, lively(module), card or {})


def test_a_card_is_a_frozen_mapping_of_json():
    facts = {"scores": [{"psnr": 30.5}], "licence": "MIT"}
    card = Card(facts)
    facts["scores"].append(1)
    assert card["scores"] == [{"psnr": 30.5}] and dict(card) == {"scores": [{"psnr": 30.5}], "licence": "MIT"}
    same = Card({"licence": "MIT", "scores": [{"psnr": 30.5}]})
    assert card == same and hash(card) == hash(same) and card == dict(same) and card != Card() and len(card) == 2
    assert repr(card) == "Card(scores, licence)"
    with pytest.raises(TypeError):
        Card({"scores": {1, 2}})


def test_variables_are_leaves_and_all_else_is_static():
    model = model_of(card={"licence": "MIT"})
    leaves, tree = jax.tree.flatten(model)
    assert len(leaves) == len(jax.tree.leaves(model.variables)) == 6
    again = jax.tree.unflatten(tree, leaves)
    assert (again.spec, again.module, again.scale, again.card) == (model.spec, model.module, model.scale, model.card)
    assert hash(tree) == hash(jax.tree.structure(model_of(card={"licence": "MIT"})))
    assert tree != jax.tree.structure(model_of()) and tree != jax.tree.structure(model_of(activation="relu"))


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))])
def test_a_copy_goes_with_the_original(name, again):
    spec = MODELS[name]
    module = spec.module(spec.scales[0], **REDUCED[name])
    model = Model(spec, module, spec.scales[0], {"params": {"slope": np.ones(2)}}, {"licence": "MIT"})
    mean = jax.tree.map(lambda a, b: (a + b) / 2, model, again(model))
    assert again(model).spec is spec
    np.testing.assert_array_equal(mean.params["slope"], [1, 1])


def test_a_spec_of_ones_own_is_copied_as_it_is():
    for name in ("own", "fsrcnn", "ops"):
        spec = dataclasses.replace(MODELS["fsrcnn"], name=name, paper="none")
        again = pickle.loads(pickle.dumps(spec))
        assert again is not spec and (again.name, again.paper, again.build) == (name, "none", spec.build)


def test_models_of_one_kind_share_a_compiled_program():
    calls = []

    @jax.jit
    def run(model, x):
        calls.append(model.name)
        return model(x)

    model, x = model_of(), jnp.zeros((1, 8, 8, 1))
    run(model, x)
    run(model.with_params(jax.tree.map(lambda leaf: 2 * leaf, model.params)), x)
    assert calls == ["espcn-x2"]
    run(model.with_options(activation="relu"), x)
    assert len(calls) == 2


@pytest.mark.slow
def test_other_parameters_leave_the_rest():
    model = model_of("srresnet")
    zero = model.with_params(jax.tree.map(jnp.zeros_like, model.params))
    assert zero.variables["batch_stats"] is model.variables["batch_stats"] and zero.module is model.module
    assert all((leaf == 0).all() for leaf in jax.tree.leaves(zero.params))
    assert repr(model) == f"Model('srresnet-x2', {sum(x.size for x in jax.tree.leaves(model.params)):,} parameters)"


def test_one_set_of_weights_at_other_scales():
    model = model_of("vdsr")
    assert model.at_scale(3).name == "vdsr-x3" and model.at_scale(3).variables is model.variables
    x = jax.ShapeDtypeStruct((1, 5, 4, 3), jnp.float32)
    assert jax.eval_shape(model.at_scale(4), x).shape == (1, 20, 16, 3)
    with pytest.raises(UserError, match="espcn-x2 was made for scale 2, not 3"):
        model_of().at_scale(3)


def test_sides_are_padded_by_reflection_and_cut_again():
    model = model_of("deblurgan", 1)
    x = np.float32(np.random.default_rng(0).random((1, 9, 6, 3)))
    whole = jnp.pad(x, ((0, 0), (0, 3), (0, 2), (0, 0)), mode="reflect")
    y, padded = jax.jit(lambda model, x, whole: (model(x), model(whole)))(model, x, whole)
    assert y.shape == x.shape
    np.testing.assert_allclose(y, padded[:, :9, :6], atol=1e-5)


def test_kernelgan_is_no_restorer():
    with pytest.raises(UserError, match="kernelgan estimates a blur kernel and restores nothing: use jaxsr.estimate"):
        model_spec("kernelgan")


@pytest.mark.parametrize("dtype", [jnp.float16, jnp.bfloat16, jnp.float32])
def test_photos_are_taken_in_the_type_of_the_weights(dtype):
    model, x = model_of(), jnp.asarray(np.random.default_rng(0).random((1, 8, 8, 1)), dtype)
    np.testing.assert_array_equal(model(x), model(x.astype(jnp.float32)), strict=True)
    half = jax.tree.map(lambda leaf: jnp.asarray(leaf, jnp.bfloat16), model)
    assert half(x).dtype == jnp.bfloat16
