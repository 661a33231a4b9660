"""What one model makes of a photo, as a page shows it: pictures of all rounds, kernels, matches, scores."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from jaxsr.api.restorers import NetworkRestorer, Restorer, ZSSRRestorer
from jaxsr.blind.zssr.kernel_choice import choose_kernels
from jaxsr.blind.zssr.restoration import restore_zssr
from jaxsr.data.images import Photo, read_photo
from jaxsr.data.kernel_files import kernel_picture
from jaxsr.evaluation.pairs import Pair, given_pair
from jaxsr.evaluation.scores import restores_luma, score_image
from jaxsr.imaging.color import round_to_levels
from jaxsr.imaging.pixels import to_channels, to_float, to_levels
from jaxsr.models import Model
from jaxsr.pages.records import Layer, Picture, picture_of, picture_of_pixels
from jaxsr.restoration.photo import restore_photo, with_alpha, without_hidden_colours
from jaxsr.restoration.reference.match_pictures import matches_picture
from jaxsr.support.errors import UserError

KERNEL_SIDE = 168  # pixels of a kernel's picture, about
MATCHES = (
    "The first panel is the photo, a pixel for each patch. Its texture came from where a panel to the right, one for "
    "each reference, has the same colour: red is the column, green the row, blue which reference."
)


@dataclasses.dataclass(frozen=True)
class SharpPhoto:
    """The sharp photo `hr` of the shown part of a photo: `pair` has both, with equal numbers of channels."""

    hr: Photo
    pair: Pair

    @classmethod
    def read(cls, path: Path, whole: Photo, part: Photo, corner: tuple[int, int]) -> "SharpPhoto":
        """Return the sharp photo in the file `path`, cut as `part` was from `whole` at `corner` (row, column).

        Raises UserError for an unreadable file, and where its size is not a multiple of the photo's.
        """
        hr = read_photo(path)
        scale = _scale_between(path.name, hr.pixels.shape[:2], whole.pixels.shape[:2])
        channels = max(hr.pixels.shape[-1], whole.pixels.shape[-1])
        given_pair(path.name, to_channels(hr.pixels, channels), to_channels(whole.pixels, channels), scale)  # checks
        rows, columns = (
            slice(start * scale, (start + length) * scale)
            for start, length in zip(corner, part.pixels.shape[:2], strict=True)
        )
        hr = Photo(np.ascontiguousarray(hr.pixels[rows, columns]), icc_profile=hr.icc_profile)
        lr, pixels = (to_channels(each.pixels, channels) for each in (part, hr))
        return cls(hr, given_pair(path.name, pixels, lr, scale))

    def score(self, image: np.ndarray, scale: int, protocol: str, *, luma_only: bool) -> str:
        """Return the score of `image` (H, W, C), not rounded, in words; or why it has none."""
        if scale != self.pair.scale:
            return f"not scored: x{scale}, but the sharp photo is x{self.pair.scale}"
        image = to_channels(image, self.pair.hr_levels.shape[-1])
        scores = score_image(self.pair, image, (protocol,), luma_only=luma_only)[protocol].scores
        return f"{scores['psnr']:.2f} dB, SSIM {scores['ssim']:.4f}"


def _scale_between(name: str, large: tuple[int, ...], small: tuple[int, ...]) -> int:
    """Return how many times larger (H, W) `large` is, but for less than that in rows and columns; else UserError."""
    scale = max(large[0] // small[0], 1)
    if tuple(side // scale for side in large) != tuple(small):
        raise UserError(
            f"{name} of {large[1]}x{large[0]} pixels is not a whole number of times as large as the photo of "
            f"{small[1]}x{small[0]}; name the sharp photo that this one was made from"
        )
    return scale


def original_layer(photo: Photo, sharp: SharpPhoto | None, protocol: str) -> Layer:
    """Return the photo as it is, with a score where the sharp photo has its size."""
    score = ""
    if sharp is not None and sharp.pair.scale == 1:
        score = sharp.score(to_float(photo.pixels), 1, protocol, luma_only=False)
    return Layer("photo as it is", (picture_of(photo, score=score),), kind="photo")


def sharp_layer(sharp: SharpPhoto) -> Layer:
    """Return the sharp photo."""
    return Layer("sharp photo", (picture_of(sharp.hr),), kind="sharp")


def layer_of(name: str, restorer: Restorer, photo: Photo, sharp: SharpPhoto | None, protocol: str) -> Layer:
    """Return what `restorer` makes of `photo`, scored against `sharp`; raises UserError where that fails."""
    if isinstance(restorer, ZSSRRestorer):
        return _zssr_layer(name, restorer, photo, sharp, protocol)
    assert isinstance(restorer, NetworkRestorer)
    model = restorer.model
    restored, extras = restore_photo(model, photo, restorer.options, cache=restorer.cache)
    images = [*list(extras.get("images", ()))[:-1], restored.pixels]
    rounds = []
    for image in images:
        score = sharp.score(image, model.scale, protocol, luma_only=restores_luma(model)) if sharp else ""
        rounds.append(_picture(restored, image, score))
    kernels = kernels_of(model, extras)
    return Layer(name, tuple(rounds), kernels, _matches(extras))


def _picture(restored: Photo, image: np.ndarray, score: str) -> Picture:
    """Return the picture of `image` (H, W, C) with the alpha of `restored`."""
    alpha = None if restored.alpha is None else to_levels(restored.alpha)
    return picture_of(dataclasses.replace(restored, pixels=to_levels(image), alpha=alpha), score=score)


def kernels_of(model: Model, extras: Mapping[str, np.ndarray]) -> tuple[Picture, ...]:
    """Return pictures of the kernels that a network estimated, of each round; none for most networks.

    DANv1 estimates codes alone: the part of its kernel that these describe is shown.
    """
    kernels, caption = extras.get("kernels"), "kernel estimated"
    basis = model.variables.get("constants", {}).get("basis")
    if kernels is None and "codes" in extras and basis is not None:
        side = round(len(basis) ** 0.5)
        kernels = (extras["codes"] @ np.asarray(basis).T).reshape(-1, side, side)
        caption = "kernel of the code estimated"
    if kernels is None:
        return ()
    return tuple(_kernel(kernel, caption) for kernel in kernels)


def _kernel(kernel: np.ndarray, caption: str) -> Picture:
    positive = np.maximum(kernel, 1e-12)  # weights that are not trained may estimate none
    return picture_of_pixels(kernel_picture(positive, side=KERNEL_SIDE), f"{caption}, {len(kernel)} × {len(kernel)}")


def _matches(extras: Mapping[str, np.ndarray]) -> Picture | None:
    if "places" not in extras:
        return None
    return picture_of_pixels(matches_picture(extras["places"], extras["sizes"]), MATCHES)


def _zssr_layer(name: str, restorer: ZSSRRestorer, photo: Photo, sharp: SharpPhoto | None, protocol: str) -> Layer:
    """Return what ZSSR makes of `photo`, with the kernel that it inverts unless that is bicubic's."""
    photo = without_hidden_colours(photo)
    settings, scale = restorer.settings, restorer.scale
    kernels = choose_kernels([photo.pixels], scale, settings)
    (image,) = restore_zssr(
        [to_float(photo.pixels)], scale=scale, kernels=kernels, settings=settings, ensemble=restorer.options.ensemble
    )
    score = sharp.score(image, scale, protocol, luma_only=False) if sharp else ""
    kernel = kernels[0][-1] if isinstance(kernels[0], list) else kernels[0]
    caption = "kernel estimated by KernelGAN" if settings.kernel == "estimate" else "kernel inverted"
    shown = () if kernel is None else (_kernel(np.asarray(kernel), caption),)
    restored = with_alpha(photo, to_levels(image), scale)
    return Layer(name, (_picture(restored, round_to_levels(image), score),), shown)
