"""Workers in processes of their own."""

import contextlib
import os
import selectors
import socket
import sys
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError
from functools import partial
from operator import attrgetter

import numpy as np

from posegen_runtime.errors import PoseGenError
from posegen_runtime.jobs import Job
from posegen_runtime.rows import Failure, Images, Made, Prepared, Written
from posegen_runtime.workers.base import Prepare, Writer
from posegen_runtime.workers.messages import (
    Close,
    Failed,
    Raised,
    Read,
    ReadDone,
    Ready,
    Write,
    WriteDone,
    decode_answer,
    unpack_error,
)
from posegen_runtime.workers.process import Reading, WorkerProcess, Writing
from posegen_runtime.workers.reply import Reply

_AHEAD = 16
"""Jobs that a worker has before it; the others wait here for whoever is free first."""
_GRACE = 0.3
_PATIENCE = 30.0
"""Seconds that `close` gives a worker: to come to an end; to end what it is writing."""


class ProcessWorkers:
    """`count` processes that read and write, for a generator that one process could not feed.

    `make_preparer` is called once in each, and `writer` sent to each: both must pickle. `size` is
    (height, width) of all arrays. Where a job was read it is written too, so only arrays and a
    few facts travel. The arrays of a `Prepared` may be used as long as they are held, and may
    not be changed. A worker that dies ends the run: every later `prepare` raises `PoseGenError`
    from `result`, and so does everything that it had at hand.

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
        self._lock = threading.Lock()
        self._tasks = 0
        self._waiting: deque[Reading] = deque()
        self._held: dict[int, tuple[WorkerProcess, int, weakref.ref[Images]]] = {}
        self._error: BaseException | None = None
        self._closed = False
        self._workers: list[WorkerProcess] = []
        ends, self._lifeline = os.pipe()
        self._wake, self._woken = socket.socketpair()
        self._wake.setblocking(False)
        try:
            for _ in range(count):
                self._workers.append(WorkerProcess(size, make_preparer, writer, ends))
        except BaseException:
            os.close(self._lifeline)
            for worker in self._workers:
                worker.end()
            raise
        finally:
            os.close(ends)
        self._thread = threading.Thread(target=self._receive, name="workers", daemon=True)
        self._thread.start()

    def prepare(self, job: Job) -> Reply[list[Prepared | Failure]]:
        reading = Reading(Reply(), job)
        with self._lock:
            if error := self._refusal():
                reading.reply.fail(error)
                return reading.reply
            worker = min(self._workers, key=attrgetter("reads"))
            if worker.reads >= _AHEAD:
                self._waiting.append(reading)
                return reading.reply
            read = self._assign(worker, reading)
        self._send(worker, read)
        return reading.reply

    def write(self, made: Sequence[Made]) -> Reply[list[Written]]:
        worker, numbers = None, []
        for one in made:
            worker, number = self._place(one)
            numbers.append(number)
        if worker is None:
            raise ValueError("a job without an image is not written")
        writing = Writing(Reply(), [one.prepared for one in made])
        with self._lock:
            if error := self._refusal(worker):
                writing.reply.fail(error)
                return writing.reply
            self._tasks += 1
            task = self._tasks
            worker.open[task] = writing
        self._send(worker, Write(task, numbers, [one.verdict for one in made]))
        return writing.reply

    def _place(self, made: Made) -> tuple[WorkerProcess, int]:
        """Copy the image to where the worker sees it that prepared it; gives that worker and its
        number of the image. One worker has all images of a job."""
        prepared, image = made.prepared, made.image
        room = prepared.mask.base
        if room is None or id(room) not in self._held:
            raise ValueError(f"{prepared.stem}: was not prepared by these workers")
        worker, number, _ = self._held[id(room)]
        target = worker.image(room)
        if image.shape != target.shape or image.dtype != target.dtype:
            raise ValueError(f"image is {image.dtype} {image.shape}, not uint8 {target.shape}")
        np.copyto(target, image)
        return worker, number

    def close(self) -> None:
        """End what waits, let what is being written finish. May be called twice."""
        with self._lock:
            first, self._closed = not self._closed, True
            waiting = list(self._waiting)
            self._waiting.clear()
        for reading in waiting:
            reading.reply.fail(CancelledError())
        if first:
            for worker in self._workers:
                self._send(worker, Close())
        start = time.monotonic()
        self._thread.join(_GRACE)
        while self._thread.is_alive():
            patient = time.monotonic() - start < _PATIENCE
            for worker in self._workers:
                if not (patient and worker.writes_now):
                    worker.kill()
            self._thread.join(0.05)

    def _refusal(self, worker: WorkerProcess | None = None) -> BaseException | None:
        """Why nothing new can be done, by `worker` or at all."""
        if self._closed:
            return CancelledError()
        return self._error if worker is None or worker.gone else None

    def _assign(self, worker: WorkerProcess, reading: Reading) -> Read:
        self._tasks += 1
        worker.open[self._tasks] = reading
        worker.reads += 1
        return Read(self._tasks, reading.job)

    def _send(self, worker: WorkerProcess, *commands: Read | Write | Close) -> None:
        if not worker.send(*commands):
            with contextlib.suppress(OSError):  # full: it will wake anyway; closed: all is over
                self._wake.send(b"\0")

    def _receive(self) -> None:
        """The thread that delivers, until every worker has ended."""
        try:
            with selectors.DefaultSelector() as selector:
                selector.register(self._woken, selectors.EVENT_READ)
                for worker in self._workers:
                    selector.register(worker.channel, selectors.EVENT_READ, worker)
                while any(not worker.gone for worker in self._workers):
                    for key, events in selector.select():
                        self._serve(selector, key.data, events)
        except BaseException as error:
            self._break(error)
            for worker in self._workers:
                worker.kill()
                self._fail(worker, error)
        finally:
            os.close(self._lifeline)
            self._wake.close()
            self._woken.close()

    def _serve(
        self, selector: selectors.BaseSelector, worker: WorkerProcess | None, events: int
    ) -> None:
        if worker is None:
            self._woken.recv(1 << 16)
            for one in self._workers:
                if one.channel.waiting and not one.gone:
                    both = selectors.EVENT_READ | selectors.EVENT_WRITE
                    selector.modify(one.channel, both, one)
            return
        if events & selectors.EVENT_WRITE and worker.channel.flush():
            selector.modify(worker.channel, selectors.EVENT_READ, worker)
        if events & selectors.EVENT_READ:
            try:
                messages = worker.channel.receive()
            except EOFError:
                selector.unregister(worker.channel)
                self._ended(worker)
                return
            done = sum(self._deliver(worker, message) for message in messages)
            self._refill(worker, done)

    def _deliver(self, worker: WorkerProcess, message: bytes) -> bool:
        """Whether it ends a read."""
        answer = decode_answer(message)
        if type(answer) is ReadDone:
            reading = worker.open.pop(answer.task)
            assert type(reading) is Reading
            reading.reply.give([self._arrived(worker, i, reading.job) for i in answer.images])
            return True
        if type(answer) is WriteDone:
            worker.open.pop(answer.task).reply.give(answer.written)  # type: ignore[arg-type]
            return False
        assert type(answer) is Raised
        error = unpack_error(answer.error)
        if answer.task == 0:
            self._break(error)
            return False
        opened = worker.open.pop(answer.task)
        opened.reply.fail(error)
        return type(opened) is Reading

    def _arrived(self, worker: WorkerProcess, item: Ready | Failed, job: Job) -> Prepared | Failure:
        if type(item) is Failed:
            return item.failure
        assert type(item) is Ready
        prepared, room = worker.prepared(item, job)
        gone = weakref.ref(room, partial(self._let_go, id(room)))
        self._held[id(room)] = worker, item.number, gone
        return prepared

    def _let_go(self, room: int, _: object) -> None:
        # Whenever the last array on it goes, in any thread, so without a lock.
        worker, number, _ = self._held.pop(room)
        worker.dropped.append(number)

    def _refill(self, worker: WorkerProcess, done: int) -> None:
        with self._lock:
            worker.reads -= done
            if worker.reads > _AHEAD // 2:
                return
            count = min(_AHEAD - worker.reads, len(self._waiting))
            reads = [self._assign(worker, self._waiting.popleft()) for _ in range(count)]
        if reads:
            self._send(worker, *reads)

    def _ended(self, worker: WorkerProcess) -> None:
        if self._closed:
            self._fail(worker, CancelledError())
        else:
            error = self._error or worker.death()
            self._break(error)
            self._fail(worker, error)
        worker.end()

    def _break(self, error: BaseException) -> None:
        """Do nothing new."""
        with self._lock:
            self._error = self._error or error
            waiting = list(self._waiting)
            self._waiting.clear()
        for reading in waiting:
            reading.reply.fail(error)

    def _fail(self, worker: WorkerProcess, error: BaseException) -> None:
        with self._lock:
            worker.gone = True
            opened = list(worker.open.values())
            worker.open.clear()
        for one in opened:
            one.reply.fail(error)
