"""Which files are videos, what their containers are, and where restored ones go."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from jaxsr.data.codecs.photo_formats import PHOTO_SUFFIXES
from jaxsr.data.listing import NamedFiles, add_named, files_of
from jaxsr.data.output_names import output_paths
from jaxsr.support.errors import UserError
from jaxsr.support.paths import is_address, user_path

KEPT_SUFFIXES = (".mp4", ".m4v", ".mov", ".mkv")  # containers that hold H.264 and are written as they came
OTHER_SUFFIXES = (".webm", ".avi", ".ts", ".mts", ".m2ts", ".mpg", ".mpeg", ".wmv", ".flv", ".3gp", ".ogv", ".y4m")
VIDEO_SUFFIXES = KEPT_SUFFIXES + OTHER_SUFFIXES
MATROSKA = ".mkv"  # holds the sound and subtitles of any other container


def is_video(path: object) -> bool:
    """Return whether `path` has the suffix of a video."""
    return isinstance(path, str | Path) and Path(path).suffix.lower() in VIDEO_SUFFIXES


def split_videos(
    inputs: Sequence[str], *, recursive: bool = False, without: Path | None = None
) -> tuple[dict[Path, Path], list[str]]:
    """Return the videos that `inputs` name, and the inputs that may name photos.

    The videos are sorted, each once, with their paths below what names them. As for photos, a folder stands for the
    videos directly in it, or with `recursive` for those in its folders too, but for the folder `without`; a pattern for
    those it matches. Folders and patterns that name videos but no photos are not among the inputs that remain. Raises
    UserError as `files_of` does.
    """
    videos: NamedFiles = {}
    rest: list[str] = []
    for item in inputs:
        root, files = _named(item, recursive, without and without.resolve())
        found = [file for file in files if is_video(file)]
        add_named(videos, root, found)
        if not found or any(file.suffix.lower() in PHOTO_SUFFIXES for file in files):
            rest.append(item)
    return dict(sorted(videos.values())), rest


def _named(item: str, recursive: bool, excluded: Path | None) -> tuple[Path, list[Path]]:
    """Return the folder below which the files lie that `item` names, and these; object stores are not looked into."""
    if is_address(item):
        return Path(item).parent, [Path(item)]
    return files_of(user_path(item), recursive, excluded)


def video_outputs(videos: Mapping[Path, Path], folder: str | Path) -> dict[Path, Path]:
    """Return where each of `videos` is written, in the tree of `split_videos`; containers but KEPT_SUFFIXES are .mkv.

    Raises UserError as `output_paths` does.
    """
    by_suffix: dict[str, dict[Path, Path]] = {}
    for video, name in videos.items():
        suffix = video.suffix.lower()
        by_suffix.setdefault(suffix if suffix in KEPT_SUFFIXES else MATROSKA, {})[video] = name
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
