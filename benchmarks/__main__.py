"""Prints every table: python -m benchmarks [--sections=inference,training] [--networks=fsrcnn,vdsr] [--rounds=3].

pip install -e ".[bench,video]" first. Below each table stands how long it took.
"""

import inspect
from collections.abc import Iterator, Sequence

from benchmarks import adversarial, growth, inference, kernelgan, matching, motion, pipeline, training, video, zssr
from benchmarks.cases import SIZES
from benchmarks.tables import Section, Table, run
from jaxsr.models.precision import PRECISIONS
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
}


def tables(
    *,
    sections: Sequence[str] = tuple(SECTIONS),
    networks: Sequence[str] = tuple(SIZES),
    precision: str = "float32",
    rounds: int = 3,
) -> Iterator[Table]:
    """Yield the tables of all `sections`, those of networks with `networks` alone.

    `precision` is what jaxsr's training steps compute in, "float32" or "bf16". Raises UserError for unknown names.
    """
    chosen = [choose("section", name, SECTIONS) for name in sections]
    for name in networks:
        choose("network", name, SIZES)
    choose("precision", precision, PRECISIONS)
    given = {"networks": networks, "precision": precision, "rounds": rounds}
    for section in chosen:
        taken = inspect.signature(section).parameters.keys()
        yield from section(**{name: value for name, value in given.items() if name in taken})


if __name__ == "__main__":
    run(tables)
