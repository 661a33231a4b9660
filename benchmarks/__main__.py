"""Prints every table: python -m benchmarks [--sections=inference,training] [--networks=fsrcnn,vdsr] [--json=FILE].

pip install -e ".[bench,video,ray]" first. Below each table stands how long it took.
"""

from collections.abc import Iterator, Sequence

from benchmarks import (
    adversarial,
    growth,
    inference,
    kernelgan,
    matching,
    motion,
    photo_collections,
    pipeline,
    training,
    video,
    zssr,
)
from benchmarks.arguments import check_names, defaults_of
from benchmarks.cases import PRECISIONS, SIZES, SIZES_OF
from benchmarks.tables import Section, Table, run
from jaxsr.support.errors import choose

SECTIONS: dict[str, Section] = {
    "inference": inference.tables,
    "training": training.tables,
    "adversarial": adversarial.tables,
    "kernelgan": kernelgan.tables,
    "zssr": zssr.tables,
    "matching": matching.tables,
    "motion": motion.tables,
    "growth": growth.tables,
    "pipeline": pipeline.tables,
    "video": video.tables,
    "collections": photo_collections.tables,
}


def tables(
    *,
    sections: Sequence[str] = tuple(SECTIONS),
    networks: Sequence[str] = tuple(SIZES),
    engines: Sequence[str] = (),
    precisions: Sequence[str] = (),
    size: str = "cpu",
    rounds: int = 3,
) -> Iterator[Table]:
    """Yield the tables of all `sections`, those of networks with `networks` alone.

    `precisions` are "float32" and "bf16", without any those that are faster here; `size` is "cpu" or "gpu", for sizes
    that fill it. Raises UserError for unknown names.
    """
    chosen = [choose("section", name, SECTIONS) for name in sections]
    check_names("network", networks, SIZES)
    check_names("engine", engines, inference.ENGINES)
    check_names("precision", precisions, PRECISIONS)
    choose("size", size, SIZES_OF)
    given = {"networks": networks, "engines": engines, "precisions": precisions, "size": size, "rounds": rounds}
    for section in chosen:
        yield from section(**{name: value for name, value in given.items() if name in defaults_of(section)})


if __name__ == "__main__":
    run(tables)
