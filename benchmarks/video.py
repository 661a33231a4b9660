"""Times a video: ESPCN x3 on frames of 480x270, by jaxsr, PyTorch and OpenCV, in turns in one process.

Frames alone go from memory to memory, as uint8 RGB: the network on Y, bicubic for Cb and Cr. A whole file is also
decoded and encoded. Peers that are not installed are named below the table, with the reason. OpenCV's dnn_superres
takes its own weights: --opencv_model=ESPCN_x3.pb.
pip install -e ".[bench,video]" && python -m benchmarks.video
"""

import functools
import tempfile
from collections.abc import Callable, Iterator
from fractions import Fraction
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.tables import Measurement, Row, Table, run
from benchmarks.timing import contest
from benchmarks.workers import in_new_process
from jaxsr.imaging.color import rgb_to_ycbcr, ycbcr_to_rgb
from jaxsr.imaging.resize import resize
from jaxsr.models import Model
from jaxsr.restoration.options import RestoreOptions
from jaxsr.restoration.tiles.placement import TileCache
from jaxsr.weights import load

SCALE, HEIGHT, WIDTH = 3, 270, 480
RATE = 25  # of the file that is made
TOLERANCE = 2  # levels, between PyTorch's bicubic chroma and MATLAB's, away from the border
BORDER = 12  # pixels
WHOLE_FILE = "jaxsr, a whole file"
PEERS = ("PyTorch", "OpenCV", WHOLE_FILE)  # each is measured where what it needs is installed

Call = Callable[[], Any]


