"""Which files are videos, what their containers are, and where restored ones go."""

import glob
from collections.abc import Iterable, Sequence
from pathlib import Path

from jaxsr.data.codecs.photo_formats import PHOTO_SUFFIXES
from jaxsr.data.output_names import output_paths
from jaxsr.support.errors import UserError

KEPT_SUFFIXES = (".mp4", ".m4v", ".mov", ".mkv")  # containers that hold H.264 and are written as they came
OTHER_SUFFIXES = (".webm", ".avi", ".ts", ".mts", ".m2ts", ".mpg", ".mpeg", ".wmv", ".flv", ".3gp", ".ogv", ".y4m")
VIDEO_SUFFIXES = KEPT_SUFFIXES + OTHER_SUFFIXES
MATROSKA = ".mkv"  # holds the sound and subtitles of any other container


def is_video(path: object) -> bool:
    """Return whether `path` has the suffix of a video."""
    return isinstance(path, str | Path) and Path(path).suffix.lower() in VIDEO_SUFFIXES


def split_videos(inputs: Sequence[str]) -> tuple[list[Path], list[str]]:
    """Return the videos that `inputs` name, sorted, each once, and the inputs that may name photos.

    As for photos, a folder stands for the videos directly in it and a pattern for those it matches. Folders and
    patterns that name videos but no photos are not among the inputs that remain.
    """
    videos: set[Path] = set()
    rest: list[str] = []
    for item in inputs:
        path = Path(item).expanduser()
        names = list(_candidates(path))
        found = [name for name in names if is_video(name)]
        videos.update(found)
        if not found or any(name.suffix.lower() in PHOTO_SUFFIXES for name in names):
            rest.append(item)
    return sorted(videos), rest


def _candidates(path: Path) -> Iterable[Path]:
    """Return the visible files that `path` names: those of a folder or a pattern, or itself."""
    if path.is_dir():
        names = path.iterdir()
    elif glob.has_magic(str(path)) and not path.exists():
        names = map(Path, glob.glob(str(path), recursive=True))  # noqa: PTH207 - absolute patterns too
    else:
        return [path]
    return [name for name in names if name.name[0] != "." and name.is_file()]


def video_outputs(videos: Sequence[Path], folder: str | Path) -> dict[Path, Path]:
    """Return where each of `videos` is written: `folder`/stem with its own suffix, or .mkv for other containers.

    Raises UserError as `output_paths` does.
    """
    by_suffix: dict[str, list[Path]] = {}
    for video in videos:
        suffix = video.suffix.lower()
        by_suffix.setdefault(suffix if suffix in KEPT_SUFFIXES else MATROSKA, []).append(video)
    outputs = {
        video: output
        for suffix, group in by_suffix.items()
        for video, output in zip(group, output_paths(group, folder, suffix), strict=True)
    }
    return {video: outputs[video] for video in videos}


def require_pyav() -> None:
    """Raise UserError unless PyAV is installed, with its encoder of H.264."""
    try:
        import av
    except ImportError:
        raise UserError("videos are read and written by PyAV; install it: pip install 'jaxsr[video]'") from None
    if "libx264" not in av.codecs_available:
        raise UserError("this PyAV has no libx264, which encodes videos; install its wheel: pip install --force av")
