"""Several processes as one run: the same weights, one folder, one stop, and another number of them after it."""

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from ml_collections import ConfigDict
from PIL import Image

from jaxsr.data.builder import write_data_set
from jaxsr.devices import processes
from jaxsr.devices.processes import Membership, membership
from jaxsr.support.errors import UserError
from jaxsr.training.loop import train
from tests.helpers.configs import load_config
from tests.helpers.steps import DEVICE_CASES, SGD, assert_same_networks, saved_state
from tests.helpers.training import records, stop_after, weights

ROOT = Path(__file__).parents[2]
AGAINST_A_CRITIC = DEVICE_CASES | {("srgan", "mse"): {"pretraining.steps": 2, "data.patch": 8, **SGD}}
LAST_DIGITS = {("srntt", "full"): [pytest.mark.emitters]}  # compiled quickly, two processes round as one does not
FIELDS = {"batch_size": 8, "log_every": 5, "validate_every": 20, "checkpoint_every": 10, "schedule.name": "constant"}


def with_marks(cases):
    """Return `cases` as a test's parameters, marked where it compares last digits."""
    return [pytest.param(*case, marks=LAST_DIGITS.get(case, [])) for case in cases]


@pytest.fixture(scope="module")
def data_set(photos, tmp_path_factory):
    """Return a prepared data set of more sub-images than a batch has."""
    folder = tmp_path_factory.mktemp("data") / "set"
    images = [np.asarray(Image.open(path)) for path in sorted(photos.iterdir())]
    examples = [(f"{i}", image[top : top + 32, :40]) for i, image in enumerate(images) for top in range(0, 128, 32)]
    write_data_set(folder, {"train": ((f"{i}-{j}", image) for j, (i, image) in enumerate(examples))})
    return folder


def config_of(fields, variant="espcn.py:x2"):
    """Return a config with `fields`, as the command makes it."""
    config = load_config(*variant.split(".py:"))
    config.update_from_flattened_dict({**FIELDS, "data.patch": 12, **fields})
    return config


