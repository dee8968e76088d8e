"""Workers in this process."""

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Generic, TypeVar

from posegen_runtime.jobs import Job
from posegen_runtime.rows import Failure, Made, Prepared, Written
from posegen_runtime.workers.base import Prepare, Writer

T = TypeVar("T")


class _Now(Generic[T]):
    """Made by whoever asks for it, when it is asked for."""

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make

    def result(self) -> T:
        return self._make()


class _There(Generic[T]):
    def __init__(self, value: T) -> None:
        self._value = value

    def result(self) -> T:
        return self._value


class InLane:
    """No workers at all: each lane reads, infers and writes by itself.

    On a CPU, where the generator fills every core, more threads would only take turns.
    """

    def __init__(self, prepare: Prepare, writer: Writer) -> None:
        self._prepare = prepare
        self._writer = writer

    def prepare(self, job: Job) -> _Now[list[Prepared | Failure]]:
        return _Now(lambda: self._prepare(job))

    def write(self, made: Sequence[Made]) -> _There[list[Written]]:
        return _There(self._writer(made))

    def close(self) -> None:
        """Nothing waits."""


class ThreadWorkers:
    """`count` threads that read and as many that write, while a generator leaves the CPU idle."""

    def __init__(self, prepare: Prepare, writer: Writer, count: int) -> None:
        self._prepare = prepare
        self._writer = writer
        self._readers = ThreadPoolExecutor(count, "read")
        self._writers = ThreadPoolExecutor(count, "write")

    def prepare(self, job: Job) -> Future[list[Prepared | Failure]]:
        return self._readers.submit(self._prepare, job)

    def write(self, made: Sequence[Made]) -> Future[list[Written]]:
        return self._writers.submit(self._writer, made)

    def close(self) -> None:
        for pool in (self._readers, self._writers):
            pool.shutdown(cancel_futures=True)
