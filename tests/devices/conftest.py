"""The fixtures of tiny runs."""

from tests.helpers.training_fixtures import data_set, pairs, photos, references, tiny

__all__ = ["data_set", "pairs", "photos", "references", "tiny"]
