"""The way to a Ray cluster, or to one on this machine, with nothing of its own on the terminal."""

import logging
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from posegen_runtime.errors import PoseGenError

HERE = "local"
"""Ray's word for a cluster that is this machine alone, and ends with the process."""
PATIENCE = 5.0
"""Seconds for an address to answer."""
QUIET = {
    "RAY_BACKEND_LOG_LEVEL": "fatal",
    "RAY_DEDUP_LOGS_SKIP_REGEX": ".*",
    "RAY_DATA_DISABLE_PROGRESS_BARS": "1",
    "RAY_USAGE_STATS_ENABLED": "0",
}
"""Read when Ray is imported. What dies is told by the run; Ray's own files say more."""
STORE = 512 * 2**20
"""Bytes of Ray's shared memory, where the cluster is this machine's: results are small."""


@contextmanager
def connected(address: str | None) -> Iterator[Any]:
    """Ray, connected to the cluster at `address`; None: to that of $RAY_ADDRESS, else to one on
    this machine that ends with the context. A connection that is there already is used and stays.

    Raises `ModuleNotFoundError` without the extra `ray`, and `PoseGenError` where nothing answers.
    """
    address = address or os.environ.get("RAY_ADDRESS") or HERE
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    import ray
    import ray.data

    for name in ("ray", "ray.data"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    if ray.is_initialized():
        yield ray
        return
    if address not in (HERE, "auto"):
        check_answers(address)
    own: dict[str, Any] = {}
    if address == HERE:
        own = {"include_dashboard": False, "object_store_memory": STORE}
    try:
        with _hushed():
            ray.init(address, logging_level=logging.CRITICAL, log_to_driver=False, **own)
    except Exception as error:  # of many kinds, by what it meets
        if address == HERE:
            words = "--engine ray: Ray does not start on this machine"
        else:
            words = f"--address {address}: no Ray cluster to work on"
        raise PoseGenError(f"{words} ({_first(error)})") from error
    try:
        yield ray
    finally:
        ray.shutdown()


def check_answers(address: str) -> None:
    """Raise `PoseGenError` unless something listens at HOST:PORT: Ray itself would try for long,
    and then end the process."""
    if address.startswith("ray://"):
        raise PoseGenError(
            f"--address {address}: is of Ray's client; give this command on a machine of the "
            "cluster, with --address auto"
        )
    host, colon, port = address.rpartition(":")
    if not colon or not port.isdecimal() or not 0 < int(port) < 65536:
        raise PoseGenError(
            f"--address {address}: give HOST:PORT of the cluster's head, such as 10.0.0.1:6379, or "
            "auto on a machine of the cluster"
        )
    try:
        socket.create_connection((host.strip("[]"), int(port)), PATIENCE).close()
    except OSError as error:
        reason = error.strerror or error
        raise PoseGenError(
            f"--address {address}: nothing answers there ({reason}); start a cluster with "
            "`ray start --head`, or check the address"
        ) from error


@contextmanager
def _hushed() -> Iterator[None]:
    """Nothing that is written to the file of standard error, by whatever library, is seen."""
    sys.stderr.flush()
    kept = os.dup(2)
    nothing = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nothing, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nothing)


def _first(error: BaseException) -> str:
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0].rstrip(".")
