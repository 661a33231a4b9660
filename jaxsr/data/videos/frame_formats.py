"""Between the pixel formats of videos and arrays: matrix, range, depth and subsampling of a video are kept."""

import dataclasses

import av
import numpy as np
from av.video.reformatter import Colorspace, Interpolation

from jaxsr.support.errors import UserError

EXACT = Interpolation.BICUBIC | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT | Interpolation.FULL_CHR_H_INP
BT709, UNSPECIFIED, BT601 = 1, 2, 6  # matrices by their numbers in H.273
FULL_RANGE = 2  # the number that FFmpeg gives it
MATRICES = {
    0: Colorspace.DEFAULT,  # RGB, which needs none
    BT709: Colorspace.ITU709,
    UNSPECIFIED: Colorspace.DEFAULT,
    4: Colorspace.FCC,
    5: Colorspace.ITU601,
    BT601: Colorspace.ITU601,
    7: Colorspace.SMPTE240M,
    9: Colorspace.BT2020,
}
THREADS = 1  # of a conversion: with several, swscale's dithering differs from run to run where their rows meet
MAX_BITS = 10  # of libx264


@dataclasses.dataclass(frozen=True)
class FrameFormat:
    """The pixels of a video: as they are encoded (`coded`), and as arrays (`array`), with the tags of their colours."""

    coded: str
    array: str
    matrix: int
    color_range: int
    primaries: int
    transfer: int

    @property
    def encoder(self) -> str:
        """The encoder's name in PyAV."""
        return "libx264rgb" if self.coded == "rgb24" else "libx264"

    def pixels(self, frame: av.VideoFrame) -> np.ndarray:
        """Return `frame` as (H, W, 1 or 3), uint8, or uint16 for more than 8 bits."""
        same = frame.format.name == self.array
        converted = frame if same else frame.reformat(format=self.array, src_colorspace=self._matrix, **_TO_ARRAY)
        pixels = converted.to_ndarray()
        return pixels if pixels.ndim == 3 else pixels[..., None]  # pyright: ignore[reportReturnType]

    def frame(self, pixels: np.ndarray) -> av.VideoFrame:
        """Return the frame of `pixels` (H, W, 1 or 3), as it is encoded."""
        plain = np.ascontiguousarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels)
        frame = av.VideoFrame.from_ndarray(plain, format=self.array)
        if self.coded == self.array:
            return frame
        return frame.reformat(
            format=self.coded,
            dst_colorspace=self._matrix,
            dst_color_range=self.color_range or None,
            interpolation=EXACT,
            threads=THREADS,
        )

    @property
    def _matrix(self) -> Colorspace:
        return MATRICES[self.matrix]


_TO_ARRAY = {"dst_color_range": "JPEG", "interpolation": EXACT, "threads": THREADS}


def frame_format(frame: av.VideoFrame, scale: int) -> FrameFormat:
    """Return the format in which videos with frames such as `frame` are restored and encoded, `scale` times larger.

    Depths above 10 bits become 10, frames of odd sides 4:4:4, since halved colour needs even ones. Grey frames that do
    not say their range have the full one, and are encoded as such: what reads H.264 takes untagged ones for limited.
    Raises UserError for colours that are no linear function of RGB.
    """
    if frame.colorspace not in MATRICES:
        raise UserError(f"colour matrix {frame.colorspace} (H.273) cannot be kept; convert the video to BT.709 first")
    tags = (frame.colorspace, frame.color_range, frame.color_primaries, frame.color_trc)
    form = frame.format
    deep = max(part.bits for part in form.components) > 8
    if len(form.components) <= 2 and not form.has_palette:  # whose one component counts colours
        grey = ("gray10le", "gray16le") if deep else ("gray", "gray")
        return FrameFormat(*grey, tags[0], tags[1] or FULL_RANGE, *tags[2:])
    array = "rgb48le" if deep else "rgb24"
    if (form.is_rgb or form.has_palette) and not deep:
        return FrameFormat("rgb24", array, *tags)
    coded = f"yuv{_subsampling(frame, scale)}p" + ("10le" if deep else "")
    return FrameFormat(coded, array, _matrix(frame, scale), *tags[1:])


def _matrix(frame: av.VideoFrame, scale: int) -> int:
    """Return the matrix of the encoded video, that of `frame` where it says.

    Players take a video that does not say for BT.601 where it is small, and for BT.709 where it is large: one that
    becomes large has to say that it is BT.601.
    """
    if frame.format.is_rgb:
        return BT709
    grows = not _is_large(frame.width, frame.height) and _is_large(scale * frame.width, scale * frame.height)
    return BT601 if frame.colorspace == UNSPECIFIED and grows else frame.colorspace


def _is_large(width: int, height: int) -> bool:
    return width >= 1280 or height > 576


def _subsampling(frame: av.VideoFrame, scale: int) -> str:
    form = frame.format
    narrow = 0 < form.chroma_width(64) < 64 and frame.width * scale % 2 == 0
    low = 0 < form.chroma_height(64) < 64 and frame.height * scale % 2 == 0
    return "420" if narrow and low else "422" if narrow else "444"


def losses(frame: av.VideoFrame, kept: FrameFormat) -> list[str]:
    """Return what frames such as `frame` lose when they are encoded as `kept` says."""
    form = frame.format
    bits, most = max(part.bits for part in form.components), MAX_BITS if kept.coded.endswith("10le") else 8
    notes = [f"{bits} bits become {most}"] if bits > most else []
    notes += ["transparency is lost"] if len(form.components) in (2, 4) else []
    coded = av.VideoFormat(kept.coded)
    odd = form.chroma_width(64) == 32 and coded.chroma_height(64) > form.chroma_height(64)
    if odd:
        notes.append(f"colour becomes {kept.coded}, because {form.name} needs an even size")
    return notes
