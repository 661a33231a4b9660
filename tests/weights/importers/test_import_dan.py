"""DAN's tensors by the authors' names, in files as the command imports them."""

import functools

import jax
import numpy as np
import pytest

import jaxsr
from jaxsr.import_weights import read_together, with_basis
from jaxsr.support.errors import UserError
from jaxsr.weights.bases import read_basis
from jaxsr.weights.importers import convert, import_tensors
from jaxsr.weights.importers.import_dan import as_basis
from tests.helpers import commands
from tests.helpers.dan_cases import assert_close, compiled, read
from tests.helpers.torch_writer import tensor, write_zip

run = functools.partial(commands.run, "import_weights")


@pytest.mark.shared
@pytest.mark.slow
@pytest.mark.parametrize("name", [f"danv{version}_x{scale}" for version in (1, 2) for scale in (2, 3, 4)])
def test_golden_files_through_the_command(name, shared, tmp_path):
    """A state dict, wrapped as trainers do, becomes a file that gives the reference's images and codes."""
    tensors, data = read(shared / "golden" / f"{name}.npz")
    wrapped = {"params_ema": {f"module.{key}": tensor(np.ascontiguousarray(x)) for key, x in tensors.items()}}
    write_zip(tmp_path / "dan.pth", wrapped)
    output = tmp_path / "dan.safetensors"
    done = run(tmp_path / "dan.pth", f"--model={name[:5]}", f"--output={output}")
    assert done.returncode == 0, done.stderr
    model = jaxsr.load(output)
    assert model.name == name.replace("_", "-")
    result = compiled(functools.partial(model.module.apply, all_rounds=True))(model.variables, data["in/x"])
    assert_close(result.images, data["out/sr"])
    assert_close(result.codes, data["out/kernel_code"])


@pytest.mark.shared
def test_a_basis_of_its_own_file(shared, tmp_path):
    """The authors' file of 441x10 is the one in the reference's weights."""
    tensors, _ = read(shared / "golden" / "danv1_x2.npz")
    basis = shared / "weights" / "dan_pca_iso_21.pth"
    with pytest.raises(UserError, match="hold theirs; leave it out"):
        with_basis("danv1", tensors, str(basis))
    without = {f"module.{name}": x for name, x in tensors.items() if name != "encoder"}
    with pytest.raises(UserError, match="no PCA basis of blur kernels .* by --basis"):
        convert("danv1", without)
    given, own = convert("danv1", with_basis("danv1", without, str(basis))), convert("danv1", tensors)
    jax.tree.map(np.testing.assert_array_equal, given.variables, own.variables)
    with pytest.raises(UserError, match=r"basis is \(961, 15\), the network has \(961, 10\)"):
        import_tensors("danv1", with_basis("danv1", without, str(shared / "weights" / "dan_pca_aniso_31.pth")))


def test_bases_of_other_shapes(tmp_path):
    basis = np.random.default_rng(0).random((121, 10), np.float32)
    for x in (basis, basis[None], basis.T):
        np.testing.assert_array_equal(as_basis(x), basis)
    for x, message in ((basis[0], "is a matrix"), (basis[:100][:99], "99 rows")):
        with pytest.raises(UserError, match=message):
            as_basis(x)
    np.savez(tmp_path / "b.npz", b=basis[:99])
    with pytest.raises(UserError, match=r"b.npz: a PCA basis has a row for each pixel .* got 99 rows"):
        read_basis(tmp_path / "b.npz")


def test_mistakes_are_named(tmp_path):
    np.savez(tmp_path / "b.npz", b=np.zeros((121, 10)))
    with pytest.raises(UserError, match="is for danv1 and danv2; vdsr takes none"):
        with_basis("vdsr", {}, str(tmp_path / "b.npz"))
    with pytest.raises(UserError, match="danv1 is imported from one weight file; got 2"):
        read_together("danv1", [tmp_path / "a", tmp_path / "b"])
    with pytest.raises(UserError, match="no tensor 'Restorer.upscale.0.weight' for danv1; the file has: a"):
        import_tensors("danv1", {"a": np.zeros(1)})
    with pytest.raises(UserError, match="zssr learns from each photo, so no weights of it are published"):
        import_tensors("zssr", {})
