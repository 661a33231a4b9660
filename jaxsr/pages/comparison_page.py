"""Comparisons as one HTML page: everything inside, nothing fetched, every name escaped."""

import base64
import hashlib
from collections.abc import Sequence
from html import escape
from pathlib import Path
from string import Template

from jaxsr.pages.records import Comparison, Layer, Picture

FOLDER = Path(__file__).parent
TITLE = "Photos restored, side by side"


def render(comparisons: Sequence[Comparison], *, failures: Sequence[str] = (), facts: Sequence[str] = ()) -> str:
    """Return the page of `comparisons`, with a list of `failures` and lines of `facts` above.

    Its Content-Security-Policy allows the page's own script and style by their hashes, pictures that are in the page,
    and nothing else.
    """
    style, script = (_read(f"comparison.{kind}") for kind in ("css", "js"))
    policy = f"default-src 'none'; img-src data:; style-src {_hash(style)}; script-src {_hash(script)}"
    return Template(_read("comparison.html")).substitute(
        policy=f"{policy}; base-uri 'none'; form-action 'none'",
        style=style,
        script=script,
        title=TITLE,
        facts=_facts(facts),
        failures=_failures(failures),
        photos="\n".join(_section(number, comparison) for number, comparison in enumerate(comparisons, start=1)),
    )


def _read(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    """Return the name by which a policy allows an inline script or style."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode('ascii')}'"


def _facts(lines: Sequence[str]) -> str:
    return "".join(f'<p class="facts">{escape(line)}</p>' for line in lines)


def _failures(lines: Sequence[str]) -> str:
    if not lines:
        return ""
    items = "".join(f"<li>{escape(line)}</li>" for line in lines)
    return f'<ul class="failures" aria-label="What is missing">{items}</ul>'


def _section(number: int, comparison: Comparison) -> str:
    """Return the part of the page about one photo; the script shows its stage, and magnifies its layers."""
    options = "".join(f"<option>{escape(layer.name)}</option>" for layer in comparison.layers)
    figures = "\n".join(_figure(f"photo-{number}-{i}", layer) for i, layer in enumerate(comparison.layers))
    return Template(_read("photo.html")).substitute(
        number=number,
        name=escape(comparison.name),
        facts=_facts(comparison.facts),
        failures=_failures(comparison.failures),
        options=options,
        figures=figures,
    )


def _figure(key: str, layer: Layer) -> str:
    """Return one layer: its pictures, a choice of rounds where it has several, its kernels and its matches."""
    name = escape(layer.name)
    pictures = "".join(_image(picture, "picture", layer.name) for picture in layer.rounds)
    kernels = "".join(_image(picture, "kernel", f"{picture.caption} of {layer.name}") for picture in layer.kernels)
    parts = [f'<figcaption><strong>{name}</strong> <span class="score"></span></figcaption>', pictures]
    if len(layer.rounds) > 1:
        parts.append(_rounds(key, layer))
    if kernels:
        caption = escape(layer.kernels[-1].caption)
        parts.append(f'<div class="kernels">{kernels}<span class="kernel-caption">{caption}</span></div>')
    if layer.matches is not None:
        image = _image(layer.matches, "matches", f"matches of {layer.name}")
        parts.append(f"<details open><summary>Matches</summary>{image}<p>{escape(layer.matches.caption)}</p></details>")
    return f'<figure class="layer" data-kind="{layer.kind}" data-name="{name}">{"".join(parts)}</figure>'


def _rounds(key: str, layer: Layer) -> str:
    """Return radio buttons, one for each round; the last is checked."""
    last = len(layer.rounds) - 1
    buttons = "".join(
        f'<label><input type="radio" name="{key}" value="{i}"{" checked" if i == last else ""}>{i + 1}</label>'
        for i in range(len(layer.rounds))
    )
    return f'<fieldset class="rounds"><legend>Round</legend>{buttons}</fieldset>'


def _image(picture: Picture, kind: str, description: str) -> str:
    sizes = f'width="{picture.width}" height="{picture.height}"'
    words = f'alt="{escape(description)}" data-caption="{escape(picture.caption)}" data-score="{escape(picture.score)}"'
    return f'<img class="{kind}" {sizes} {words} src="{picture.uri}">'
