"""Tiny videos that are made for a test, and what a video file holds."""

from fractions import Fraction
from typing import NamedTuple

import av
import numpy as np

LOSSLESS = {"qp": "0"}


class Contents(NamedTuple):
    """The frames of a video as arrays, their times in seconds, and the bytes of each packet of other streams."""

    frames: list[np.ndarray]
    times: list[Fraction]
    packets: list[tuple[bytes, Fraction]]


def write_video(path, frames, *, times=None, audio=False, codec="libx264", pix_fmt="yuv420p", prepare=None, **options):
    """Write `frames` (H, W, 3) uint8 to `path`, at 25 frames a second or at `times` in units of 1/1000 s.

    `prepare(container, stream)` sets what else the video has, before its first frame.
    """
    height, width = frames[0].shape[:2]
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25, options=options or LOSSLESS, width=width, height=height)
        stream.pix_fmt, stream.codec_context.time_base = pix_fmt, Fraction(1, 1000)
        sound = container.add_stream("aac", rate=16000) if audio else None
        if prepare:
            prepare(container, stream)
        if sound:
            add_noise(container, sound)
        for i, pixels in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24").reformat(format=pix_fmt, threads=1)
            frame.pts, frame.time_base = times[i] if times else 40 * i, Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def add_noise(container, stream, count=12):
    """Encode `count` frames of noise into the `stream` of sound."""
    rng = np.random.default_rng(0)
    for i in range(count):
        samples = rng.uniform(-0.5, 0.5, (2, 1024)).astype(np.float32)
        frame = av.AudioFrame.from_ndarray(samples, format="fltp", layout="stereo")
        frame.sample_rate, frame.pts, frame.time_base = 16000, 1024 * i, Fraction(1, 16000)
        container.mux(stream.encode(frame))
    container.mux(stream.encode())


def contents(path, format="rgb24"):
    """Return what the video in `path` holds."""
    frames, times, packets = [], [], []
    with av.open(str(path)) as container:
        for packet in container.demux():
            if packet.stream.type == "video":
                for frame in packet.decode():
                    frames.append(frame.to_ndarray(format=format, threads=1))
                    times.append(frame.pts * frame.time_base)
            elif packet.size:
                packets.append((bytes(packet), packet.pts * packet.time_base))
    return Contents(frames, times, packets)
