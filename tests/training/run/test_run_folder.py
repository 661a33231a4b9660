"""What a weight file's card says of the run it came from."""

import pytest

from jaxsr.training.config import default_config
from jaxsr.training.run.run_folder import training_card


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"train": "/mnt/T91, data/BSDS400/"}, "T91,BSDS400"),
        ({"train": "", "pairs": "data/gopro"}, "gopro"),
        ({"train": "data/T91", "pairs": "data/gopro"}, "gopro"),
        ({"train": "data/T91", "pairs": "data/gopro", "synthetic_share": 0.5}, "T91,gopro"),
        ({"train": "samples", "references": "data/cufed"}, "cufed"),
    ],
)
def test_the_card_names_the_photos_learned_from(fields, expected):
    config = default_config()
    config.data.update(fields)
    assert training_card(config, 7, [])["training"]["data"] == expected
