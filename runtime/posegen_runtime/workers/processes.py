"""Workers in processes of their own."""

import sys
import time
from collections.abc import Callable, Sequence

import numpy as np

from posegen_runtime.errors import PoseGenError
from posegen_runtime.jobs import Job
from posegen_runtime.rows import Failure, Made, Prepared, Written
from posegen_runtime.workers.base import Prepare, Writer
from posegen_runtime.workers.crew import Crew
from posegen_runtime.workers.delivery import Delivery
from posegen_runtime.workers.desk import Desk
from posegen_runtime.workers.messages import Close, Write
from posegen_runtime.workers.process import WorkerProcess
from posegen_runtime.workers.reply import Reply
from posegen_runtime.workers.tasks import Reading, Writing

_GRACE = 0.3
_PATIENCE = 30.0
"""Seconds that `close` gives a worker: to come to an end; to end what it is writing."""


class ProcessWorkers:
    """`count` processes that read and write, for a generator that one process could not feed.

    `make_preparer` is called once in each, and `writer` sent to each: both must pickle. `size` is
    (height, width) of all arrays. Where a job was read it is written too, so only arrays and a
    few facts travel. The arrays of a `Prepared` may be used as long as they are held, and may
    not be changed.

    In the place of a worker that dies another one starts, which reads what that one had before it;
    what it had to write is written here. The job whose reading `deaths.TRIES` workers died of is a
    `Failure`. A worker that dies of writing, or `deaths.IN_A_ROW` that died while nothing was
    read, end the run: every later `prepare` raises `PoseGenError` from `result`, and so does
    everything that the dead had at hand.

    Linux and macOS. Raises `PoseGenError` where processes cannot be started.
    """

    def __init__(
        self,
        make_preparer: Callable[[], Prepare],
        writer: Writer,
        count: int,
        size: tuple[int, int],
    ) -> None:
        if sys.platform == "win32":
            raise PoseGenError("worker processes need Linux or macOS; take threads")
        self._crew = Crew(make_preparer, writer, count, size)
        self._desk = Desk(self._crew, writer)
        self._delivery = Delivery(self._crew, self._desk)
        self._delivery.start()

    def prepare(self, job: Job) -> Reply[list[Prepared | Failure]]:
        reading = Reading(Reply(), job)
        with self._desk.lock:
            given = self._desk.take(reading)
        if given:
            self._delivery.send(*given)
        return reading.reply

    def write(self, made: Sequence[Made]) -> Reply[list[Written]]:
        worker, numbers = None, []
        for one in made:
            worker, number = self._place(one)
            numbers.append(number)
        if worker is None:
            raise ValueError("a job without an image is not written")
        writing = Writing(Reply(), made)
        with self._desk.lock:
            error = self._desk.refusal(worker)
            task = None if error or worker.gone else self._desk.enter(worker, writing)
        if error:
            writing.reply.fail(error)
        elif task is None:
            self._desk.write_here(writing)
        else:
            self._delivery.send(worker, Write(task, numbers, [one.verdict for one in made]))
        return writing.reply

    def _place(self, made: Made) -> tuple[WorkerProcess, int]:
        """Copy the image to where the worker sees it that prepared it; gives that worker and its
        number of the image. One worker has all images of a job."""
        prepared, image = made.prepared, made.image
        room = prepared.mask.base
        if room is None or id(room) not in self._desk.held:
            raise ValueError(f"{prepared.stem}: was not prepared by these workers")
        worker, number, _ = self._desk.held[id(room)]
        target = worker.image(room)
        if image.shape != target.shape or image.dtype != target.dtype:
            raise ValueError(f"image is {image.dtype} {image.shape}, not uint8 {target.shape}")
        np.copyto(target, image)
        return worker, number

    def close(self) -> None:
        """End what waits, let what is being written finish. May be called twice."""
        if self._desk.close():
            for worker in self._crew.workers:
                self._delivery.send(worker, Close())
        start = time.monotonic()
        self._delivery.join(_GRACE)
        while self._delivery.is_alive():
            patient = time.monotonic() - start < _PATIENCE
            for worker in self._crew.workers:
                if not (patient and worker.writes_now):
                    worker.kill()
            self._delivery.join(0.05)
