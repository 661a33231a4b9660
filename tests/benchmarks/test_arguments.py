"""What a section's arguments become as flags, and what is said of wrong ones before anything is measured."""

import importlib
import re
import subprocess
import sys
from pathlib import Path

import pytest
from absl import flags

from benchmarks.arguments import define_flag, flag_value, whole_numbers
from jaxsr.support.errors import UserError


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


@pytest.mark.parametrize("given", ["soon", "1.5", "0", "-4"])
def test_a_list_of_numbers_has_no_others(given):
    define_flag("batches", (1, 4), values := flags.FlagValues())
    values(["program", f"--batches=1,{given}"])
    with pytest.raises(UserError, match=f"--batches has '{given}'; give whole numbers of at least 1"):
        flag_value("batches", (1, 4), values)
    assert whole_numbers("scales", ["2", "3"]) == (2, 3)


@pytest.mark.parametrize(
    ("section", "arguments", "message"),
    [
        ("__main__", {"engines": ["onnxruntim"]}, "unknown engine 'onnxruntim'; did you mean 'onnxruntime'?"),
        ("convolutions", {"models": ["danv1"]}, "unknown model 'danv1'; did you mean 'danv1-x"),
        ("memory", {"networks": ["vdsr"]}, "unknown network 'vdsr'"),
        ("large_photo", {"networks": ["rdm"]}, "unknown network 'rdm'; did you mean 'rdn'?"),
        ("inference", {"networks": ["rdm"]}, "unknown network 'rdm'"),
        ("inference", {"scales": ["two"]}, "--scales has 'two'"),
        ("training", {"precisions": ["fp16"]}, "unknown precision 'fp16'"),
        ("adversarial", {"networks": ["srgam"]}, "unknown network 'srgam'"),
        ("growth", {"parts": ["device"]}, "unknown part 'device'; did you mean 'devices'?"),
        ("photo_collections", {"photos": 4}, "--photos=4 --side=256: give more than 4 photos"),
    ],
)
def test_a_section_refuses_names_that_it_would_leave_out(section, arguments, message):
    if section not in ("convolutions", "memory", "photo_collections"):
        pytest.importorskip("torch")
    tables = importlib.import_module(f"benchmarks.{section}").tables
    with pytest.raises(UserError, match=re.escape(message)):
        next(tables(**arguments))


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("motion camera --json=docs", "unexpected argument 'camera'"),
        pytest.param("motion --json=docs", "--json=docs is a folder; name a file in it", marks=pytest.mark.slow),
        pytest.param("compile_times --networks=rdm", "unknown network 'rdm'", marks=pytest.mark.slow),
        pytest.param("compile_times --json_file=README.md", "README.md holds no compile times", marks=pytest.mark.slow),
        pytest.param("precision --names=espcn-x9", "unknown weights 'espcn-x9'", marks=pytest.mark.slow),
        pytest.param("precision --photos=gone", "no file or folder 'gone'", marks=pytest.mark.slow),
        pytest.param("quality --json=gone --data=docs --zssr=step=9", "unknown option of zssr", marks=pytest.mark.slow),
        pytest.param("quality --json=gone --data=docs --zssr=steps=0", "steps=0 must be", marks=pytest.mark.slow),
        pytest.param("quality --json=gone --data=docs --zssr=kernel=k", "takes no kernel", marks=pytest.mark.slow),
        pytest.param("quality --json=gone --data=docs --vgg=gone", "--vgg=gone is no file", marks=pytest.mark.slow),
        pytest.param("ship_weights espcn-x3 --name=espcn-x2 --data=docs", "they are espcn-x3", marks=pytest.mark.slow),
        pytest.param("ship_weights espcn-x3 --name=espcn-x3 --data=gone", "--data=gone is no", marks=pytest.mark.slow),
        pytest.param("ship_weights espcn-x3 --name=espcn-x3 --data=", "--data is empty", marks=pytest.mark.slow),
        pytest.param("ship_weights espcn-x3 --name=vdsr-small-x3 --data=docs", "espcn-x3", marks=pytest.mark.slow),
        pytest.param("ship_weights vdsr-x2 --name=vdsr-x2x2 --data=docs", "are vdsr-x2x3x4", marks=pytest.mark.slow),
        pytest.param("ship_weights vdsr-x2 --name=vdsr-x3x2 --data=docs", "are vdsr-x2x3x4", marks=pytest.mark.slow),
    ],
)
def test_mistakes_take_one_line_before_the_work(command, message):
    module, *flags = command.split()
    done = subprocess.run(
        [sys.executable, "-m", f"benchmarks.{module}", *flags],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 2 and message in done.stderr.splitlines()[-1], done.stderr
    assert not done.stdout
