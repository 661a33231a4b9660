"""Equal fingerprints mean equal results."""

import jax
import numpy as np
import pytest

from jaxsr.api.fingerprints import fingerprint
from jaxsr.api.restorers import NetworkRestorer, open_restorer
from jaxsr.data.kernel_files import write_kernel
from jaxsr.restoration.options import RestoreOptions
from jaxsr.restoration.saving import DEFAULT_SAVING, SaveOptions


def of(model="fsrcnn", saving=DEFAULT_SAVING, scale=None, **options):
    return fingerprint(open_restorer(model, scale=scale, options=RestoreOptions(**options)), saving)


def test_a_network():
    same = of()
    assert same == of("fsrcnn-x2") == of(saving=SaveOptions(max_pixels=9))
    others = [of(scale=3), of("espcn"), of(ensemble=True), of(tile=32), of(saving=SaveOptions(width=9))]
    assert len({same, *others}) == 6


def test_its_weights():
    restorer = open_restorer("fsrcnn")
    assert isinstance(restorer, NetworkRestorer)
    model = jax.tree.map(lambda x: x * np.float32(1.0001), restorer.model)
    assert fingerprint(NetworkRestorer.prepare(model, RestoreOptions()), DEFAULT_SAVING) != of()


def test_zssr_and_its_kernel_file(tmp_path):
    file = tmp_path / "k.npz"
    write_kernel(file, np.full((3, 3), 1 / 9))
    named = f"zssr,kernel={file}"
    before = of(named)
    assert before == of(named) and len({before, of("zssr"), of("zssr,steps=9"), of("zssr", ensemble=True)}) == 4
    write_kernel(file, np.eye(3) / 3)
    assert of(named) != before


@pytest.mark.parametrize("name", ["restore", "a,b=1"])
def test_a_version_is_part_of_it(name, monkeypatch):
    before = of()
    monkeypatch.setattr("jaxsr.api.fingerprints.version", lambda _: name)
    assert of() != before
