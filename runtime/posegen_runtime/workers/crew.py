"""The worker processes of a run, and those that take the place of the dead."""

import os
from collections.abc import Callable
from contextlib import suppress

from posegen_runtime.workers.base import Prepare, Writer
from posegen_runtime.workers.process import WorkerProcess


class Crew:
    """`count` workers. They end when this process does, whatever way: a pipe closes then.

    Raises `PoseGenError` where processes cannot be started.
    """

    def __init__(
        self,
        make_preparer: Callable[[], Prepare],
        writer: Writer,
        count: int,
        size: tuple[int, int],
    ) -> None:
        self._make_preparer, self._writer, self._size = make_preparer, writer, size
        self._ends, self._lifeline = os.pipe()
        self.workers: list[WorkerProcess] = []
        try:
            for _ in range(count):
                self.workers.append(self.start())
        except BaseException:
            self.let_go()
            for worker in self.workers:
                worker.end()
            raise

    def start(self) -> WorkerProcess:
        """One more, for `replace`."""
        return WorkerProcess(self._size, self._make_preparer, self._writer, self._ends)

    def replace(self, dead: WorkerProcess, new: WorkerProcess) -> None:
        self.workers[self.workers.index(dead)] = new

    def let_go(self) -> None:
        """End all, and start no more."""
        for end in (self._lifeline, self._ends):
            with suppress(OSError):
                os.close(end)
