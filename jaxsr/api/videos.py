"""Videos of `python -m jaxsr.restore`, one after another: which models restore them, and what failed."""

import time
from collections.abc import Mapping
from pathlib import Path

from tqdm import tqdm

from jaxsr.api.restorers import NetworkRestorer, Restorer
from jaxsr.data.videos.video_files import require_pyav
from jaxsr.support.errors import UserError
from jaxsr.support.progress import progress_bar

LOSSLESS, WORST = 0, 51  # of x264's constant rate factor


def check_videos(restorer: Restorer, crf: int) -> None:
    """Raise UserError unless `restorer` restores videos, PyAV is installed and `crf` is a rate factor of x264."""
    require_pyav()
    if not LOSSLESS <= crf <= WORST:
        raise UserError(f"crf={crf} is no rate factor of x264; give {LOSSLESS} (lossless) to {WORST}")
    if not isinstance(restorer, NetworkRestorer):
        raise UserError(f"{restorer.name} learns from each photo anew; restore videos by a trained model")
    from jaxsr.restoration.video import check_video_model

    check_video_model(restorer.model)


def restore_videos(restorer: Restorer, outputs: Mapping[Path, Path], *, crf: int) -> dict[Path, str]:
    """Write the videos in the files `outputs` (keys), restored, to its values; return why some are not.

    A bar counts frames, and a line for each says how many there were in a second. Raises UserError as `check_videos`.
    """
    check_videos(restorer, crf)
    failures: dict[Path, str] = {}
    for source, target in outputs.items():
        try:
            tqdm.write(_restored(restorer, source, target, crf))
        except (UserError, OSError) as error:
            failures[source] = f"{source}: {error}"
    return failures


def _restored(restorer: Restorer, source: Path, target: Path, crf: int) -> str:
    """Restore a video; return a line that says where it is, and how fast that went."""
    from jaxsr.restoration.video import restore_video  # needs PyAV

    assert isinstance(restorer, NetworkRestorer)
    began = time.monotonic()
    with progress_bar([source], "frame") as progress:
        frames = restore_video(
            restorer.model, source, target, restorer.options, crf=crf, cache=restorer.cache, progress=progress
        )
    return f"{target} ({frames} frames, {frames / (time.monotonic() - began):.1f} frames per second)"
