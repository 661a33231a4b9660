"""The weights that come with the package: which names there are, and which file and scale each stands for.

A file is called after its network and the scales that it serves: `fsrcnn-x3.safetensors`, `vdsr-x2x3x4.safetensors`;
one that does not enlarge after the network alone. Further weights of a network say what they were trained for:
`real-gan-x4.safetensors`.
"""

from collections.abc import Mapping
from pathlib import Path

from safetensors import safe_open

from jaxsr.models import MODELS
from jaxsr.support.types import Json
from jaxsr.weights.cards import parse_card

SHIPPED = Path(__file__).parent / "shipped"


def shipped_files() -> dict[tuple[str, int], Path]:
    """Return {(name without scale, scale): weight file} of all that ship."""
    files = {}
    for path in sorted(SHIPPED.glob("*.safetensors")):
        base, scales = base_and_scales(path.stem)
        for scale in scales or MODELS[base].scales:
            files[base, scale] = path
    return files


def base_and_scales(stem: str) -> tuple[str, list[int]]:
    """Return the name without scales and the scales that the name of a file gives: "vdsr-x2x3" is ("vdsr", [2, 3])."""
    base, _, scales = stem.partition("-x")
    return base, [int(scale) for scale in scales.split("x")] if scales else []


def network_name(base: str) -> str:
    """Return the network of weights that ship as `base`, a name without scale: "real" of "real-gan".

    Names of which none ship are returned as they are.
    """
    return base.partition("-")[0] if shipped_scales(base) else base


def shipped_scales(base: str) -> list[int]:
    """Return the scales at which weights ship as `base`; none for a name with its scale."""
    return [scale for name, scale in shipped_files() if name == base]


def shipped_names() -> list[str]:
    """Return the names that `load` knows without a file, such as "fsrcnn-x2"."""
    return sorted(name_of(base, scale) for base, scale in shipped_files())


def shipped_cards() -> dict[str, dict[str, Json]]:
    """Return the card of each shipped name, without its network: only the heads of the files are read."""
    cards = {}
    for (base, scale), path in shipped_files().items():
        with safe_open(path, framework="numpy") as file:
            cards[name_of(base, scale)] = {**parse_card(path, file.metadata()["card"]), "scale": scale}
    return dict(sorted(cards.items()))


def scores_at_scale(card: Mapping[str, Json]) -> list[Json]:
    """Return the scores of a `card` that are of its scale."""
    return [score for score in card.get("scores", ()) if score.get("scale", card["scale"]) == card["scale"]]


def name_of(base: str, scale: int) -> str:
    """Return the shipped name of `base` at a scale: "fsrcnn-x2", and "deblurgan" at scale 1."""
    return f"{base}-x{scale}" if scale > 1 else base


def default_scale(base: str) -> int:
    """Return the scale that the name of a network without one stands for.

    It is 2 or else the first scale, of those for which weights ship; of all its scales, where none do.
    """
    scales = shipped_scales(base) or MODELS[base].scales
    return 2 if 2 in scales else min(scales)
