"""The connection to a Ray cluster, and what an actor takes of it."""

import contextlib
import logging
import os
import socket
from collections.abc import Iterator
from types import ModuleType

from jaxsr.support.errors import UserError

AUTO = "auto"  # the cluster that this machine belongs to, or this machine alone
CONNECT_SECONDS = 10


def check_address(address: str) -> None:
    """Raise UserError unless something answers at `address`; Ray itself would try for minutes."""
    if address == AUTO:
        return
    host, _, port = address.rpartition(":")
    if not (host and port.isdecimal() and "/" not in host):
        raise UserError(f"--ray={address} is not an address; write --ray=auto, or a host and port, as in 10.0.0.1:6379")
    try:
        socket.create_connection((host, int(port)), timeout=CONNECT_SECONDS).close()
    except (OSError, OverflowError) as error:
        raise UserError(f"no Ray cluster answers at --ray={address} ({error}); start one: ray start --head") from None


def actor_resources() -> tuple[dict[str, int], int]:
    """Return what an actor takes, and how many there are: one a GPU, or one a machine."""
    ray = ray_module()
    if gpus := int(ray.cluster_resources().get("GPU", 0)):
        return {"num_gpus": 1}, gpus
    return {"num_cpus": 1}, sum(node["Alive"] for node in ray.nodes())


@contextlib.contextmanager
def connected(address: str) -> Iterator[None]:
    """Connect to the cluster at `address` inside the block; raises UserError where none answers."""
    ray = ray_module()
    try:
        ray.init(None if address == AUTO else address, log_to_driver=False, logging_level=logging.ERROR)
    except (ConnectionError, ValueError, RuntimeError) as error:
        reason = str(error).partition("\n")[0]
        raise UserError(f"Ray does not start at --ray={address}: {reason}") from None
    try:
        context = ray.data.DataContext.get_current()
        context.enable_progress_bars, context.max_errored_blocks = False, -1
        logging.getLogger("ray.data").setLevel(logging.CRITICAL)
        yield
    finally:
        ray.shutdown()


def ray_module() -> ModuleType:
    """Return the module `ray` with `ray.data`; raises UserError where it is not installed."""
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")  # it warns of what Ray Data itself does
    try:
        import ray  # pyright: ignore[reportMissingImports]
        import ray.data  # pyright: ignore[reportMissingImports]
    except ImportError:
        raise UserError("clusters are reached by Ray Data; install it: pip install 'jaxsr[ray]'") from None
    return ray
