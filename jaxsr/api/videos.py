"""Videos of `python -m jaxsr.restore`, one after another: which are to be done, and what failed."""

import dataclasses
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from tqdm import tqdm

from jaxsr.api.fingerprints import fingerprint
from jaxsr.api.restorers import NetworkRestorer, Restorer
from jaxsr.data.output_record import OutputRecord, outputs_to_keep
from jaxsr.data.videos.video_files import require_pyav
from jaxsr.restoration.photo_files import NETWORK_FAILURES, network_failure_line
from jaxsr.restoration.saving import DEFAULT_SAVING
from jaxsr.support.errors import UserError
from jaxsr.support.files import remove_remains_of
from jaxsr.support.paths import make_folder
from jaxsr.support.progress import progress_bar

LOSSLESS, WORST = 0, 51  # of x264's constant rate factor


@dataclasses.dataclass(frozen=True)
class VideoRun:
    """The videos of one run of `restore`.

    Attributes:
        restorer: what restores the frames.
        folder: that the outputs are in.
        crf: x264's constant rate factor.
        settings: by which the record knows what made an output.
        todo: the output of each video that is to be restored.
        skipped: those of videos whose outputs are whole.
    """

    restorer: Restorer
    folder: Path
    crf: int
    settings: str
    todo: dict[Path, Path]
    skipped: dict[Path, Path]

    def restore(self) -> dict[Path, str]:
        """Restore the videos one by one; return a line for each that failed.

        A bar counts frames, and a line for each video says how many there were in a second.
        """
        make_folder(self.folder)
        remove_remains_of(self.todo.values())
        record, failures = OutputRecord(self.folder, self.settings), {}  # with the photos of the same run
        try:
            for source, target in self.todo.items():
                record.begin(target, source)
                try:
                    tqdm.write(_restored(self.restorer, source, target, self.crf))
                    record.finish(target)
                except NETWORK_FAILURES as error:
                    failures[source] = network_failure_line(source, error)
        finally:
            record.close()
        return failures

    def lines(self) -> Iterator[str]:
        """Yield a line for each video that says what the run would do."""
        for video, output in self.skipped.items():
            yield f"{video} -> {output} (skipped: there already)"
        for video, output in self.todo.items():
            yield f"{video} -> {output}"


def plan_videos(
    restorer: Restorer,
    outputs: Mapping[Path, Path],
    folder: Path,
    *,
    crf: int,
    skip_existing: bool = False,
    overwrite: bool = False,
) -> VideoRun:
    """Return the run that makes `outputs`, the output of each video, in `folder`; nothing is written yet.

    With `skip_existing` videos are skipped whose outputs are whole and were made from the same video in the same way.
    Raises UserError where `restorer` restores no videos, for a `crf` that x264 has not, without PyAV, and as
    `outputs_to_keep` does.
    """
    _check(restorer, crf)
    settings = f"{fingerprint(restorer, DEFAULT_SAVING)}, crf={crf}"
    record = OutputRecord(folder, settings)
    skipped = outputs_to_keep(outputs, record, skip_existing=skip_existing, overwrite=overwrite)
    todo = {video: output for video, output in outputs.items() if video not in skipped}
    return VideoRun(restorer, folder, crf, settings, todo, skipped)


def _check(restorer: Restorer, crf: int) -> None:
    """Raise UserError unless `restorer` restores videos, PyAV is installed and `crf` is a rate factor of x264."""
    require_pyav()
    if not LOSSLESS <= crf <= WORST:
        raise UserError(f"crf={crf} is not a rate factor of x264; give {LOSSLESS} (lossless) to {WORST}")
    if not isinstance(restorer, NetworkRestorer):
        raise UserError(f"{restorer.name} learns from each photo anew; restore videos by a trained model")
    from jaxsr.restoration.video import check_video_model

    check_video_model(restorer.model)


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
