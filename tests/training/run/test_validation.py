"""What a weight file's card says of scores."""

import json

import numpy as np

from jaxsr.evaluation.pairs import make_pair
from jaxsr.training.run.validation import Validation
from jaxsr.training.tasks.validation_sets import ValidationSet
from jaxsr.weights import load


def test_the_infinite_score_of_a_flat_photo_is_null_in_the_card(tmp_path):
    """A card is JSON, which has no infinity: the weights of such a run could not be saved."""
    pair = make_pair("black", np.zeros((24, 24, 3), np.uint8), 2)
    validation = Validation("photos", ValidationSet([pair], 1, ("y8",)), tmp_path)
    (scores,) = validation.card(load("bicubic", scale=2))
    assert scores["mean"]["psnr"] is None and scores["bicubic"]["psnr"] is None and scores["mean"]["ssim"] == 1
    json.dumps(scores, allow_nan=False)
