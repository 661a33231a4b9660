"""A video file as frames and copied packets, in the order of the file."""

import contextlib
import dataclasses
import itertools
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import av
import numpy as np
from av.container import InputContainer
from av.error import InvalidDataError
from av.sidedata.sidedata import Type
from av.stream import Disposition
from av.video.stream import VideoStream

from jaxsr.data.videos.frame_formats import FrameFormat, frame_format
from jaxsr.support.errors import UserError

DEFAULT_RATE = Fraction(25)  # of raw streams that do not say
MAX_JUMP = 1  # seconds that time stamps may go back
FILE = "file:"  # without it, FFmpeg takes what stands before a colon in a name for a protocol


class Frame(NamedTuple):
    """`pixels` (H, W, 1 or 3) uint8 or uint16; `time` and `duration` in units of the stream's time base."""

    pixels: np.ndarray
    time: int
    duration: int


Item = Frame | av.Packet  # a packet is of a stream that is copied


@dataclasses.dataclass
class VideoReader:
    """An open video: the `stream` to restore, its `first` frame, and the format that its frames get at `scale`."""

    container: InputContainer
    stream: VideoStream
    first: av.VideoFrame
    form: FrameFormat
    _decoded: Iterator[av.VideoFrame | av.Packet]
    _undecoded: list[av.Packet]
    _damaged: int = 0
    _end: int = 0

    @property
    def rate(self) -> Fraction:
        """The average number of frames in a second."""
        return self.stream.average_rate or self.stream.guessed_rate or DEFAULT_RATE

    @property
    def time_base(self) -> Fraction:
        """The unit of time stamps in seconds."""
        return self.stream.time_base or 1 / self.rate

    @property
    def frames(self) -> int:
        """The number of frames by the file's header, or estimated from its duration; 0 where neither is known."""
        return self.stream.frames or round((self.container.duration or 0) * self.rate / av.time_base)

    @property
    def display_matrix(self) -> list[int] | None:
        """The 9 numbers that turn or mirror frames for display, or None for upright ones."""
        matrix = self.first.side_data.get(Type.DISPLAYMATRIX.name)
        return None if matrix is None else np.frombuffer(bytes(matrix), np.int32).tolist()

    def items(self) -> Iterator[Item]:
        """Yield frames and the packets of other streams; raises UserError where the file cannot be read further.

        Time stamps that do not increase are moved behind the one before, by one unit; raises UserError where those of
        the file jump back by more than MAX_JUMP seconds, or at all in sound, which is copied.
        """
        step, last = max(round(1 / (self.rate * self.time_base)), 1), None
        for item in self._decoded:
            if isinstance(item, av.Packet):
                yield item
                continue
            if (item.width, item.height) != (self.first.width, self.first.height):
                raise UserError(f"frames change from {_size(self.first)} to {_size(item)}; cut the video there")
            following = 0 if last is None else last + step
            time = following if item.pts is None else item.pts
            last = time if last is None else max(time, last + 1)
            self._damaged += item.is_corrupt
            self._end = last + (item.duration or step)
            yield Frame(self.form.pixels(item), last, self._end - last)

    def damage(self) -> str:
        """Return what was wrong with the file, once all `items` were read; "" for nothing."""
        length = (self.container.duration or 0) / av.time_base
        end = float(self._end * self.time_base) - (self.container.start_time or 0) / av.time_base
        early = length - end > max(1, length / 20)
        notes = [f"its frames end after {end:.1f} of {length:.1f} seconds"] if early else []
        notes += [f"{self._damaged} frames are damaged"] if self._damaged else []
        lost = len(self._undecoded)
        notes += [f"{lost} frames cannot be decoded and are left out"] if lost else []
        return "; ".join(notes)


@contextlib.contextmanager
def open_video(path: Path, scale: int) -> Iterator[VideoReader]:
    """Yield the VideoReader of the file `path`; raises UserError for one that is not a video, or without any frame."""
    with _readable():
        opened = av.open(f"{FILE}{path}", metadata_errors="replace")
    with contextlib.closing(opened) as container:
        stream = _main_stream(container)
        stream.thread_type = "AUTO"  # pyright: ignore[reportAttributeAccessIssue]  # as PyAV documents it
        undecoded: list[av.Packet] = []
        decoded = _decoded(container, stream, undecoded)
        before: list[av.Packet] = []
        for item in decoded:
            if isinstance(item, av.VideoFrame):
                break
            before.append(item)
        else:
            reason = "damaged: none of its frames can be decoded" if undecoded else "it has no frames"
            raise UserError(f"{reason}; copy it again")
        everything = itertools.chain(before, [item], decoded)
        yield VideoReader(container, stream, item, frame_format(item, scale), everything, undecoded)


@contextlib.contextmanager
def _readable() -> Iterator[None]:
    """Raise a UserError for what PyAV says of a file that it cannot read."""
    try:
        yield
    except av.FFmpegError as error:
        damaged = f"damaged, or no video ({error.strerror}); copy it again"
        raise UserError(error.strerror if isinstance(error, OSError) else damaged) from error


def _main_stream(container: InputContainer) -> VideoStream:
    """Return the first stream of moving pictures."""
    for stream in container.streams.video:
        if not stream.disposition & Disposition.attached_pic:
            return stream
    raise UserError("it has no pictures that move; restore its sound elsewhere")


def _decoded(
    container: InputContainer, stream: VideoStream, undecoded: list[av.Packet]
) -> Iterator[av.VideoFrame | av.Packet]:
    """Yield the frames of `stream`, and the packets of other streams; those that are no frame go to `undecoded`."""
    latest: dict[int, float] = {}
    with _readable():
        for packet in container.demux():
            _check_jump(packet, latest, MAX_JUMP if packet.stream.index == stream.index else 0)
            if packet.stream.index == stream.index:
                try:
                    yield from packet.decode()  # pyright: ignore[reportReturnType]
                except InvalidDataError:  # the frames behind it may be whole
                    undecoded.append(packet)
            elif packet.size:  # not one of those that end a stream
                packet.pts = packet.dts if packet.pts is None else packet.pts
                yield packet


def _check_jump(packet: av.Packet, latest: dict[int, float], most: float) -> None:
    """Raise UserError where a stream's time stamps jump back by more than `most` seconds from its `latest`, now set.

    No container takes such packets, but for those of subtitles and data.
    """
    if packet.dts is None or packet.time_base is None or packet.stream.type not in ("video", "audio"):
        return
    time, index = float(packet.dts * packet.time_base), packet.stream.index
    if time < (before := latest.get(index, time)) - most:
        raise UserError(
            f"its time stamps jump back from {before:.1f} to {time:.1f} seconds, as where two videos were joined; "
            "cut it there, or let FFmpeg count them anew: ffmpeg -i VIDEO -c copy OTHER.mkv"
        )
    latest[index] = time


def _size(frame: av.VideoFrame) -> str:
    return f"{frame.width}x{frame.height}"
