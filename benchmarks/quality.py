"""Scores every system beside its paper: `python -m benchmarks.quality --data=FOLDERS --json=FILE [--page=FILE.md]`.

Test sets are recognised below FOLDERS by their names: Set5 (with Gaussian8), Set14 (with Real14), BSD100, Urban100,
DIV2KRK, GoPro and views. Scored are bicubic, the weights that ship, those in --weights, and the published files in
--published, which are imported. The JSON file is written after each photo, and what it holds for the same weights, data
and version is not scored again: run the command again after an interruption, for more sets, or for slow systems, of
which only some photos fit into --minutes. The page and its pictures, which lie beside it, are made from the JSON file
alone; without --data nothing is scored.

Exit status 0: all done; 1: some rows failed, which the page names; 2: wrong usage.
"""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from absl import flags

from jaxsr.support import command_line
from jaxsr.support.errors import UserError, choose
from jaxsr.support.files import written_whole
from jaxsr.support.messages import say
from jaxsr.support.paths import is_file, output_file, user_path

if TYPE_CHECKING:
    from benchmarks.results.contestants import Contestant
    from benchmarks.results.record import Record

_DATA = flags.DEFINE_list("data", [], "Folders with the test sets, in them or up to two levels below.")
_JSON = flags.DEFINE_string("json", None, "The file that keeps all scores.", required=True)
_PAGE = flags.DEFINE_string("page", None, "The page to write, such as docs/results.md.")
_PUBLISHED = flags.DEFINE_string("published", None, "Folder of published weights: VDSR's, SRCNN's, LapSRN's and so on.")
_WEIGHTS = flags.DEFINE_string("weights", None, "Folder of weight files to score beside those that ship.")
_MODELS = flags.DEFINE_list("models", [], "Only these systems or weights: fsrcnn, vdsr_twtygqyy.pth; bicubic always.")
_SETS = flags.DEFINE_list("sets", [], "Only these sets.")
_VGG = flags.DEFINE_string("vgg", None, "VGG19's weights for srntt; by default a file of that name in --published.")
_ZSSR = flags.DEFINE_string(
    "zssr",
    None,
    "Score ZSSR on DIV2KRK too, by KernelGAN's kernels and by the true ones, with these options of --model=zssr: "
    "steps=1500,crop=64. It takes minutes a photo.",
)
_MINUTES = flags.DEFINE_float("minutes", 1, "Of a set and weights, after which the next run goes on; 0: no limit.", 0)
_PICTURES = flags.DEFINE_bool("pictures", True, "Whether to make the page's pictures; only with --data.")


def main(arguments: Sequence[str]) -> int:
    """Score, and write the record, the pictures and the page; return the exit status."""
    if arguments:
        raise UserError(f"unexpected argument {arguments[0]!r}; the folders of test sets are --data")
    if math.isnan(_MINUTES.value):
        raise UserError("--minutes=nan is not a number of minutes; give 0 or more")
    from benchmarks.results.page import page  # after the flags: a typo is answered at once
    from benchmarks.results.record import Record

    record = Record.read(output_file(_JSON.value, "--json"))
    page_file = output_file(_PAGE.value, "--page") if _PAGE.value else None
    if _DATA.value:
        score_all(record, page_file)
    elif not record.rows:
        raise UserError(f"{record.file} holds no scores; name the folders of test sets by --data")
    if page_file:
        with written_whole(page_file) as temporary:
            temporary.write_text(page(record), "utf-8")
        say(f"page in {page_file}")
    failed = any("failure" in row for row in record.rows)
    return command_line.SOME_FAILED if failed else command_line.DONE


def score_all(record: "Record", page_file: Path | None) -> None:
    """Score what the flags ask for and `record` lacks, and draw the pictures beside the page."""
    from benchmarks.results.contestants import own_contestants, published_contestants, zssr_contestants
    from benchmarks.results.photo_sets import find_sets
    from benchmarks.results.pictures import draw_pictures
    from benchmarks.results.scoring import score_task, tasks_of, tell

    vgg = _vgg()
    learning = [] if _ZSSR.value is None else zssr_contestants(_ZSSR.value)
    sets = find_sets([user_path(folder) for folder in _DATA.value])
    for name in _SETS.value:
        choose("set", name, sets)
    sets = {name: each for name, each in sets.items() if not _SETS.value or name in _SETS.value}
    record.skipped = {}
    contestants = own_contestants(user_path(_WEIGHTS.value) if _WEIGHTS.value else None)
    if _PUBLISHED.value:
        published, record.skipped = published_contestants(user_path(_PUBLISHED.value))
        contestants += published
    contestants += learning
    for task in tasks_of(_chosen(contestants), sets, record.skipped):
        tell(score_task(task, record, vgg=vgg, seconds=60 * _MINUTES.value or math.inf))
    if page_file and _PICTURES.value:
        record.pictures = draw_pictures(contestants, page_file.parent, record.pictures)
    record.write()


def _chosen(contestants: "list[Contestant]") -> "list[Contestant]":
    """Return those of --models, and bicubic; raises UserError for a name that none has."""
    names = set(_MODELS.value)
    for name in names:
        choose("system or weights", name, {key: None for each in contestants for key in (each.system, each.name)})
    return [each for each in contestants if not names or {each.system, each.name} & {*names, "bicubic"}]


def _vgg() -> Path | None:
    """Return the file of VGG19's weights, if one is named or lies with the published ones.

    Raises UserError where the one that is named is missing.
    """
    if _VGG.value:
        file = user_path(_VGG.value)
        if not is_file(file):
            raise UserError(f"--vgg={file} is no file; name VGG19's weights, or leave it out")
        return file
    found = sorted(user_path(_PUBLISHED.value).glob("vgg19*")) if _PUBLISHED.value else []
    return found[0] if found else None


if __name__ == "__main__":
    command_line.run(main)
