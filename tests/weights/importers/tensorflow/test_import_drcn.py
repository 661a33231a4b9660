"""DRCN's variables by the paper's symbols and by words, from a checkpoint as from arrays."""

import jax
import numpy as np
import pytest

from jaxsr.models.drcn import DRCN
from jaxsr.support.errors import UserError
from jaxsr.weights.formats import read_tensors
from jaxsr.weights.importers import import_tensors
from tests.helpers.networks import random_variables
from tests.helpers.tensorflow_writer import single_file, write_bundle

NET = DRCN(features=5, recursions=3)
LAYERS = ("embedding1", "embedding2", "shared", "reconstruction1", "reconstruction2")
SYMBOLS = ("-1", "0", "", "D1", "D2")
NAMES = {
    "scopes": [*(f"W{symbol}_conv/{kind}" for symbol in SYMBOLS for kind in "WB"), "LayerWeights"],
    "symbols": [*(name for symbol in SYMBOLS for name in (f"W{symbol}_conv", f"B{symbol}")), "LayerWeights"],
    "bare": [*(f"{kind}{symbol}" for symbol in ("m1", "0", "", "D+1", "D+2") for kind in "WB"), "weights"],
    "words": [*(f"{layer}/{kind}" for layer in LAYERS for kind in ("weights", "biases")), "ensemble_weights"],
}


def published(variables, names, *, torch=False):
    """Return a network's variables under `names`: of each layer kernel and bias, then of the sum."""
    params = variables["params"]
    parts = [params[name] if name in params else params["recursion"][name] for name in LAYERS]
    order = (3, 2, 0, 1) if torch else (0, 1, 2, 3)
    arrays = [x for part in parts for x in (part["kernel"].transpose(order), part["bias"])]
    return {name: np.asarray(x) for name, x in zip(names, [*arrays, params["weights"]], strict=True)}


@pytest.mark.parametrize("names", list(NAMES))
def test_each_variable_has_its_place(names):
    variables = random_variables(NET)
    tensors = published(variables, NAMES[names])
    for prefix in ("", "model/", "a/b/"):
        named = {f"{prefix}{name}:0": tensors[name] for name in sorted(tensors)}
        model = import_tensors("drcn", named, scale=3)
        assert model.module == NET and model.scale == 3
        jax.tree.map(np.testing.assert_array_equal, model.variables, variables)


def test_pytorchs_layout():
    variables = random_variables(NET)
    names = [f"{layer}.{kind}" for layer in LAYERS for kind in ("weight", "bias")]
    tensors = published(variables, [*names, "weights"], torch=True)
    model = import_tensors("drcn", {f"state_dict.module.{name}": x for name, x in tensors.items()}, scale=2)
    jax.tree.map(np.testing.assert_array_equal, model.variables, variables)


def test_checkpoints_with_their_optimizer_and_averages(tmp_path):
    """Averages take the place of what they average; what the optimizer keeps is left out."""
    variables = random_variables(NET)
    tensors = published(variables, NAMES["symbols"])
    slots = {f"{name}/{slot}": 0 * x for name, x in tensors.items() for slot in ("Adam", "Adam_1", "Momentum")}
    averages = {f"{name}/ExponentialMovingAverage": x for name, x in tensors.items()}
    raw = {name: x + 1 for name, x in tensors.items()}
    powers = {"beta1_power": np.float32(0.9), "global_step": np.int64(9)}
    whole = {**raw, **slots, **averages, **powers}
    write_bundle(tmp_path / "model.ckpt-9", whole)
    (tmp_path / "old.ckpt").write_bytes(single_file(whole))
    for name in ("model.ckpt-9.index", "model.ckpt-9", "old.ckpt"):
        model = import_tensors("drcn", read_tensors(tmp_path / name), scale=2)
        jax.tree.map(np.testing.assert_array_equal, model.variables, variables)


def test_mistakes_are_named():
    tensors = published(random_variables(NET), NAMES["symbols"])
    with pytest.raises(UserError, match="the shapes of drcn do not tell its scale; say it: --model=drcn,scale=3"):
        import_tensors("drcn", tensors)
    for missing, expected in (("W0_conv", "embedding2 kernel"), ("BD1", "reconstruction1 bias")):
        with pytest.raises(UserError, match=f"no tensor '{expected}' for drcn"):
            import_tensors("drcn", {name: x for name, x in tensors.items() if name != missing}, scale=2)
    joined = tensors | {"WD2_conv": np.zeros((3, 3, 6, 1), np.float32)}
    with pytest.raises(UserError, match="takes the photo beside the features, the paper's DRCN adds it"):
        import_tensors("drcn", joined, scale=2)
