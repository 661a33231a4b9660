"""Whether devices have bfloat16."""

from types import SimpleNamespace

import jax
import pytest

from jaxsr.devices import meshes


@pytest.mark.parametrize(
    ("facts", "there"),
    [
        ("flags : fpu avx512f avx512_bf16", True),
        ("flags : amx_bf16 amx_tile", True),
        ("flags : fpu avx2 avx512f", False),
        (None, False),
    ],
)
def test_a_processor_has_bf16_where_linux_says_so(facts, there, tmp_path, monkeypatch):
    monkeypatch.setattr(meshes, "CPU_FACTS", tmp_path / "cpuinfo")
    if facts is not None:
        (tmp_path / "cpuinfo").write_text(f"processor : 0\n{facts}\n")
    assert meshes.has_bf16() == there


@pytest.mark.parametrize(("capability", "there"), [("7.5", False), ("8.0", True), ("12.0", True), ("gfx90a", True)])
def test_gpus_have_bf16_from_ampere_on(capability, there, monkeypatch):
    monkeypatch.setattr(meshes, "on_accelerator", lambda: True)
    monkeypatch.setattr(jax, "local_devices", lambda: [SimpleNamespace(compute_capability=capability)])
    assert meshes.has_bf16() == there
