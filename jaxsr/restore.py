"""Restore photos: `python -m jaxsr.restore PHOTO... --output=DIR [--model=fsrcnn] [--scale=2]`.

PHOTO is a file, a folder or a pattern such as 'photos/*.png'. The result of photos/a.jpg is DIR/a.png (or as --format
says), with the photo's depth, alpha and colour profile; DeblurGAN also keeps its size. DIR mirrors the tree below a
folder (with --recursive) or a pattern; where names would be equal, they are a_jpg.png and a_png.png, or x/a.png and
y/a.png. Other files are overwritten only with --overwrite; results of the same photo are made anew, or kept with
--skip_existing. A hidden file in DIR, .jaxsr-outputs.jsonl, records what they were made from. Options of one system
follow its name:

  --model=zssr,steps=300,kernel=estimate   a network learns from each photo; its kernel is bicubic's, or in a file
                                           (kernel=FILE), or estimated by KernelGAN. real=True is for real photos with
                                           noise and an unknown, non-ideal downscaling; seed=1 draws other crops
  --model=runs/danv1,rounds=4              alternates 4 times, and keeps the image of each round in DIR/rounds
  --model=runs/srntt,copies=True           takes texture from --reference, also turned and scaled; vgg=FILE names
                                           VGG19's weights, save_matches=True paints the matches in DIR/matches

Videos (mp4, mov, mkv, ...; `pip install 'jaxsr[video]'`) are restored frame by frame and keep their time stamps, sound
and tags: clip.mp4 becomes DIR/clip.mp4. Estimated blur kernels are DIR/kernels/a.npz. Exit status 0: all done; 1: some
photos failed, listed at the end, the others are written; 2: wrong usage.

PHOTO and DIR may lie in an object store, as s3://BUCKET/FOLDER or gs://BUCKET/FOLDER (`pip install 'jaxsr[stores]'
s3fs`, or gcsfs). No record is kept there: --skip_existing keeps whatever result is there.
"""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from absl import flags

from jaxsr.command_flags import restore_flags as given
from jaxsr.support import command_line
from jaxsr.support.messages import complain, say
from jaxsr.support.paths import is_address, output_folder, tidy_path

if TYPE_CHECKING:
    from jaxsr.api.restorers import Restorer
    from jaxsr.api.restoring_files import RestoreRun
    from jaxsr.api.videos import VideoRun


flags.adopt_module_key_flags(given)  # so that --help lists them


def main(arguments: Sequence[str]) -> int:
    """Restore the photos and videos that `arguments` name; return the exit status."""
    from jaxsr.api.restorers import open_restorer  # after the flags: a typo is reported at once
    from jaxsr.data.stores.store_paths import store_path
    from jaxsr.data.videos.video_files import split_videos

    output = given.OUTPUT.value
    folder = store_path(output) if is_address(output) else output_folder(output, "--output")
    videos, others = split_videos(arguments, recursive=given.RECURSIVE.value, without=folder)
    if videos:
        given.check_flags_of_videos(alone=not others)
    else:
        given.check_flags_of_photos()
    given.check_stores([*arguments, output], videos)
    if given.RAY.value is not None:
        from jaxsr.api.cluster_restoring import prepare_driver

        prepare_driver(given.RAY.value, [*arguments, given.OUTPUT.value])
    options = given.restore_options()
    model, scale = _model(others, videos, folder)
    restorer = open_restorer(model, scale=scale, options=options)
    run = _plan(restorer, others, folder, videos) if others or not videos else None
    moving = _plan_videos(restorer, videos, folder)
    if given.LIST.value:
        return _print_plan(run, moving)
    failures = (_restore_photos(run) if run else {}) | (_restore_videos(moving) if moving else {})
    for failure in failures.values():
        complain(failure)
    return command_line.SOME_FAILED if failures else command_line.DONE


