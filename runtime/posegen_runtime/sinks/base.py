"""What a run asks of the place where its images go."""

from collections.abc import Iterator
from typing import Protocol

from posegen_runtime.ledger import JobResult, Ledger, PlannedJob
from posegen_runtime.rows import Finished
from posegen_runtime.workers.base import Writer


class Sink(Protocol):
    """One run's outputs. Its methods are called from one thread.

    They raise `PoseGenError` where nothing can be written.
    """

    @property
    def writer(self) -> Writer:
        """What workers write an image with."""

    def jobs_to_do(self, ledger: Ledger, retry_failed: bool) -> Iterator[PlannedJob]:
        """In order, what has to be made for the outputs to be whole."""

    def add(self, finished: Finished) -> list[JobResult]:
        """The next job that is over, in order; returns the jobs whose outputs stand under their
        final names now, for the ledger."""

    def close(self, whole: bool) -> list[JobResult]:
        """The rest of them. `whole`: all jobs were given; else the run was stopped."""
