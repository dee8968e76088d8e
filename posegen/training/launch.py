"""How many processes train together, and who starts them: torchrun, srun, or `posegen` itself.

A launcher says so in the environment of the processes that it starts. What `--devices` and
`--nodes` say must not contradict it.
"""

import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from posegen_runtime.console import EXIT_USAGE
from posegen_runtime.errors import PoseGenError

_TORCHRUN = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE")
_PATIENCE = 10.0
"""Seconds that the first process may be slower than another to find what is wrong."""
_SRUN = ("SLURM_PROCID", "SLURM_LOCALID", "SLURM_STEP_NUM_TASKS", "SLURM_STEP_NUM_NODES")


@dataclass(frozen=True)
class Launch:
    """Processes that train together, one a device, as many on each machine."""

    devices: int = 1
    """Processes on each machine."""
    nodes: int = 1
    rank: int = 0
    """Number of this process among all."""
    local_rank: int = 0
    """Number of this process on its machine."""
    launcher: str | None = None
    """The command that started this process with all the others; None when none did."""

    @property
    def world(self) -> int:
        """Processes on all machines together."""
        return self.devices * self.nodes


def find_launch(devices: int | None, nodes: int | None, environ: Mapping[str, str]) -> Launch:
    """What was asked for, `None` where nothing was, completed by what a launcher says in `environ`.

    Raises `PoseGenError` when the two contradict each other, when a launcher's machines are unlike,
    when it does not say where processes meet, and when several machines are asked for without one.
    """
    started = _by_torchrun(environ) or _by_srun(environ)
    if started is None or started.world == 1:
        if (nodes or 1) > 1:
            raise PoseGenError(_without_launcher(devices or 1, nodes or 1))
        return Launch(devices=devices or 1)
    for option, asked, given in (
        ("--devices", devices, started.devices),
        ("--nodes", nodes, started.nodes),
    ):
        if asked is not None and asked != given:
            raise PoseGenError(
                f"{option} {asked}: {started.launcher} started {started.devices} processes on each "
                f"of {started.nodes} machines; leave the option out, or start as many"
            )
    _check_meeting(started, environ)
    return started


@contextmanager
def first_speaks(environ: Mapping[str, str]) -> Iterator[None]:
    """Of the processes that a launcher started on a machine, the first tells what is wrong. The
    others wait, since a launcher ends them all when the first one has ended, and leave quietly."""
    try:
        yield
    except PoseGenError:
        ranks = _numbers(environ, ("LOCAL_RANK",)) or _numbers(environ, ("SLURM_LOCALID",))
        if ranks is None or ranks == [0]:
            raise
        time.sleep(_PATIENCE)
        raise SystemExit(EXIT_USAGE) from None


def torchrun_variables(launch: Launch, address: str, port: int) -> dict[str, str]:
    """What torchrun would set for this process; the first one listens at `address` and `port`."""
    return {
        "RANK": str(launch.rank),
        "WORLD_SIZE": str(launch.world),
        "LOCAL_RANK": str(launch.local_rank),
        "LOCAL_WORLD_SIZE": str(launch.devices),
        "GROUP_RANK": str(launch.rank // launch.devices),
        "MASTER_ADDR": address,
        "MASTER_PORT": str(port),
    }


def _check_meeting(launch: Launch, environ: Mapping[str, str]) -> None:
    """For processes of srun there is a place that follows from the job."""
    address, port = environ.get("MASTER_ADDR", ""), environ.get("MASTER_PORT", "")
    if launch.launcher == "torchrun" and not (address and port):
        raise PoseGenError(
            f"WORLD_SIZE {launch.world}: MASTER_ADDR and MASTER_PORT do not say where the "
            "processes meet; set both, the same for all, or let torchrun start them"
        )
    if port and not (port.isdecimal() and 0 < int(port) < 2**16):
        raise PoseGenError(f"MASTER_PORT {port}: give it a number from 1 to 65535")


def _by_torchrun(environ: Mapping[str, str]) -> Launch | None:
    found = _numbers(environ, _TORCHRUN)
    if found is None:
        return None
    rank, world, local_rank, devices = found
    if devices < 1 or world % devices:
        raise PoseGenError(
            f"torchrun: {world} processes, {devices} of them on this machine; give every machine "
            "the same --nproc-per-node"
        )
    return Launch(devices, world // devices, rank, local_rank, "torchrun")


def _by_srun(environ: Mapping[str, str]) -> Launch | None:
    found = _numbers(environ, _SRUN)
    if found is None:
        return None
    rank, local_rank, world, nodes = found
    # "4(x2)" for twice four, "4,2" for four and two.
    unlike = len(re.findall(r"\d+(?:\(x\d+\))?", environ.get("SLURM_STEP_TASKS_PER_NODE", ""))) > 1
    if nodes < 1 or world % nodes or unlike:
        raise PoseGenError(
            f"srun: {world} tasks on {nodes} machines, not as many on each; give srun "
            "--ntasks-per-node"
        )
    return Launch(world // nodes, nodes, rank, local_rank, "srun")


def _numbers(environ: Mapping[str, str], names: tuple[str, ...]) -> list[int] | None:
    values = [environ.get(name, "") for name in names]
    return [int(value) for value in values] if all(v.isdecimal() for v in values) else None


def _without_launcher(devices: int, nodes: int) -> str:
    return (
        f"--nodes {nodes}: `posegen train` starts processes on its own machine only; on each of "
        f"the {nodes}, with the name of one of them as HOST, run: torchrun --nnodes {nodes} "
        f"--nproc-per-node {devices} --rdzv-backend c10d --rdzv-endpoint HOST:29500 "
        "--no-python posegen train ..."
    )
