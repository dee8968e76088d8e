"""Which worker does what, and what waits until one is free."""

import threading
import weakref
from collections import deque
from collections.abc import Iterable
from concurrent.futures import CancelledError
from functools import partial
from operator import attrgetter

from posegen_runtime.rows import Images
from posegen_runtime.workers.base import Writer
from posegen_runtime.workers.crew import Crew
from posegen_runtime.workers.messages import Read
from posegen_runtime.workers.process import WorkerProcess
from posegen_runtime.workers.tasks import Reading, Writing

_AHEAD = 16
"""Jobs that a worker has before it; the others wait here for whoever is free first."""


class Desk:
    """Hold `lock` around `take`, `refusal` and `enter`."""

    def __init__(self, crew: Crew, writer: Writer) -> None:
        self.lock = threading.Lock()
        self.held: dict[int, tuple[WorkerProcess, int, weakref.ref[Images]]] = {}
        """By the id of its room: who prepared it, and under which number."""
        self.error: BaseException | None = None
        """Why nothing new is done."""
        self.closed = False
        self._crew = crew
        self._writer = writer
        self._tasks = 0
        self._waiting: deque[Reading] = deque()

    def take(self, reading: Reading) -> tuple[WorkerProcess, Read] | None:
        """What to send to whom; None: nothing now."""
        if error := self.refusal():
            reading.reply.fail(error)
            return None
        worker = min(self._crew.workers, key=attrgetter("reads"))
        if worker.reads >= _AHEAD:
            self._waiting.append(reading)
            return None
        return worker, self._assign(worker, reading)

    def refusal(self, worker: WorkerProcess | None = None) -> BaseException | None:
        """Why nothing new can be done, by `worker` or at all."""
        if self.closed:
            return CancelledError()
        return self.error if worker is None or worker.gone else None

    def enter(self, worker: WorkerProcess, task: Reading | Writing) -> int:
        """The number under which `worker` has it to do."""
        self._tasks += 1
        worker.open[self._tasks] = task
        return self._tasks

    def write_here(self, writing: Writing) -> None:
        """What a worker should that is gone: only it saw the arrays without a copy."""
        try:
            writing.reply.give(self._writer(writing.made))
        except Exception as error:
            writing.reply.fail(error)

    def hold(self, room: Images, worker: WorkerProcess, number: int) -> None:
        """Until nobody uses an array in it."""
        gone = weakref.ref(room, partial(self._let_go, id(room)))
        self.held[id(room)] = worker, number, gone

    def refill(self, worker: WorkerProcess, done: int) -> list[Read]:
        """What it gets after it has read `done` jobs."""
        with self.lock:
            worker.reads -= done
            if worker.reads > _AHEAD // 2:
                return []
            count = min(_AHEAD - worker.reads, len(self._waiting))
            return [self._assign(worker, self._waiting.popleft()) for _ in range(count)]

    def replace(self, dead: WorkerProcess, new: WorkerProcess) -> list[Reading | Writing] | None:
        """What `dead` had to do, whose place `new` takes; None: too late, all is over."""
        with self.lock:
            if self.closed:
                return None
            self._crew.replace(dead, new)
            return self._take_from(dead)

    def wait_first(self, readings: Iterable[Reading]) -> None:
        """Before all that waits; `readings` in their order."""
        with self.lock:
            closed = self.closed
            self._waiting.extendleft(() if closed else reversed(list(readings)))
        if closed:
            _fail(readings, CancelledError())

    def close(self) -> bool:
        """End what waits; False: it was closed before."""
        with self.lock:
            first, self.closed = not self.closed, True
            waiting = self._drained()
        _fail(waiting, CancelledError())
        return first

    def break_off(self, error: BaseException) -> None:
        """Do nothing new."""
        with self.lock:
            self.error = self.error or error
            waiting = self._drained()
        _fail(waiting, error)

    def fail(self, worker: WorkerProcess, error: BaseException) -> None:
        """All that it has to do; it is gone."""
        with self.lock:
            opened = self._take_from(worker)
        _fail(opened, error)

    def _assign(self, worker: WorkerProcess, reading: Reading) -> Read:
        worker.reads += 1
        return Read(self.enter(worker, reading), reading.job)

    def _take_from(self, worker: WorkerProcess) -> list[Reading | Writing]:
        worker.gone = True
        opened = list(worker.open.values())
        worker.open.clear()
        return opened

    def _drained(self) -> list[Reading]:
        waiting = list(self._waiting)
        self._waiting.clear()
        return waiting

    def _let_go(self, room: int, _: object) -> None:
        # Whenever the last array on it goes, in any thread, so without a lock.
        worker, number, _ = self.held.pop(room)
        worker.dropped.append(number)


def _fail(tasks: Iterable[Reading | Writing], error: BaseException) -> None:
    for task in tasks:
        task.reply.fail(error)
