"""What a page of comparisons shows: each photo restored by each model, with its size, scores and what failed."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from jaxsr.api.comparisons.compare_options import CompareOptions
from jaxsr.api.comparisons.comparison_layers import SharpPhoto, layer_of, original_layer, sharp_layer
from jaxsr.api.comparisons.comparison_models import scale_of
from jaxsr.api.restorers import NetworkRestorer, Restorer
from jaxsr.data.images import NO_METADATA, Photo, read_photo
from jaxsr.metrics.protocols import PROTOCOLS
from jaxsr.pages.comparison_page import render
from jaxsr.pages.records import Comparison
from jaxsr.restoration.photo_files import NETWORK_FAILURES, network_failure_line
from jaxsr.support.errors import UserError

MAX_PAGE = 60_000_000  # bytes of pictures; base64 makes a third more of them, and browsers decode all at once


class ComparedPhotos:
    """The page while photos are added to it; `failures` are lines for standard error and the head of the page."""

    def __init__(self, restorers: Mapping[str, Restorer], options: CompareOptions, *, failures: Sequence[str]) -> None:
        self._restorers, self._options = restorers, options
        self.comparisons: list[Comparison] = []
        self.failures = list(failures)
        self._head = list(failures)  # those that belong to no photo that is shown

    def add(self, path: Path, name: str, sharp: Path | None, report: Callable[[int], object]) -> None:
        """Restore the photo in the file `path` by every model, or note why it cannot be shown; the page says `name`.

        `report(count)` is called after each model.
        """
        try:
            comparison = self._compared(path, name, sharp, report)
            if sum(each.size for each in [*self.comparisons, comparison]) > MAX_PAGE:
                limit = f"the page would hold more than {MAX_PAGE // 10**6} MB of pictures"
                raise UserError(f"{path}: {limit}; give fewer photos, or a smaller --side")
        except NETWORK_FAILURES as error:
            line = network_failure_line(path, error)
            self.failures.append(line)
            self._head.append(line.replace(str(path), name))
        else:
            self.comparisons.append(comparison)
            self.failures += [f"{path}: {line}" for line in comparison.failures]

    def html(self) -> str:
        """Return the page."""
        protocol, facts = PROTOCOLS[self._options.protocol], []
        if self._options.sharp is not None:
            facts = [
                f"Scores: PSNR in dB and SSIM on {protocol.channel}; {protocol.rounding}; {protocol.border}; SSIM: "
                f"{protocol.ssim}; {_precisions(self._restorers)}."
            ]
        return render(self.comparisons, failures=self._head, facts=facts)

    def _compared(self, path: Path, name: str, sharp: Path | None, report: Callable[[int], object]) -> Comparison:
        """Return what the page shows of one photo under `name`; raises UserError where that is nothing."""
        whole = dataclasses.replace(read_photo(path), metadata=NO_METADATA)  # a page is shown to others
        photo, corner = _part(whole, self._options, max(scale_of(each) for each in self._restorers.values()))
        failures, hr = [], None
        try:
            hr = SharpPhoto.read(sharp, whole, photo, corner) if sharp else None
        except UserError as error:
            failures.append(str(error))
        layers = [original_layer(photo, hr, self._options.protocol)]
        for count, (model, restorer) in enumerate(self._restorers.items(), start=1):
            try:
                layers.append(layer_of(model, restorer, photo, hr, self._options.protocol))
            except NETWORK_FAILURES as error:
                failures.append(network_failure_line(model, error))
            report(count)
        if len(layers) == 1:
            raise UserError(f"{path}: {'; '.join(failures)}")
        if hr is not None:
            layers.append(sharp_layer(hr))
        return Comparison(name, tuple(layers), _facts(whole, photo, corner), tuple(failures))


def _precisions(restorers: Mapping[str, Restorer]) -> str:
    """Return what is said of the precision of `restorers`: one for all, or that of each."""
    each = {name: x.options.precision if isinstance(x, NetworkRestorer) else "float32" for name, x in restorers.items()}
    if len(set(each.values())) == 1:
        return f"computed in {next(iter(each.values()))}"
    return "computed in " + ", ".join(f"{precision} ({name})" for name, precision in each.items())


def _part(photo: Photo, options: CompareOptions, scale: int) -> tuple[Photo, tuple[int, int]]:
    """Return the part of `photo` whose enlargement by `scale` fits the page, and its top left corner (row, column)."""
    sides = [min(length, options.side // scale) for length in photo.pixels.shape[:2]]
    middle = (options.at[1], options.at[0])
    places = zip(photo.pixels.shape[:2], sides, middle, strict=True)
    top, left = (min(max(round(part * length - side / 2), 0), length - side) for length, side, part in places)
    rows, columns = slice(top, top + sides[0]), slice(left, left + sides[1])
    alpha = None if photo.alpha is None else photo.alpha[rows, columns]
    return dataclasses.replace(photo, pixels=photo.pixels[rows, columns], alpha=alpha), (top, left)


def _facts(whole: Photo, part: Photo, corner: tuple[int, int]) -> tuple[str, ...]:
    """Return the line about the photo's size, and which part of it is shown."""
    (height, width), (rows, columns) = whole.pixels.shape[:2], part.pixels.shape[:2]
    line = f"{width}x{height} pixels"
    if (rows, columns) != (height, width):
        line += f"; shown and restored is the part of {columns}x{rows} at column {corner[1]}, row {corner[0]}"
    return (line,)
