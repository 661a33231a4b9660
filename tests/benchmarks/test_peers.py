"""The PyTorch networks that jaxsr is timed against: as many parameters, the same outputs, the same steps."""

import jax
import numpy as np
import pytest

pytest.importorskip("torch")

import torch

from benchmarks import adversarial, inference, training
from benchmarks.cases import SIZES
from benchmarks.peers import PEERS, critic_peer, peer
from benchmarks.peers.layers import conv
from benchmarks.tables import network
from benchmarks.trials import agrees, relative_error
from jaxsr.degradations import kernels
from jaxsr.models import MODELS, count_parameters
from jaxsr.support.errors import UserError
from jaxsr.training.steps.adversary import ADVERSARIES
from tests.helpers.training import NARROW_ADVERSARIES as NARROW
from tests.helpers.training import REDUCED


def check(trial, found, expected):
    assert agrees(trial, relative_error(found, expected), "float32")


@pytest.fixture
def reduced(monkeypatch):
    """Have the trials build narrow networks, and DAN a basis of few kernels."""
    monkeypatch.setattr(kernels, "PCA_KERNELS", 1_000)

    def narrow(name, scale):
        return network(name, scale, **REDUCED.get(name, {}))

    for module in (inference, training):
        monkeypatch.setattr(module, "network", narrow)


@pytest.mark.slow
@pytest.mark.parametrize("name", PEERS)
def test_a_photo(name, reduced):
    calls = [inference.prepare(contestant, name, SIZES[name].scale, (1, 12, 16)) for contestant in ("jaxsr", "eager")]
    check(inference.TRIAL, *map(inference.observe, calls))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["srcnn", "fsrcnn", "lapsrn", "srresnet", "danv1"])
def test_a_training_step(name, reduced):
    arguments = (name, SIZES[name].scale, 12, 2, "float32")
    calls = [training.prepare(contestant, *arguments) for contestant in ("jaxsr", "eager")]
    check(training.TRIAL, *map(training.observe, calls))


@pytest.mark.slow
@pytest.mark.parametrize("name", adversarial.CONFIGS)
def test_an_adversarial_step(name, monkeypatch):
    """Both networks' losses, of steps that the first ones led to."""
    whole = adversarial.config_of

    def narrow(*arguments):
        config = whole(*arguments)
        config.model.options.update(REDUCED[name])
        config.adversarial.options.update(NARROW[name])
        config.adversarial.updates = min(config.adversarial.updates, 2)
        return config

    monkeypatch.setattr(adversarial, "config_of", narrow)
    calls = [adversarial.prepare(contestant, name, 12, 2, "float32") for contestant in ("jaxsr", "eager")]
    check(adversarial.TRIAL, *map(adversarial.observe, calls))


@pytest.mark.parametrize("name", [*SIZES])
def test_the_paper_s_network_has_as_many_parameters(name):
    spec, scale = MODELS[name], SIZES[name].scale
    with torch.device("meta"):
        module = PEERS[name](spec.module(scale))
    assert sum(tensor.numel() for tensor in module.parameters()) == count_parameters(spec, scale)


@pytest.mark.parametrize(("name", "side"), [("srgan", 48), ("srntt", 50), ("patch", 48)])
def test_a_critic(name, side):
    build, _ = ADVERSARIES[name]
    options = {"srgan": {"hidden": 8}, "srntt": {"hidden": 8}, "patch": {}}[name]
    critic = build(features=4, **options)
    photos = np.random.default_rng(0).random((2, side, side, 3), np.float32)
    variables = jax.jit(critic.init)(jax.random.key(0), photos)
    module = critic_peer(name, critic, variables, photos.shape[1:]).eval()
    expected = critic.apply(variables, photos)
    with torch.inference_mode():
        found = module(torch.from_numpy(photos.transpose(0, 3, 1, 2).copy())).numpy()
    found = found.transpose(0, 2, 3, 1) if found.ndim == 4 else found
    np.testing.assert_allclose(found, expected, atol=1e-5)
    assert sum(x.numel() for x in module.parameters()) == sum(x.size for x in jax.tree.leaves(variables["params"]))


def test_a_wrong_result_is_found():
    expected = np.ones((1, 4, 4, 3))
    assert agrees(inference.TRIAL, relative_error(expected + 5e-5, expected), "float32")
    for wrong in (expected + 2e-4, expected[:, :3], expected + np.nan):
        assert not agrees(inference.TRIAL, relative_error(wrong, expected), "float32")
    assert agrees(inference.TRIAL, relative_error(expected + 2e-4, expected), "bf16")


@pytest.mark.parametrize("precision", ["float32", "bf16"])
def test_peers_compute_in_the_precision_of_the_row(precision):
    photo = np.random.default_rng(0).random((1, 8, 8, 1), np.float32)
    call, exact = (inference.in_torch("eager", network("espcn", 2), photo, (), p) for p in (precision, "float32"))
    error = relative_error(call(), exact())
    assert 1e-4 < error < 5e-2 if precision == "bf16" else error == 0


def test_engines_and_precisions_are_those_of_this_machine(monkeypatch):
    monkeypatch.setattr(inference, "CHOICES", {"engine", "precision"})
    monkeypatch.setattr(inference, "find_spec", lambda name: name == "openvino")
    monkeypatch.setattr(inference, "DEVICE", "cpu")
    monkeypatch.setattr(inference, "has_bf16", lambda: True)
    assert inference.engines_here(()) == ["xla", "openvino"]
    assert list(inference.precisions_here("openvino", ())) == ["float32", "bf16"]
    assert list(inference.precisions_here("xla", ())) == ["float32"]
    with pytest.raises(UserError, match="unknown engine 'onnxruntime'"):
        inference.engines_here(["onnxruntime"])
    monkeypatch.setattr(inference, "CHOICES", set())
    assert inference.engines_here(()) == ["xla"]


def test_precisions_leave_out_engines_without_them_and_say_so_where_none_is_left(monkeypatch):
    monkeypatch.setattr(inference, "find_spec", lambda name: True)
    monkeypatch.setattr(inference, "DEVICE", "cpu")
    (table,) = inference.tables(networks=["espcn"], precisions=["bf16", "float32"])
    measured = [row.labels[1:] for row in table.rows]
    assert [measured[i] for i in (0, 2, 4)] == [("xla", "bf16"), ("openvino", "bf16"), ("onnxruntime", "float32")]
    assert len(measured) == 5
    for wrong in ({"engines": ["onnxruntime"], "precisions": ["bf16"]}, {"scales": ["8"]}):
        with pytest.raises(UserError, match="name others, or none"):
            next(inference.tables(networks=["espcn"], **wrong))
    with pytest.raises(UserError, match="unknown precision"):
        next(inference.tables(precisions=["float16"]))


def test_peers_take_weights_by_name():
    model = network("espcn", 2)
    first = peer(model).conv1
    assert isinstance(first, type(conv(1, 1)))
    np.testing.assert_array_equal(first.weight.detach(), model.params["conv1"]["kernel"].transpose(3, 2, 0, 1))
