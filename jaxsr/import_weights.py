"""Import published weights: `python -m jaxsr.import_weights FILE --model=fsrcnn,scale=3 --output=F.safetensors`.

Reads PyTorch (.pth, .pt, .ckpt; no code in the file is run), MATLAB (.mat), NumPy (.npz, .npy) and .safetensors files.
Options after the model's name are its constructor's fields; most are read off the shapes, the others have to be given.
Exit status 0: written; 2: wrong usage or a file that does not fit.
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path

from absl import flags

from jaxsr.support import command_line
from jaxsr.support.errors import UserError
from jaxsr.support.model_options import Option, parse_model
from jaxsr.support.paths import output_file, user_path

_MODEL = flags.DEFINE_string("model", None, "Name[,option=value...], such as fsrcnn,scale=3.", required=True)
_OUTPUT = flags.DEFINE_string("output", None, "The weight file to write, *.safetensors.", required=True)
_LICENCE = flags.DEFINE_string("licence", "as the publisher states", "The licence on the file's card.")


def main(arguments: Sequence[str]) -> int:
    """Import one file; return the exit status."""
    from jaxsr.models import count_parameters  # after the flags, so that a typo is reported at once
    from jaxsr.models.serialization import check_name
    from jaxsr.weights.formats import read_tensors
    from jaxsr.weights.importers import import_tensors
    from jaxsr.weights.readers.bounds import refusals

    if len(arguments) != 1:
        raise UserError(f"one weight file is imported at a time; got {len(arguments)}")
    name, options = parse_model(_MODEL.value)
    scale = split_scale(name, options)
    check_name(_OUTPUT.value)
    output, source = output_file(_OUTPUT.value, "--output"), user_path(arguments[0])
    with refusals(source, f"no {name}", "give its published weights"):
        model = import_tensors(name, read_tensors(source), scale=scale, **options)
    training = {"imported_from": source.name, "sha256": digest_of(source)}
    model.save(output, training=training, licence=_LICENCE.value)
    print(f"{model.name}: {count_parameters(model.spec, model.scale, **model.options):,} parameters, {model.options}")
    print(f"written to {output}")
    return command_line.DONE


def digest_of(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def split_scale(name: str, options: dict[str, Option]) -> int | None:
    """Return the scale, removed from `options`, or None; raises UserError unless it is a whole number."""
    scale = options.pop("scale", None)
    if scale is not None and not isinstance(scale, int):
        raise UserError(f"--model={name}: scale={scale!r} is no whole number")
    return scale


if __name__ == "__main__":
    command_line.run(main)
