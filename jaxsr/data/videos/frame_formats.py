"""Between the pixel formats of videos and arrays: matrix, range, depth and subsampling of a video are kept."""

import dataclasses

import av
import numpy as np
from av.video.reformatter import Colorspace, Interpolation

from jaxsr.support.errors import UserError

EXACT = Interpolation.BICUBIC | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT | Interpolation.FULL_CHR_H_INP
UNSPECIFIED = 2  # of the tags of H.273 for matrix, primaries and transfer
MATRICES = {  # by their number in H.273
    0: Colorspace.DEFAULT,  # RGB, which needs none
    1: Colorspace.ITU709,
    UNSPECIFIED: Colorspace.DEFAULT,
    4: Colorspace.FCC,
    5: Colorspace.ITU601,
    6: Colorspace.ITU601,
    7: Colorspace.SMPTE240M,
    9: Colorspace.BT2020,
}
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
        )

    @property
    def _matrix(self) -> Colorspace:
        return MATRICES[self.matrix]


_TO_ARRAY = {"dst_color_range": "JPEG", "interpolation": EXACT}


def frame_format(frame: av.VideoFrame, scale: int) -> FrameFormat:
    """Return the format in which videos with frames such as `frame` are restored and encoded, `scale` times larger.

    Depths above 10 bits become 10, frames of odd sides 4:4:4, since halved colour needs even ones. Raises UserError for
    colours that are no linear function of RGB.
    """
    if frame.colorspace not in MATRICES:
        raise UserError(f"colour matrix {frame.colorspace} (H.273) cannot be kept; convert the video to BT.709 first")
    tags = (frame.colorspace, frame.color_range, frame.color_primaries, frame.color_trc)
    form = frame.format
    deep = max(part.bits for part in form.components) > 8
    if len(form.components) <= 2:
        return FrameFormat("gray10le" if deep else "gray", "gray16le" if deep else "gray", *tags)
    array = "rgb48le" if deep else "rgb24"
    if form.is_rgb and not deep:
        return FrameFormat("rgb24", array, *tags)
    coded = f"yuv{_subsampling(frame, scale)}p" + ("10le" if deep else "")
    matrix = UNSPECIFIED if form.is_rgb else frame.colorspace
    return FrameFormat(coded, array, matrix, *tags[1:])


def _subsampling(frame: av.VideoFrame, scale: int) -> str:
    form = frame.format
    narrow = 0 < form.chroma_width(64) < 64 and frame.width * scale % 2 == 0
    low = 0 < form.chroma_height(64) < 64 and frame.height * scale % 2 == 0
    return "420" if narrow and low else "422" if narrow else "444"
