"""Write a model for other programs: `python -m jaxsr.export --model=NAME_OR_FILE --output=FILE.onnx|FILE.stablehlo`.

The file holds the whole model, for photos of any number, height and width: input "photos" (n, h, w, 3), float32 in
[0, 1], output "restored" (n, scale h, scale w, 3), clipped to [0, 1]. ONNX files (opset 17) carry the model's card in
metadata_props; `pip install 'jaxsr[onnxruntime]'` writes and checks them. A .stablehlo file is a zip of exported.bin
(for jax.export.deserialize), stablehlo.mlirbc and card.json. Before a file is written, its results are compared with
the model's on photos of three sizes, to 1e-4. Exit status 0: written; 2: wrong usage, or results differ: no file.
"""

from collections.abc import Sequence

from absl import flags

from jaxsr.support import command_line
from jaxsr.support.errors import UserError
from jaxsr.support.messages import say

_MODEL = flags.DEFINE_string(
    "model", None, "A shipped name (fsrcnn-x3), a weight file or a run folder, with its options.", required=True
)
_OUTPUT = flags.DEFINE_string("output", None, "The file, *.onnx or *.stablehlo.", required=True)
_SCALE = flags.DEFINE_integer(
    "scale", None, "How many times larger, for weights that serve several scales; by default the model's own."
)
_CHANNELS = flags.DEFINE_integer("channels", 3, "Of the photos: 3 (RGB) or 1 (grey).")


def main(arguments: Sequence[str]) -> int:
    """Write the file; return the exit status."""
    if arguments:
        raise UserError(f"unexpected argument {arguments[0]!r}; the model is --model, the file --output")
    from jaxsr.api.exporting import export  # after the flags: a typo is answered at once

    file = export(_MODEL.value, _OUTPUT.value, scale=_SCALE.value, channels=_CHANNELS.value)
    say(f"{_MODEL.value} in {file}")
    return command_line.DONE


if __name__ == "__main__":
    command_line.run(main)