def start(workdir, fields, variant="espcn.py:x2", errors=None):
    """Start two processes of two devices each on `fields`, and return them; `errors` is where their errors go."""
    with socket.socket() as free:
        free.bind(("localhost", 0))
        coordinator = f"localhost:{free.getsockname()[1]}"
    flags = [f"--config.{name}={value}" for name, value in {**FIELDS, "data.patch": 12, **fields}.items()]
    command = [sys.executable, "-m", "jaxsr.train", f"--config=configs/{variant}", f"--workdir={workdir}", *flags]
    environment = os.environ | {"JAX_PLATFORMS": "cpu", "JAX_NUM_CPU_DEVICES": "2", "JAXSR_COORDINATOR": coordinator}
    return [
        subprocess.Popen(
            [*command, "--processes=2", f"--process={i}"],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
        for i in range(2)
    ]


def close(one, other):
    for name in one:
        np.testing.assert_allclose(one[name], other[name], atol=1e-5)
    return one.keys() == other.keys()


@pytest.mark.slow
def test_two_go_on_where_one_stopped(photos, data_set, tmp_path):
    """10 steps in one process and 10 in two, on streamed data, equal 20 in one; the first of two writes for both."""
    fields = {"steps": 20, "data.train": str(data_set), "data.validation": str(photos)}
    train(config_of(fields), tmp_path / "one")
    stop_after(10, config_of(fields), tmp_path / "two")
    pair = start(tmp_path / "two", fields)
    outputs = [process.communicate(timeout=120)[0] for process in pair]
    assert [process.returncode for process in pair] == [0, 0]
    assert "resuming from step 10 of 20" in outputs[0] and "trained to step 20" in outputs[0]
    assert not outputs[1]
    assert close(weights(tmp_path / "one"), weights(tmp_path / "two"))
    assert [record["step"] for record in records(tmp_path / "two", "train")] == [5, 10, 15, 20]
    assert len(list(tmp_path.glob("two/events*"))) == 2  # one for each start
    assert len(list(tmp_path.glob("two/samples/*"))) == 1


@pytest.mark.slow
@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_one_goes_on_where_two_were_stopped(number, status, photos, tmp_path):
    """A signal to the second ends both at one step, with one checkpoint; as many steps in one process are the same."""
    fields = {"data.train": str(photos), "data.validation": str(photos), "checkpoint_every": 1_000_000}
    pair = start(tmp_path / "two", {**fields, "steps": 1_000_000})
    assert pair[0].stdout is not None
    for line in pair[0].stdout:
        if line.startswith("step 5/"):
            break
    pair[1].send_signal(number)
    said = pair[0].communicate(timeout=60)[0]
    pair[1].communicate(timeout=60)
    assert [process.returncode for process in pair] == [143, status]
    step = int(said.split("stopped at step ")[1].split(" ")[0])
    assert [path.name for path in (tmp_path / "two" / "checkpoints").iterdir()] == [str(step)]
    for name in ("two", "one"):
        assert train(config_of({**fields, "steps": step + 5}), tmp_path / name).step == step + 5
    assert close(weights(tmp_path / "one"), weights(tmp_path / "two"))


@pytest.mark.slow
@pytest.mark.parametrize(("name", "variant"), with_marks(AGAINST_A_CRITIC))
def test_two_train_both_networks_as_one_does(name, variant, tiny, tmp_path):
    """All four devices of two processes share the normalizations, the gradients of both networks and the data."""
    config = tiny(name, variant, **{**FIELDS, "batch_size": 4, "steps": 20, **AGAINST_A_CRITIC[name, variant]})
    fields = changed(config, load_config(name, variant))
    pair = start(tmp_path / "two", fields, f"{name}.py:{variant}")
    for process in pair:
        process.communicate(timeout=400)
    assert [process.returncode for process in pair] == [0, 0]
    train(config, tmp_path / "one")
    assert_same_networks(*(saved_state(config, tmp_path / name) for name in ("two", "one")))


def changed(config, other, prefix=""):
    """Return the fields of `config` that are not those of `other`, {dotted name: value}."""
    fields = {}
    for name, value in config.items():
        if isinstance(value, ConfigDict):
            fields |= changed(value, other[name], f"{prefix}{name}.")
        elif value != other[name]:
            fields[prefix + name] = value
    return fields


@pytest.mark.slow
@pytest.mark.parametrize("killed", [0, 1])
def test_the_other_ends_when_one_is_killed(killed, photos, tmp_path):
    """Either one: at once, in one line, without half a checkpoint; then one process goes on as if nothing had been.

    JAX may log the loss, too; where the first one is gone, with its coordination, JAX may even abort before we end.
    """
    fields = {"data.train": str(photos), "data.validation": str(photos), "validate_every": 1_000_000}
    pair = start(tmp_path / "two", {**fields, "steps": 1_000_000}, errors=subprocess.PIPE)
    assert pair[0].stdout is not None
    for line in pair[0].stdout:
        if line.startswith("step 25/"):
            break
    pair[killed].kill()
    pair[killed].communicate()
    other = pair[1 - killed]
    _, said = other.communicate(timeout=60)
    line = f"train: process {killed} of 2 is gone; run the same command to resume"
    ended = other.returncode == 1 and line in said.splitlines()
    assert ended or (killed == 0 and other.returncode == -signal.SIGABRT), said
    for name in ("two", "one"):
        assert train(config_of({**fields, "steps": 40}), tmp_path / name).step == 40
    assert close(weights(tmp_path / "one"), weights(tmp_path / "two"))


@pytest.mark.slow
@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_ends_one_that_waits_for_the_others(number, status, tmp_path):
    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        port = probe.getsockname()[1]
    line = [sys.executable, "-m", "jaxsr.train", "--config=espcn:x2", f"--workdir={tmp_path / 'run'}"]
    line += [f"--coordinator=localhost:{port}"]
    process = subprocess.Popen([*line, "--processes=2", "--process=0"], stderr=subprocess.PIPE, text=True, cwd=ROOT)
    try:
        while process.poll() is None:  # until it listens
            with suppress(ConnectionRefusedError), socket.create_connection(("localhost", port)):
                break
        time.sleep(1)
        process.send_signal(number)
        _, errors = process.communicate(timeout=30)  # JAX waits for five minutes
    finally:
        process.kill()
    assert process.returncode == status and errors == f"\ntrain: ended by {number.name}\n"


def test_where_a_process_learns_its_place():
    assert membership(None, None, None, {"SLURM_NTASKS": "4", "SLURM_PROCID": "1"}) is None  # no coordinator
    assert membership("a:1", 2, 1, {}) == Membership("a:1", 2, 1)
    slurm = {"JAXSR_COORDINATOR": "b:2", "SLURM_NTASKS": "4", "SLURM_PROCID": "3"}
    assert membership(None, None, None, slurm) == Membership("b:2", 4, 3)
    assert membership("a:1", None, 0, slurm | {"JAXSR_PROCESSES": "2", "JAXSR_PROCESS": "1"}) == Membership("a:1", 2, 0)
    assert membership("auto", None, None, {}) == Membership("auto", 0, 0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((None, 2, None), "several processes need the address of the first; set --coordinator=HOST:PORT"),
        (
            ("a:1", None, 0),
            "--coordinator needs --processes, a number; got processes=None; set --processes or",
        ),
        (("a:1", 2, None), "--coordinator needs --process, a number; got process=None; set --process or JAXSR_PROCESS"),
        (("a:1", 2, 2), r"process=2 must lie in \[0, processes=2\)"),
        (("a", 2, 1), "coordinator='a' names no port; set --coordinator=a:12355"),
    ],
)
def test_a_place_that_cannot_be(arguments, message):
    with pytest.raises(UserError, match=message):
        membership(*arguments, {})


def test_alone_nothing_is_sent():
    value = {"a": [1, None]}
    assert processes.gathered(value) == [value] and processes.from_first(lambda: value) is value
    assert processes.tree_of_first(value) is value