def _model(arguments: Sequence[str], videos: Collection[Path], folder: Path) -> tuple[str, int | None]:
    """Return the model and the scale that the flags name; print why where --model=auto leaves the choice."""
    from jaxsr.api.automatic_choice import AUTO, choose_for_files
    from jaxsr.data.listing import find_photos

    if given.MODEL.value != AUTO:
        return given.MODEL.value, given.SCALE.value
    photos = list(find_photos(arguments, recursive=given.RECURSIVE.value, without=folder).photos) if arguments else []
    choice = choose_for_files(photos, list(videos), given.SCALE.value)
    say(choice.reason)
    return choice.model, choice.scale


def _plan(restorer: "Restorer", arguments: Sequence[str], folder: Path, videos: Collection[Path]) -> "RestoreRun":
    """Return what is to be done with photos; everything that can be checked without reading them is.

    What is left out is said, but for `videos`, which are restored too.
    """
    from jaxsr.api.restoring_files import plan_run
    from jaxsr.data.listing import find_photos, name_left_out
    from jaxsr.data.output_names import output_paths

    saving = given.save_options()
    listing = find_photos(arguments, recursive=given.RECURSIVE.value, without=folder, stores=True)
    names = output_paths(listing.photos, folder, given.result_suffix)
    restored_too = {video.absolute() for video in videos}
    name_left_out([path for path in listing.left_out if tidy_path(path).absolute() not in restored_too])
    run = plan_run(
        restorer,
        dict(zip(listing.photos, names, strict=True)),
        folder,
        saving=saving,
        skip_existing=given.SKIP_EXISTING.value,
        overwrite=given.OVERWRITE.value,
    )
    if given.RAY.value is None:
        return run
    from jaxsr.api.cluster_restoring import on_cluster

    return on_cluster(run, given.RAY.value)


def _plan_videos(restorer: "Restorer", videos: Mapping[Path, Path], folder: Path) -> "VideoRun | None":
    """Return what is to be done with videos, if there are any; raises UserError as `plan_videos` does."""
    from jaxsr.api.videos import plan_videos
    from jaxsr.data.videos.video_files import video_outputs

    if not videos:
        return None
    replacing = {"skip_existing": given.SKIP_EXISTING.value, "overwrite": given.OVERWRITE.value}
    return plan_videos(restorer, video_outputs(videos, folder), folder, crf=given.CRF.value, **replacing)


def _print_plan(run: "RestoreRun | None", moving: "VideoRun | None") -> int:
    """Print what would be done; return the exit status."""
    from jaxsr.api.restoring_files import planned_lines

    for line in moving.lines() if moving else ():
        say(line)
    if run:
        failing = 0
        for line, fails in planned_lines(run):
            say(line)
            failing += fails
        counts = f"{len(run.todo) - failing} photos to restore by {run.restorer.name}, {len(run.skipped)} to skip"
        would_fail = f", {failing} that would fail" if failing else ""
        say(f"{counts}{would_fail}; nothing was done")
    return command_line.DONE


def _restore_photos(run: "RestoreRun") -> dict[Path, str]:
    """Restore batch by batch, with progress bars; print where results were written. Return why some failed."""
    from tqdm import tqdm

    from jaxsr.data.stores.store_paths import shown

    with tqdm(total=len(run.todo), unit="photo", disable=None) as bar:
        for batch in run.batches():
            for path in batch:
                if path not in run.failures:
                    say(shown(run.todo[path]))
            bar.update(len(batch))
    total = len(run.todo) + len(run.skipped)
    say(f"{len(run.todo) - len(run.failures)} of {total} photos restored by {run.restorer.name} in {shown(run.folder)}")
    say(run.summary())
    return run.failures


def _restore_videos(run: "VideoRun") -> dict[Path, str]:
    """Restore videos one by one; return why some failed."""
    failures = run.restore()
    restored = f"{len(run.todo) - len(failures)} of {len(run.todo) + len(run.skipped)} videos restored"
    say(f"{restored} by {run.restorer.name} in {run.folder}, {len(run.skipped)} skipped")
    return failures


if __name__ == "__main__":
    command_line.run(main)
