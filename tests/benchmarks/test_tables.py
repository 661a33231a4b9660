"""How tables print, and what a section's arguments become as flags."""

import pytest
from absl import flags

from benchmarks.tables import Table, define_flag, flag_value, show


def test_a_table_prints_row_by_row_with_what_it_noted(capsys):
    notes = []

    def rows():
        yield ["espcn", "1.0"]
        assert "| espcn | 1.0 |" in capsys.readouterr().out
        notes.append("Nothing failed.")
        yield ["fsrcnn", "2.0"]

    show(Table("A photo", ("network", "ms"), rows(), notes))
    assert capsys.readouterr().out == "| fsrcnn | 2.0 |\n\nNothing failed. Measured in 0 s.\n\n"


@pytest.mark.parametrize(
    ("default", "given", "value"),
    [
        (3, "5", 5),
        (True, "false", False),
        ("float32", "bf16", "bf16"),
        ((1, 8), "2,4", (2, 4)),
        (("a",), "b,c", ("b", "c")),
    ],
)
def test_arguments_are_flags_of_their_type(default, given, value):
    define_flag("argument", default, values := flags.FlagValues())
    values(["program", f"--argument={given}"])
    assert flag_value("argument", default, values) == value


def test_there_is_a_round_at_least():
    define_flag("rounds", 3, values := flags.FlagValues())
    with pytest.raises(flags.IllegalFlagValueError, match="0 is not a positive integer"):
        values(["program", "--rounds=0"])
