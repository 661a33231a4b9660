"""What is made from the measurements: the README's table of speed, and the table that engines are chosen by."""

import pytest

from benchmarks.cases import A_PHOTO, A_STEP
from benchmarks.engines import engine_times
from benchmarks.measurements import Results, RowRecord, TableRecord
from benchmarks.speed_table import BEGIN, END, with_speed_table
from jaxsr.support.errors import UserError


def rows(*lines):
    """Return rows of two, or three, labels."""
    return [RowRecord(labels=[*labels], cells=[*cells], note="", took=1.0) for labels, cells in lines]


PHOTOS = TableRecord(
    title=A_PHOTO,
    columns=["network", "engine", "precision", "jaxsr ms", "best PyTorch / jaxsr", "jaxsr MP/s", "jaxsr compiles, s"],
    notes=[],
    rows=rows(
        (("rdn x2, 48x48", "xla", "float32"), ("9", "0.80", "0.5", "1.0")),
        (("rdn x2, 48x48", "openvino", "float32"), ("4", "1.30", "1.25", "2.0")),
        (("rdn x2, 48x48", "openvino", "bf16"), ("2", "2.10", "2.5", "2.0")),
        (("danv1 x2, 48x48", "xla", "float32"), ("9", "0.80", "0.5", "3.0")),
        (("danv1 x2, 48x48", "openvino", "float32"), ("4", "1.30", "1.25", "10.0")),
        (("drcn x3, 24x24", "xla", "float32"), ("over 60 s", "", "", "")),
    ),
)
STEPS = TableRecord(
    title=A_STEP,
    columns=["network", "precision", "jaxsr ms", "eager / jaxsr"],
    notes=[],
    rows=rows((("rdn x2, 4 of 24x24", "float32"), ("9", "1.10"))),
)
RESULTS = Results(machine="AMD EPYC, 2 cores", tables=[PHOTOS, STEPS])


def test_each_network_has_its_fastest_engine_and_rows_without_numbers_are_empty():
    text = with_speed_table(f"# Speed\n\n{BEGIN}\nold\n{END}\nmore\n", RESULTS)
    assert text.startswith(f"# Speed\n\n{BEGIN}\nAMD EPYC, 2 cores:\n\n| network, photo |") and "old" not in text
    assert "\n| rdn x2, 48x48 | 0.8 (openvino) | 1.30 | 0.4 (openvino) | 2.10 | 1.10 |\n" in text
    assert text.endswith(f"\n| drcn x3, 24x24 |  |  |  |  |  |\n{END}\nmore\n")


def test_a_readme_without_the_place_is_refused():
    with pytest.raises(UserError, match="no place for the table of speed"):
        with_speed_table("# Speed\n", RESULTS)


def test_engines_are_chosen_by_the_seconds_of_the_same_table_but_those_that_compile_long():
    assert engine_times(RESULTS) == {"rdn": {"xla": 0.009, "openvino": 0.004, "openvino_bf16": 0.002}}
