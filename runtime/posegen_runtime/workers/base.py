"""What the pipeline asks of its workers."""

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from posegen_runtime.jobs import Job
from posegen_runtime.rows import Failure, Made, Prepared, Written

T_co = TypeVar("T_co", covariant=True)

Prepare = Callable[[Job], list[Prepared | Failure]]
"""Reads the inputs of a job: one entry for each of its images, at least one. Called from several
threads at once."""

Writer = Callable[[Sequence[Made]], list[Written]]
"""Encodes all images of one job that were generated, at least one, with their labels, and stores
them or gives back the bytes; one `Written` each, in their order.
Called from several threads at once; picklable. Raises `PoseGenError` where nothing can be
written, which ends the run."""


class Result(Protocol[T_co]):
    """Something that will be there, such as a `concurrent.futures.Future`."""

    def result(self) -> T_co: ...


class Workers(Protocol):
    """Reads and writes beside the generator. Safe to use from several threads.

    The arrays of a `Prepared` may be used until `write` of it was called and has ended. `write`
    takes all images of one job that were generated, at least one, in their order. What
    `prepare` or `write` raises comes out of `result`.
    """

    def prepare(self, job: Job) -> Result[list[Prepared | Failure]]: ...

    def write(self, made: Sequence[Made]) -> Result[list[Written]]: ...

    def close(self) -> None:
        """End what waits, let what is being written finish. May be called twice."""