def make_frames(count: int) -> list[np.ndarray]:
    """Return `count` frames of a smooth picture that moves, with the grain of real ones."""
    rng = np.random.default_rng(0)
    picture = resize(rng.random((HEIGHT // 15, WIDTH // 15, 3), np.float32), size=(HEIGHT, WIDTH))
    moved = [np.roll(picture, 2 * i, axis=1) + rng.normal(0, 0.01, picture.shape) for i in range(count)]
    return [np.rint(np.clip(frame, 0, 1) * 255).astype(np.uint8) for frame in moved]


def in_jax(model: Model, frames: list[np.ndarray]) -> Call:
    """Return the call that restores `frames` as a video's are."""
    from jaxsr.data.videos.video_reader import Frame
    from jaxsr.restoration.video import batch_size, restore_items

    items, cache = [Frame(pixels, i, 1) for i, pixels in enumerate(frames)], TileCache()
    size = batch_size(SCALE**2 * HEIGHT * WIDTH)
    return lambda: [item.pixels for item in restore_items(model, items, RestoreOptions(), size, cache)]  # pyright: ignore


def file_in_jax(model: Model, frames: list[np.ndarray], folder: Path) -> Call:
    """Return the call that restores a file with `frames`, decoded and encoded, and leaves it in `folder`."""
    import av

    from jaxsr.restoration.video import restore_video

    with av.open(str(folder / "clip.mp4"), "w") as container:
        stream: Any = container.add_stream("libx264", rate=RATE, options={"crf": "17"}, width=WIDTH, height=HEIGHT)
        stream.codec_context.time_base = Fraction(1, RATE)
        for i, pixels in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            frame.pts, frame.time_base = i, Fraction(1, RATE)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    cache = TileCache()
    return lambda: restore_video(model, folder / "clip.mp4", folder / "out.mp4", cache=cache)


def in_torch(model: Model, frames: list[np.ndarray]) -> Call:
    """Return the same call in PyTorch, eager, frame by frame, as ports do."""
    import torch  # pyright: ignore[reportMissingImports]

    from benchmarks.peers import peer
    from benchmarks.peers.accelerator import computing, placed, planes

    module = placed(peer(model))

    def restored(frame: np.ndarray) -> np.ndarray:
        ycbcr = planes(rgb_to_ycbcr(frame[None] / np.float32(255)))
        with computing("float32"):
            luma = module(ycbcr[:, :1]).float()
        chroma = torch.nn.functional.interpolate(ycbcr[:, 1:], scale_factor=SCALE, mode="bicubic", antialias=True)
        both = torch.cat([luma, chroma], 1)[0].permute(1, 2, 0).cpu().numpy()
        return np.floor(np.clip(ycbcr_to_rgb(both), 0, 1) * 255 + 0.5).astype(np.uint8)

    def call() -> list[np.ndarray]:
        with torch.inference_mode():
            return [restored(frame) for frame in frames]

    return call


def in_opencv(path: str, frames: list[np.ndarray]) -> Call:
    """Return the call of OpenCV's dnn_superres with the weights in `path`, which also restores luma alone."""
    import cv2  # pyright: ignore[reportMissingImports]

    network = cv2.dnn_superres.DnnSuperResImpl_create()
    network.readModel(path)
    network.setModel("espcn", SCALE)
    turned = [np.ascontiguousarray(frame[..., ::-1]) for frame in frames]
    return lambda: [network.upsample(frame) for frame in turned]


def absent(opencv_model: str) -> dict[str, str]:
    """Return the contestants that are not here, each with the reason."""
    reasons = {
        "PyTorch": "" if find_spec("torch") else "torch is not installed",
        "OpenCV": "cv2 is not installed" if not find_spec("cv2") else "" if opencv_model else "no --opencv_model",
        WHOLE_FILE: "" if find_spec("av") else "av is not installed",
    }
    return {name: reason for name, reason in reasons.items() if reason}


def seconds(frames: int, opencv_model: str, rounds: int) -> dict[str, float]:
    """Return each contestant's seconds for all frames, after PyTorch's frames were compared with jaxsr's."""
    model, pictures, missing = load(f"espcn-x{SCALE}"), make_frames(frames), absent(opencv_model)
    calls = {"jaxsr": in_jax(model, pictures)}
    if "PyTorch" not in missing:
        calls["PyTorch"] = in_torch(model, pictures)
        compare(calls["jaxsr"](), calls["PyTorch"]())
    if "OpenCV" not in missing:
        calls["OpenCV"] = in_opencv(opencv_model, pictures)
    with tempfile.TemporaryDirectory() as folder:
        if WHOLE_FILE not in missing:
            calls[WHOLE_FILE] = file_in_jax(model, pictures, Path(folder))
        return contest(calls, rounds=rounds)


def compare(ours: list[np.ndarray], theirs: list[np.ndarray]) -> None:
    """Raise ValueError where frames differ by more than TOLERANCE levels inside their border."""
    for one, other in zip(ours, theirs, strict=True):
        difference = np.abs(one.astype(int) - other)[BORDER:-BORDER, BORDER:-BORDER].max()
        if difference > TOLERANCE:
            raise ValueError(f"frames differ by {difference} levels, more than {TOLERANCE}")


def rows(frames: int, opencv_model: str, rounds: int) -> Iterator[Row]:
    """Yield a row for each contestant; one contest serves all."""
    found = functools.cache(lambda: in_new_process(seconds, frames, opencv_model, rounds))

    def measure(name: str) -> Measurement:
        took, ours = found()[name], found()["jaxsr"]
        return Measurement([f"{1000 * took / frames:.1f}", f"{frames / took:.1f}", f"{took / ours:.2f}"])

    for name in ("jaxsr", *(name for name in PEERS if name not in absent(opencv_model))):
        yield Row((name,), functools.partial(measure, name))


def tables(*, frames: int = 48, opencv_model: str = "", rounds: int = 3) -> Iterator[Table]:
    """Yield the table."""
    notes = [f"Without {name}: {reason}." for name, reason in absent(opencv_model).items()]
    title = f"Video: ESPCN x{SCALE}, {WIDTH}x{HEIGHT}"
    yield Table(
        title, ("frames by", "ms a frame", "frames/s", "its time / jaxsr's"), rows(frames, opencv_model, rounds), notes
    )


if __name__ == "__main__":
    run(tables)
