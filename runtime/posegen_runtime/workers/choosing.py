"""Which workers a run gets."""

import functools
import sys
from collections.abc import Callable

from posegen_runtime.choices import BackendName
from posegen_runtime.shape import available_cores
from posegen_runtime.workers.base import Prepare, Workers, Writer
from posegen_runtime.workers.threads import InLane, ThreadWorkers

ENOUGH = 4
"""Cores from which one interpreter is too little beside a model that leaves them idle."""

MakePreparer = Callable[..., Prepare]
"""Takes `sharers`, how many of its kind have the room for read files between them."""


def open_workers(
    asked: int | None,
    backend: BackendName,
    size: tuple[int, int],
    make_preparer: MakePreparer,
    writer: Writer,
    cores: int | None = None,
) -> Workers:
    """`asked` processes; 0: threads of this one. None: on a CPU none at all, each lane reads and
    writes by itself; beside a GPU a process for each core but one, where there are enough.

    `size`: (height, width) of all arrays. `cores`: how many there are to take, None: all. Raises
    `PoseGenError` where processes cannot be had.
    """
    cores = cores or available_cores()
    if asked is None and backend.leaves_cpu and cores >= ENOUGH and sys.platform != "win32":
        asked = cores - 1
    if asked:
        from posegen_runtime.workers.processes import ProcessWorkers

        make = functools.partial(make_preparer, sharers=asked)
        return ProcessWorkers(make, writer, asked, size)
    if backend.leaves_cpu:
        return ThreadWorkers(make_preparer(), writer, cores)
    return InLane(make_preparer(), writer)
