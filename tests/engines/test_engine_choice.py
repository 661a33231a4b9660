"""The engine that was asked for, or the one that was measured fastest; what is said where it is missing."""

import pytest

from jaxsr.engines import engine_choice, runtimes
from jaxsr.engines.engine_choice import engine_for, measured_times
from jaxsr.engines.runtimes import RUNTIMES
from jaxsr.models import MODELS
from jaxsr.restoration.options import RestoreOptions
from jaxsr.support.errors import UserError
from tests.helpers import networks
from tests.helpers.tiles import SRNTT_MODEL

TIMES = {
    "vdsr": {"xla": 3.0, "openvino": 2.0, "onnxruntime": 1.0, "openvino_bf16": 0.5},
    "espcn": {"xla": 1.0, "openvino": 0.95, "onnxruntime": 2.0},
}


@pytest.fixture
def machine(monkeypatch):
    """Return the set of installed engines, on a machine where auto is free and TIMES were measured."""
    installed = {"openvino", "onnxruntime"}
    monkeypatch.delenv("JAXSR_ENGINE", raising=False)
    monkeypatch.setattr(engine_choice, "measured_times", lambda: TIMES)
    for module in (engine_choice, runtimes):
        monkeypatch.setattr(module, "is_installed", installed.__contains__)
    return installed


def test_auto_takes_the_fastest_that_is_installed(machine):
    assert engine_for("vdsr") == "onnxruntime"
    assert engine_for("vdsr", precision="bf16") == "openvino"
    machine.remove("onnxruntime")
    assert engine_for("vdsr") == "openvino"
    machine.clear()
    assert engine_for("vdsr") == "xla"


def test_auto_stays_with_xla_where_little_is_won_or_nothing_was_measured(machine):
    assert engine_for("espcn") == "xla" and engine_for("unmeasured") == "xla"


def test_auto_stays_with_xla_on_a_gpu(machine, monkeypatch):
    monkeypatch.setattr(engine_choice.jax, "default_backend", lambda: "gpu")
    assert engine_for("vdsr") == "xla" and engine_for("vdsr", "openvino") == "openvino"


def test_the_environment_says_what_auto_is(machine, monkeypatch):
    monkeypatch.setenv("JAXSR_ENGINE", "xla")
    assert engine_for("vdsr") == "xla" and engine_for("vdsr", "openvino") == "openvino"
    monkeypatch.setenv("JAXSR_ENGINE", "tpu")
    with pytest.raises(UserError, match="JAXSR_ENGINE=tpu is not an engine"):
        engine_for("vdsr")


def test_where_the_environment_names_a_missing_engine_the_remedy_is_the_variable(machine, monkeypatch):
    machine.remove("openvino")
    monkeypatch.setenv("JAXSR_ENGINE", "openvino")
    with pytest.raises(UserError, match=r"JAXSR_ENGINE=openvino is not installed: pip .*, or unset JAXSR_ENGINE"):
        engine_for("vdsr")
    assert engine_for("vdsr", "xla") == "xla"


def test_a_missing_extra_is_named_before_any_work(machine):
    machine.remove("openvino")
    with pytest.raises(UserError, match=r"engine=openvino is not installed: pip install 'jaxsr\[openvino\]'"):
        RestoreOptions(engine="openvino")


def test_engines_that_do_not_exist_are_refused():
    with pytest.raises(UserError, match="unknown engine 'openvin'; did you mean 'openvino'"):
        RestoreOptions(engine="openvin")


@pytest.mark.parametrize("engine", RUNTIMES)
def test_engines_take_the_network_of_srntt(machine, engine):
    RestoreOptions(engine=engine).check(SRNTT_MODEL)


def test_what_no_photo_can_be_restored_with_is_refused_before_any_work(machine, monkeypatch):
    model = networks.network("espcn", 2)
    with pytest.raises(UserError, match="precision=bf16: onnxruntime computes in float32 on CPUs; leave the precision"):
        RestoreOptions(engine="onnxruntime", precision="bf16").check(model)
    monkeypatch.setenv("JAXSR_ENGINE", "tpu")
    with pytest.raises(UserError, match="JAXSR_ENGINE=tpu is not an engine"):
        RestoreOptions().check(model)


def test_the_committed_table_knows_networks_and_engines():
    names = {"xla", "openvino", "openvino_bf16", "onnxruntime"}
    for network, times in measured_times().items():
        assert network in MODELS and "xla" in times and set(times) <= names and min(times.values()) > 0
