"""Addresses at which no processes can meet are refused in a line."""

import socket
import subprocess
import sys

import jax
import pytest

from jaxsr.devices import processes
from jaxsr.devices.coordinator import check_address, check_free
from jaxsr.devices.processes import Membership
from jaxsr.support.errors import UserError

ALONE = """
import sys
from jaxsr.devices import coordinator, processes
from jaxsr.support.errors import UserError
coordinator.PATIENCE = 2
try:
    processes.join(processes.Membership(sys.argv[1], 2, int(sys.argv[2])))
except UserError as error:
    sys.exit(f"refused: {error}")
"""


@pytest.mark.parametrize("address", ["host:1", "10.0.0.1:65535", "[::1]:12355"])
def test_a_host_and_a_port_are_taken(address):
    check_address(address)


@pytest.mark.parametrize("address", ["host:", ":12355", "host:abc", "host:0", "host:99999"])
def test_other_addresses_are_refused(address):
    with pytest.raises(UserError, match="is not a host and a port from 1 to 65535; write for example --coordinator="):
        check_address(address)
    with pytest.raises(UserError, match="is not a host and a port"):
        processes.membership(address, 2, 0, {})


def test_a_port_that_another_program_has_is_refused_before_jax_crashes_over_it():
    with socket.create_server(("", 0)) as other:
        address = f"localhost:{other.getsockname()[1]}"
        with pytest.raises(UserError, match=f"cannot listen at --coordinator={address} .Address already in use."):
            processes.join(Membership(address, 2, 0))
    check_free(address)


def test_where_jax_is_to_find_processes_and_finds_none_the_flags_are_named(monkeypatch):
    def nothing_found(**options):
        raise ValueError("coordinator_address should be defined.")

    monkeypatch.setattr(jax.distributed, "initialize", nothing_found)
    with pytest.raises(UserError, match="--coordinator=auto: JAX finds no other processes .*; set --coordinator=HOST"):
        processes.join(Membership("auto", 0, 0))


@pytest.mark.slow
@pytest.mark.parametrize("index", [0, 1])
def test_a_process_that_waits_in_vain_says_so(index):
    """JAX would abort it. Its service, in the first process, may log a line or two as it ends."""
    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        address = f"localhost:{probe.getsockname()[1]}"
    line = [sys.executable, "-c", ALONE, address, str(index)]
    done = subprocess.run(line, capture_output=True, text=True, check=False, timeout=100)
    said = f"refused: not all processes came to --coordinator={address} in 2 seconds; start each, with its own "
    assert done.returncode == 1 and done.stderr.startswith(said), done.stderr
    assert "stack trace" not in done.stderr
