"""What the processes of a run agree on: over the CPU, whatever device they train on.

So it neither waits for a GPU to finish its queue nor stands in the way of the gradients.
"""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import torch
import torch.distributed
from lightning_fabric import Fabric

from posegen.training.devices import SILENCE
from posegen.training.processes import LostContact
from posegen_runtime.errors import PoseGenError

Result = TypeVar("Result")
_BEAT = 10.0
"""Seconds between signs of life of a process that works while others wait for it."""
_SIGNS_OF_LOSS = ("gloo", "onnection", "Timed out", "NCCL")


class Peers:
    """The processes of a run; alone, every method is what it says of one process."""

    def __init__(self, fabric: Fabric) -> None:
        self.is_first = fabric.is_global_zero
        self.is_first_here = fabric.local_rank == 0
        self.count = fabric.world_size
        self._group: torch.distributed.ProcessGroup | None = None
        if self.count > 1:
            group = torch.distributed.new_group(backend="gloo", timeout=SILENCE)
            assert isinstance(group, torch.distributed.ProcessGroup)
            self._group = group

    def highest(self, number: int) -> int:
        """The largest number that a process calls with."""
        if self._group is None:
            return number
        value = torch.tensor(number)
        torch.distributed.all_reduce(value, torch.distributed.ReduceOp.MAX, self._group)
        return int(value)

    def from_first(self, value: Result) -> Result:
        """The value that the first process calls with."""
        if self._group is None:
            return value
        values = [value]
        torch.distributed.broadcast_object_list(values, 0, self._group)
        return values[0]

    def wait(self) -> None:
        """Until all processes have come here."""
        self.highest(0)

    def together(self, work: Callable[[], Result]) -> Result:
        """Work on every process, however long it takes on some; a `PoseGenError` of one is raised
        by all, so that none waits for another that has given up."""
        if self._group is None:
            return work()
        done = threading.Event()
        waiting = threading.Thread(target=self._wait, args=(done,), daemon=True)
        waiting.start()
        result: Result | None = None
        problem: PoseGenError | None = None
        try:
            result = work()
        except PoseGenError as error:
            problem = error
        done.set()
        waiting.join()
        self._raise_first(problem)
        return result  # type: ignore[return-value]

    def _wait(self, done: threading.Event) -> None:
        """Until `done` on all processes."""
        try:
            while self.highest(0 if done.wait(_BEAT) else 1):
                pass
        except RuntimeError:
            # A process is lost; what the main thread asks of it next says so.
            return

    def _raise_first(self, problem: PoseGenError | None) -> None:
        here = socket.gethostname()
        told: list[tuple[str, PoseGenError | None, BaseException | None]] = [
            (here, None, None) for _ in range(self.count)
        ]
        cause = None if problem is None else problem.__cause__
        # Others may not travel, and only a full disk changes how a command ends.
        mine = (here, problem, cause if isinstance(cause, OSError) else None)
        torch.distributed.all_gather_object(told, mine, self._group)
        for host, error, cause in told:
            if error is not None:
                where = "" if host == told[0][0] else f"on {host}: "
                raise type(error)(f"{where}{error}") from cause


@contextmanager
def in_contact(count: int) -> Iterator[None]:
    """Makes a `LostContact` of what PyTorch raises when one of `count` processes ended or vanished
    while others waited for it."""
    try:
        yield
    except RuntimeError as error:
        lost = isinstance(error, torch.distributed.DistError) or any(
            sign in str(error) for sign in _SIGNS_OF_LOSS
        )
        if count == 1 or not lost:
            raise
        raise LostContact(
            "lost contact with another process of this run, which may say why; the same command "
            "goes on from the last save"
        ) from error
