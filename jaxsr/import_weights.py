"""Import published weights: `python -m jaxsr.import_weights FILE --model=fsrcnn,scale=3 --output=F.safetensors`.

Imports srcnn, fsrcnn, espcn, vdsr, rdn, lapsrn, mslapsrn, srresnet, srgan, drcn, srdensenet, danv1, danv2, deblurgan
and srntt. Reads PyTorch (.pth, .pt, .ckpt; no code in the file is run), TensorFlow (.index with its .data, or one
.ckpt), MATLAB (.mat), NumPy (.npz, .npy) and .safetensors files. The weights of srntt may be two files, given together.
Options after the model's name are its constructor's fields; most are read off the shapes, the others have to be given.
The scale of a network that has none in its shapes is taken from the file's name, such as fsrcnn_x3.mat.
Exit status 0: written; 2: wrong usage or a file that does not fit.
"""

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from absl import flags

from jaxsr.support import command_line
from jaxsr.support.errors import UserError
from jaxsr.support.files import file_digest
from jaxsr.support.messages import say
from jaxsr.support.model_options import Option, parse_model
from jaxsr.support.paths import is_file, output_file, real_path, user_path

_MODEL = flags.DEFINE_string("model", None, "Name[,option=value...], such as fsrcnn,scale=3.", required=True)
_OUTPUT = flags.DEFINE_string("output", None, "The weight file to write, *.safetensors.", required=True)
_BASIS = flags.DEFINE_string("basis", None, "DAN's PCA basis, for weights without: the authors' pca_matrix.pth.")
_LICENCE = flags.DEFINE_string("licence", "as the publisher states", "The licence on the file's card.")


def main(arguments: Sequence[str]) -> int:
    """Import one model; return the exit status."""
    from jaxsr.models import count_parameters  # after the flags, so that a typo is reported at once
    from jaxsr.models.serialization import check_name
    from jaxsr.weights.importers import build, check_importable, convert
    from jaxsr.weights.readers.bounds import refusals
    from jaxsr.weights.readers.tensorflow_files import index_of

    if not arguments:
        raise UserError("no weight file; name one: python -m jaxsr.import_weights weights.pth --model=vdsr,scale=2")
    name, options = parse_model(_MODEL.value)
    scale = split_scale(name, options)
    check_importable(name)
    check_name(_OUTPUT.value)
    output, sources = output_file(_OUTPUT.value, "--output"), [user_path(argument) for argument in arguments]
    check_sources(sources, output)
    with refusals(sources[0], f"not {name}", "give its published weights"):
        imported = convert(name, with_basis(name, read_together(name, sources), _BASIS.value))
        if scale is None and imported.scale is None and (scale := scale_in_name(sources[0].name)):
            say(f"scale {scale} is taken from the file's name, as no shape tells it; another: --model={name},scale=N")
        model = build(name, imported, scale=scale, **options)
    names = ", ".join(source.name for source in sources)
    digests = ", ".join(file_digest(index_of(source)) for source in sources)
    model.save(output, training={"imported_from": names, "sha256": digests}, licence=_LICENCE.value)
    print(f"{model.name}: {count_parameters(model.spec, model.scale, **model.options):,} parameters, {model.options}")
    print(f"written to {output}")
    return command_line.DONE


def check_sources(sources: Sequence[Path], output: Path) -> None:
    """Raise UserError where one of `sources` is a weight file of this package, which needs no import, or `output`."""
    from jaxsr.weights.readers.safetensors_files import read_metadata

    for path in sources:
        if real_path(path) == real_path(output):
            raise UserError(f"{output} would overwrite the input {path}; choose another --output")
        if path.suffix.lower() == ".safetensors" and is_file(path) and "card" in read_metadata(path):
            raise UserError(f"{path} is a weight file of jaxsr already; use it as it is, as --model={path}")


def read_together(name: str, sources: Sequence[Path]) -> dict[str, np.ndarray]:
    """Return the arrays of a file, or of several, under names that begin with their file's where there are more.

    Raises UserError for several files of another model than SRNTT, whose two parts are published apart.
    """
    from jaxsr.weights.formats import read_tensors

    if len(sources) > 1 and name != "srntt":
        raise UserError(f"{name} is imported from one weight file; got {len(sources)}")
    if len(sources) == 1:
        return read_tensors(sources[0])
    return {f"{path.stem}/{key}": x for path in sources for key, x in read_tensors(path).items()}


def with_basis(name: str, tensors: dict[str, np.ndarray], basis: str | None) -> dict[str, np.ndarray]:
    """Return the arrays, with those of the file `basis` where one is given.

    Raises UserError for other networks than DAN, for weights that hold a basis, and where the file is none.
    """
    from jaxsr.weights.bases import read_basis
    from jaxsr.weights.importers.import_dan import BASIS

    if basis is None:
        return tensors
    if not name.startswith("dan"):
        raise UserError(f"--basis={basis} is for danv1 and danv2; {name} takes none")
    if any(key.rpartition(".")[2] == BASIS for key in tensors):
        raise UserError(f"--basis={basis} is not needed: the weights hold theirs; leave it out")
    prefix = next((key.partition("Restorer.")[0] for key in tensors if "Restorer." in key), "")
    return tensors | {f"{prefix}{BASIS}": read_basis(user_path(basis))}


def scale_in_name(name: str) -> int | None:
    """Return the scale that a file's name has, such as 3 of "fsrcnn_x3_matlab.mat", or None."""
    found = {int(match) for match in re.findall(r"(?<![a-z0-9])(?:x|scale_?)([2348])(?![0-9])", name.lower())}
    found |= {int(match) for match in re.findall(r"(?<![a-z0-9])([2348])x(?![a-z0-9])", name.lower())}
    return found.pop() if len(found) == 1 else None


def split_scale(name: str, options: dict[str, Option]) -> int | None:
    """Return the scale, removed from `options`, or None; raises UserError unless it is a whole number."""
    scale = options.pop("scale", None)
    if scale is not None and not isinstance(scale, int):
        raise UserError(f"--model={name}: scale={scale!r} is not a whole number")
    return scale


if __name__ == "__main__":
    command_line.run(main)
