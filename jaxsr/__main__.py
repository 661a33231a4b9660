"""The front: `jaxsr` lists commands, models and weights, `jaxsr restore PHOTO...` runs a command.

`python -m jaxsr` and `python -m jaxsr.restore` are the same without the installed script. Nothing heavy is imported
before it is known what to do.
"""

import ast
import runpy
import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

from jaxsr.support.errors import nearest
from jaxsr.support.interruption import end_at_once_on_interrupt
from jaxsr.support.messages import complain, protect_streams

if TYPE_CHECKING:
    from jaxsr.models import ModelSpec
    from jaxsr.support.types import Json

WIDTH = 100  # columns of the overview
WRONG_USAGE = 2
PACKAGE = Path(__file__).parent


def main() -> None:
    """Run the command that the first argument names, with the others; without arguments, print the overview."""
    end_at_once_on_interrupt()
    name, *others = sys.argv[1:] or ["--help"]
    if name in ("--help", "-h", "help"):
        protect_streams()
        print(overview())
    elif name == "--version":
        from jaxsr import __version__

        print(f"jaxsr {__version__}")
    elif (command := name.replace("-", "_")) in command_files():
        sys.argv[1:] = others
        runpy.run_module(f"jaxsr.{command}", run_name="__main__", alter_sys=True)
    else:
        protect_streams()
        complain(f"jaxsr: unknown command {name!r}; {nearest(command, command_files())}")
        sys.exit(WRONG_USAGE)


def command_files() -> dict[str, Path]:
    """Return {name: file} of the commands: each is a file directly in the package."""
    return {path.stem: path for path in sorted(PACKAGE.glob("*.py")) if not path.stem.startswith("__")}


def overview() -> str:
    """Return the commands, the models and the weights that ship, in lines of at most WIDTH columns."""
    from jaxsr import __version__
    from jaxsr.models import ESTIMATORS, MODELS
    from jaxsr.weights.shipped_weights import shipped_cards

    commands = [f"  {name:<16} {purpose(path)}" for name, path in command_files().items()]
    networks = [network(spec) for spec in MODELS.values()]
    estimators = [row(name, "", "", f"{paper}; estimates a photo's blur kernel") for name, paper in ESTIMATORS.items()]
    lines = [
        f"jaxsr {__version__}: image restoration in JAX",
        *("", "Commands: `jaxsr NAME` or `python -m jaxsr.NAME`, with --help for all flags", *commands),
        *("", "Models: scales, parameters (least and most, at the first scale), paper", *networks, *estimators),
        *("", "Weights that ship: protocol of the scores, test set, PSNR in dB (bicubic's, or the blurred input's)"),
        *(weights(name, card) for name, card in shipped_cards().items()),
    ]
    return "\n".join(lines)


def purpose(path: Path) -> str:
    """Return what the command in the file `path` does: the first line of its docstring, before the call."""
    first = (ast.get_docstring(ast.parse(path.read_text("utf-8"))) or "").partition("\n")[0]
    return first.partition(": `")[0]


def network(spec: "ModelSpec") -> str:
    """Return one row: name, scales, parameters of the smallest and the largest variant, paper."""
    from jaxsr.models import count_parameters

    counts = [count_parameters(spec, spec.scales[0], **options) for options in spec.variants.values()]
    fewest, most = short_count(min(counts)), short_count(max(counts))
    scales = " ".join(f"x{scale}" for scale in sorted(spec.scales))
    return row(spec.name, scales, fewest if fewest == most else f"{fewest} to {most}", spec.paper)


def row(name: str, scales: str, parameters: str, paper: str) -> str:
    """Return columns of the table of models; a long paper goes on in further lines."""
    start = f"  {name:<10} {scales:<11} {parameters:<16} "
    return textwrap.fill(paper, WIDTH, initial_indent=start, subsequent_indent=" " * len(start))


def short_count(number: int) -> str:
    """Return three digits and a unit: 12.8 k, 1.55 M."""
    for size, unit in ((1e6, " M"), (1e3, " k")):
        if number >= size:
            return f"{number / size:#.3g}".rstrip(".") + unit
    return str(number)


def weights(name: str, card: "dict[str, Json]") -> str:
    """Return one row: name, protocol, and for each set of photos the scores on the card at the scale of the name.

    Of several protocols the first on the card is shown.
    """
    from jaxsr.weights.shipped_weights import scores_at_scale

    scores = scores_at_scale(card)
    if not scores:
        return f"  {name}"
    protocol = scores[0]["protocol"]["name"]
    figures = [
        f"{score['data']} {score['mean']['psnr']:.2f} ({score[baseline]['psnr']:.2f})"
        for score in scores
        if score["protocol"]["name"] == protocol
        for baseline in ("bicubic", "input")
        if baseline in score
    ]
    return f"  {name:<13} {protocol:<4} {'   '.join(figures)}"


if __name__ == "__main__":
    main()
