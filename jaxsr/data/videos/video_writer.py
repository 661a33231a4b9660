"""A restored video: its frames encoded as H.264, all other streams, chapters and metadata copied."""

import contextlib
import errno
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
from absl import logging
from av.codec.context import Flags
from av.container import OutputContainer
from av.sidedata.sidedata import Type
from av.stream import Disposition, Stream
from av.video.stream import VideoStream

from jaxsr.data.videos.frame_formats import FrameFormat, losses
from jaxsr.data.videos.video_reader import FILE, Frame, Item, VideoReader
from jaxsr.support.errors import UserError

WITHOUT_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG)
CRF = 17  # x264's constant rate factor, at which a difference is hard to see
OF_THE_FILE = ("major_brand", "minor_version", "compatible_brands", "encoder")  # which the writer sets anew
OF_THE_STREAM = ("encoder", "DURATION", "BPS", "NUMBER_OF_FRAMES", "NUMBER_OF_BYTES", "_STATISTICS")


class VideoWriter:
    """Writes frames and copied packets into a container in the order in which `write` gets them."""

    def __init__(
        self, container: OutputContainer, stream: VideoStream, form: FrameFormat, time_base: Fraction, copies: dict
    ) -> None:
        self._container, self._stream, self._form, self._time_base = container, stream, form, time_base
        self._copies: dict[int, Stream] = copies

    def write(self, item: Item) -> None:
        """Encode a frame, or copy a packet; packets of streams that were left out are dropped."""
        if isinstance(item, Frame):
            frame = self._form.frame(item.pixels)
            frame.pts, frame.time_base, frame.duration = item.time, self._time_base, item.duration
            self._container.mux(self._stream.encode(frame))
        elif item.stream.index in self._copies:
            item.stream = self._copies[item.stream.index]
            self._container.mux(item)

    def finish(self) -> None:
        """Write what the encoder still holds."""
        self._container.mux(self._stream.encode())


@contextlib.contextmanager
def create_video(path: Path, reader: VideoReader, scale: int, *, crf: int = CRF) -> Iterator[VideoWriter]:
    """Yield the VideoWriter of the file `path`, for the video of `reader` enlarged `scale` times.

    `crf` is x264's constant rate factor, 0 for a lossless video. Streams that the container cannot hold are left out,
    which a warning says. The file is whole when the block has ended.
    """
    with _writable(), contextlib.closing(av.open(str(path), "w")) as container:
        stream = _encoded_stream(container, reader, scale, crf)
        copies, left_out, chapters = {}, [], reader.container.chapters()
        for other in reader.container.streams:
            if other.index != reader.stream.index:
                try:
                    copies[other.index] = _copied_stream(container, other)
                except (ValueError, av.FFmpegError):
                    left_out += [f"{other.type} {other.index}"] if other.type != "data" or not chapters else []
        _copy_metadata(container, reader, copies)
        notes = _notes(reader, left_out)
        if notes:
            logging.warning("%s: %s", reader.container.name.removeprefix(FILE), "; ".join(notes))
        container.start_encoding()
        writer = VideoWriter(container, stream, reader.form, reader.time_base, copies)
        yield writer
        writer.finish()


@contextlib.contextmanager
def _writable() -> Iterator[None]:
    """Raise a UserError for what PyAV cannot write, or an OSError where the disk is full."""
    try:
        yield
    except av.FFmpegError as error:
        if error.errno in WITHOUT_ROOM:
            raise OSError(error.errno, error.strerror) from error
        raise UserError(f"its restored video cannot be written ({error.strerror})") from error


def _encoded_stream(container: OutputContainer, reader: VideoReader, scale: int, crf: int) -> VideoStream:
    """Return the new stream of frames, with the time base, the tags and the turn of the source's."""
    form, source = reader.form, reader.stream
    options = {"crf": str(crf)} if crf else {"qp": "0"}
    stream: VideoStream = container.add_stream(  # pyright: ignore[reportAssignmentType]
        form.encoder,
        rate=reader.rate,
        options=options,
        width=scale * source.width,
        height=scale * source.height,
        time_base=reader.time_base,
    )
    context = stream.codec_context
    context.pix_fmt = form.coded
    context.time_base = reader.time_base
    context.flags |= Flags.frame_duration
    context.color_range, context.colorspace = form.color_range, form.matrix
    context.color_primaries, context.color_trc = form.primaries, form.transfer
    if source.sample_aspect_ratio:
        context.sample_aspect_ratio = source.sample_aspect_ratio
    stream.set_display_matrix(reader.display_matrix)
    return stream


def _copied_stream(container: OutputContainer, source: Stream) -> Stream:
    """Return a new stream of `container` for the packets of `source`; raises ValueError where it cannot hold them."""
    if source.type not in ("audio", "subtitle", "video", "attachment"):
        raise ValueError(source.type)
    stream = container.add_stream_from_template(source, opaque=True)
    stream.disposition = source.disposition
    return stream


def _copy_metadata(container: OutputContainer, reader: VideoReader, copies: dict[int, Stream]) -> None:
    """Copy titles, chapters and languages, without what describes the earlier encoding."""
    source = reader.container
    container.metadata.update({k: v for k, v in source.metadata.items() if k not in OF_THE_FILE})
    container.set_chapters(source.chapters())
    for old, new in [(source.streams[index], copy) for index, copy in copies.items()]:
        new.metadata.update(_texts(old))
    container.streams.video[0].metadata.update(_texts(reader.stream))


def _texts(stream: Stream) -> dict[str, str]:
    return {k: v for k, v in stream.metadata.items() if not k.startswith(OF_THE_STREAM)}


def _notes(reader: VideoReader, left_out: list[str]) -> list[str]:
    """Return what a restored video does not keep."""
    first = reader.first
    hdr = {Type.MASTERING_DISPLAY_METADATA, Type.CONTENT_LIGHT_LEVEL, Type.DYNAMIC_HDR_PLUS}
    videos = [
        s
        for s in reader.container.streams.video
        if s is not reader.stream and not s.disposition & Disposition.attached_pic
    ]
    notes = {
        f"streams left out, which the container cannot hold: {', '.join(left_out)}": bool(left_out),
        "interlaced frames are restored as if they were progressive; deinterlace the video first": (
            first.interlaced_frame
        ),
        "HDR mastering data is lost": any(first.side_data.get(kind.name) is not None for kind in hdr),
        "only the first video stream is restored, others are copied": bool(videos),
    }
    return losses(first, reader.form) + [note for note, holds in notes.items() if holds]
