"""The thread that takes what workers answer to whoever waits for it."""

import selectors
import socket
import threading
from concurrent.futures import CancelledError
from contextlib import suppress

from posegen_runtime.errors import PoseGenError
from posegen_runtime.jobs import Job
from posegen_runtime.progress import say
from posegen_runtime.rows import Failure, Prepared
from posegen_runtime.workers.crew import Crew
from posegen_runtime.workers.deaths import IN_A_ROW, TRIES
from posegen_runtime.workers.desk import Desk
from posegen_runtime.workers.messages import (
    Command,
    Failed,
    Raised,
    ReadDone,
    Ready,
    WriteDone,
    decode_answer,
    unpack_error,
)
from posegen_runtime.workers.process import WorkerProcess
from posegen_runtime.workers.tasks import Reading, Writing


class Delivery(threading.Thread):
    """Ends when every worker has ended."""

    def __init__(self, crew: Crew, desk: Desk) -> None:
        super().__init__(name="workers", daemon=True)
        self._crew = crew
        self._desk = desk
        self._deaths = 0
        """In a row."""
        self._wake, self._woken = socket.socketpair()
        self._wake.setblocking(False)
        self._selector = selectors.DefaultSelector()

    def send(self, worker: WorkerProcess, *commands: Command) -> None:
        """From any thread."""
        if not worker.send(*commands):
            with suppress(OSError):  # full: it will wake anyway; closed: all is over
                self._wake.send(b"\0")

    def run(self) -> None:
        try:
            with self._selector as selector:
                selector.register(self._woken, selectors.EVENT_READ)
                for worker in self._crew.workers:
                    selector.register(worker.channel, selectors.EVENT_READ, worker)
                while any(not worker.gone for worker in self._crew.workers):
                    for key, events in selector.select():
                        self._serve(key.data, events)
        except BaseException as error:
            self._desk.break_off(error)
            for worker in self._crew.workers:
                worker.kill()
                self._desk.fail(worker, error)
        finally:
            self._crew.let_go()
            self._wake.close()
            self._woken.close()

    def _serve(self, worker: WorkerProcess | None, events: int) -> None:
        if worker is None:
            self._woken.recv(1 << 16)
            for one in self._crew.workers:
                if one.channel.waiting and not one.gone:
                    both = selectors.EVENT_READ | selectors.EVENT_WRITE
                    self._selector.modify(one.channel, both, one)
            return
        if events & selectors.EVENT_WRITE and worker.channel.flush():
            self._selector.modify(worker.channel, selectors.EVENT_READ, worker)
        if events & selectors.EVENT_READ:
            try:
                messages = worker.channel.receive()
            except EOFError:
                self._selector.unregister(worker.channel)
                self._ended(worker)
                return
            self._go_on(worker, sum(self._deliver(worker, message) for message in messages))

    def _go_on(self, worker: WorkerProcess, done: int) -> None:
        if reads := self._desk.refill(worker, done):
            self.send(worker, *reads)

    def _deliver(self, worker: WorkerProcess, message: bytes) -> bool:
        """Whether it ends a read."""
        answer = decode_answer(message)
        if type(answer) is ReadDone:
            self._deaths = 0
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
            self._desk.break_off(error)
            return False
        opened = worker.open.pop(answer.task)
        opened.reply.fail(error)
        return type(opened) is Reading

    def _arrived(self, worker: WorkerProcess, item: Ready | Failed, job: Job) -> Prepared | Failure:
        if type(item) is Failed:
            return item.failure
        assert type(item) is Ready
        prepared, room = worker.prepared(item, job)
        self._desk.hold(room, worker, item.number)
        return prepared

    def _ended(self, worker: WorkerProcess) -> None:
        try:
            if self._desk.closed:
                raise CancelledError
            if self._desk.error:
                raise self._desk.error
            self._died(worker)
        except BaseException as error:
            self._desk.fail(worker, error)
        worker.end()

    def _died(self, worker: WorkerProcess) -> None:
        """Of its own. Raises where nothing can go on."""
        death = worker.death()
        self._deaths += 1
        if isinstance(death.at, Writing) or self._deaths >= IN_A_ROW:
            self._desk.break_off(death.error())
            raise death.error()
        try:
            new = self._crew.start()
        except PoseGenError as error:
            self._desk.break_off(error)
            raise
        left = self._desk.replace(worker, new)
        if left is None:
            new.kill()
            new.end()
            raise CancelledError
        self._selector.register(new.channel, selectors.EVENT_READ, new)
        say(f"note: {death.error()}; another process takes its place")
        again = [task for task in left if isinstance(task, Reading) and task is not death.at]
        if isinstance(death.at, Reading):
            deaths = death.at.deaths + 1
            if deaths < TRIES:
                again.insert(0, death.at._replace(deaths=deaths))
            else:
                death.at.reply.give([death.failure()])
        self._desk.wait_first(again)
        for task in left:
            if isinstance(task, Writing):
                self._desk.write_here(task)
        self._go_on(new, 0)
