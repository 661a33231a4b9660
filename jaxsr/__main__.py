"""List commands, models and weights: `python -m jaxsr`."""

import ast
from pathlib import Path

from jaxsr import __version__
from jaxsr.models import ESTIMATORS, MODELS, ModelSpec, count_parameters
from jaxsr.weights import load, shipped_names


def main() -> None:
    """Print the commands, the models and the weights that ship."""
    print(f"jaxsr {__version__}: image restoration in JAX")
    print("\nCommands (--help lists the flags)")
    for what, command in commands():
        print(f"  {command}\n      {what}")
    print("\nModels")
    for spec in MODELS.values():
        print(f"  {network(spec)}")
    for name, paper in ESTIMATORS.items():
        print(f"  {name:10} {'':11} {paper}; estimates the blur kernel of a photo")
    print("\nWeights that ship")
    for name in shipped_names():
        print(f"  {weights(name)}")


def commands() -> list[tuple[str, str]]:
    """Return what each command does and how it is called, from the first line of its file."""
    files = sorted(path for path in Path(__file__).parent.glob("*.py") if not path.stem.startswith("__"))
    firsts = [(ast.get_docstring(ast.parse(path.read_text("utf-8"))) or "").splitlines()[0] for path in files]
    return [(what, command.rstrip("`.")) for what, _, command in (first.partition(": `") for first in firsts)]


def network(spec: ModelSpec) -> str:
    """Return one line: name, scales, parameters of each variant, paper."""
    scales = " ".join(f"x{scale}" for scale in sorted(spec.scales))
    counts = (
        f"{variant} {count_parameters(spec, spec.scales[0], **options):,}" for variant, options in spec.variants.items()
    )
    return f"{spec.name:10} {scales:11} {spec.paper}; parameters: {'; '.join(counts)}"


def weights(name: str) -> str:
    """Return one line: name, and the scores on its card at its scale, with their protocols."""
    model = load(name)
    scores = [
        f"{score['data']} {score['mean']['psnr']:.2f} dB ({baseline} {score[baseline]['psnr']:.2f}; "
        f"{score['protocol']['name']})"
        for score in model.card.get("scores", [])
        if score.get("scale", model.scale) == model.scale
        for baseline in ("bicubic", "input")
        if baseline in score
    ]
    return f"{name:13} {', '.join(scores)}"


if __name__ == "__main__":
    main()
