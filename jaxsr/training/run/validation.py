"""Scores and a sample picture while training, on photos that are never trained on."""

from collections.abc import Sequence
from pathlib import Path

from jaxsr.data.images import Photo, write_photo
from jaxsr.evaluation.score_tables import finite_or_null
from jaxsr.evaluation.scores import UNQUANTIZED, Scores, cache_for, score, score_pair
from jaxsr.models import Model
from jaxsr.support.errors import UserError
from jaxsr.support.types import Json
from jaxsr.training.run.run_folder import names_only
from jaxsr.training.run.sample_pictures import Sample, sample_picture
from jaxsr.training.tasks.validation_sets import ValidationSet

MAX_ROWS = 4  # pairs that a picture of samples shows


class Validation:
    """Scores models on a ValidationSet."""

    def __init__(self, name: str, photos: ValidationSet, samples: Path):
        """Take the set of `config.data.validation`, which is `name`; sample pictures go to the folder `samples`."""
        self._name, self._set, self._samples = name, photos, samples
        self._options = photos.options or [UNQUANTIZED] * len(photos.pairs)
        self._cache = cache_for(photos.pairs)  # one for all validations, so that the first compiles for all

    def score(self, model: Model, step: int) -> dict[str, float]:
        """Return the mean PSNR and SSIM and the baseline's PSNR, and write a picture of samples.

        The baseline is the bicubic enlargement ("bicubic_psnr"), or when deblurring the blurred photo ("input_psnr").
        """
        protocol = self._set.protocols[0]
        self._write_samples(model, step, protocol)
        (scores,) = self._scores(model, (protocol,))
        return {**scores.mean, f"{scores.baseline_name}_psnr": scores.baseline["psnr"]}

    def _write_samples(self, model: Model, step: int, protocol: str) -> None:
        """Write a picture of samples; where that is impossible, a line says so and the run goes on."""
        every = -(-len(self._set.pairs) // MAX_ROWS)
        samples = []
        for pair, options in zip(self._set.pairs[::every], self._options[::every], strict=True):
            restored, rows = score_pair(model, pair, (protocol,), options, cache=self._cache)
            samples.append(Sample(pair, restored, rows[protocol]))
        picture = sample_picture(samples, model.name, protocol)
        try:
            write_photo(self._samples / f"step_{step:08d}.png", Photo(picture))
        except (UserError, OSError) as error:
            print(f"no picture of samples: {error}", flush=True)

    def card(self, model: Model) -> list[dict[str, Json]]:
        """Return what a weight file's card says of scores: data, protocol, mean and the baseline's mean."""
        each = self._scores(model, self._set.protocols)
        photos = {"data": names_only(self._name), "photos": self._set.photos, "pairs": len(self._set.pairs)}
        fields = ("protocol", "precision", "mean")
        return [photos | finite_or_null({key: x.record()[key] for key in (*fields, x.baseline_name)}) for x in each]

    def _scores(self, model: Model, protocols: Sequence[str]) -> list[Scores]:
        """Return the scores under each of `protocols`."""
        each = score(model, self._set.pairs, protocols=protocols, options=self._options, cache=self._cache)
        return list(each.values())
