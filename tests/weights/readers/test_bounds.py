"""The budget of a file, its messages, and which downloads are none."""

import pytest

from jaxsr.support.errors import UserError
from jaxsr.weights.readers.bounds import EXPANSION, SPARE, Budget, check_count, check_name, refusals


def test_a_budget_follows_the_size_of_the_file(tmp_path):
    (tmp_path / "w").write_bytes(bytes(100))
    budget = Budget(tmp_path / "w")
    budget.spend(SPARE, "a")
    budget.spend(EXPANSION * 100, "b")
    with pytest.raises(ValueError, match="^c would bring the file to more than 256 MiB and 4 times its 100 bytes$"):
        budget.spend(1, "c")


def test_bounds_of_counts_and_names():
    check_count(3, 3)
    with pytest.raises(ValueError, match="more than 3 arrays"):
        check_count(4, 3)
    assert check_name("a" * 512) == "a" * 512
    with pytest.raises(ValueError, match=r"has 513 characters, more than 512: 'a{40}'\.\.\."):
        check_name("a" * 513)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (KeyError("a\nb"), "'a\\\\nb'"),
        (MemoryError(), "it does not fit into memory"),
        (RecursionError("x"), "it is nested too deeply"),
        (ZeroDivisionError(), "ZeroDivisionError"),
    ],
)
def test_errors_of_every_type_become_one_line(error, reason, tmp_path):
    with pytest.raises(UserError) as caught, refusals(tmp_path, "broken", "mend it"):
        raise error
    assert str(caught.value) == f"{tmp_path} is broken: {reason.replace(chr(92) * 2, chr(92))}; mend it"


def test_errors_for_the_user_stay_but_for_their_length(tmp_path):
    with pytest.raises(UserError, match="^mine: x$"), refusals(tmp_path, "broken", "mend it"):
        raise UserError("mine: x")
