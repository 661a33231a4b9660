"""The card of a model: where its weights come from, as JSON that does not change."""

import json
from collections.abc import Iterator, Mapping

from jaxsr.support.types import Json


class Card(Mapping[str, Json]):
    """A frozen, hashable mapping of JSON values: training, scores with their protocol, licence.

    A model is a pytree whose card is static: it has to be hashable. Two cards are equal if their JSON is, whatever the
    order of the fields.
    """

    __slots__ = ("_facts", "_text")

    def __init__(self, facts: Mapping[str, Json] | None = None) -> None:
        """Copy `facts`; raises TypeError for values that JSON does not have."""
        text = json.dumps(dict(facts or {}))
        self._facts: dict[str, Json] = json.loads(text)
        self._text = json.dumps(self._facts, sort_keys=True)

    def __getitem__(self, name: str) -> Json:
        """Return one field of the card."""
        return self._facts[name]

    def __iter__(self) -> Iterator[str]:
        """Iterate over the names of the fields, in their order."""
        return iter(self._facts)

    def __len__(self) -> int:
        """Return the number of fields."""
        return len(self._facts)

    def __eq__(self, other: object) -> bool:
        """Return whether `other` is a card, or a mapping, of the same fields and values."""
        return self._text == other._text if isinstance(other, Card) else self._facts == other

    def __hash__(self) -> int:
        """Return a hash of the content."""
        return hash(self._text)

    def __repr__(self) -> str:
        """Return the names of the fields: a model's tree structure is printed in JAX's messages."""
        return f"Card({', '.join(self._facts)})"
