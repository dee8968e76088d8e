"""What a run asks of the place where its images go."""

from collections.abc import Iterator
from typing import Protocol

from posegen_runtime.ledger import JobResult, Ledger, PlannedJob
from posegen_runtime.rows import Finished
from posegen_runtime.workers.base import Writer


class Sink(Protocol):
    """Takes finished jobs in order, and tells which of them the ledger may count as over.

    `add` and `close` raise `PoseGenError` where nothing can be written, which ends the run.
    """

    @property
    def writer(self) -> Writer:
        """Runs in workers; picklable."""

    def jobs_to_do(self, ledger: Ledger, retry_failed: bool) -> Iterator[PlannedJob]:
        """The jobs to give, in order, while the ledger is written. Call it before `add`."""

    def add(self, finished: Finished) -> list[JobResult]:
        """Take one job; gives those whose outputs are now whole under their final names, which
        must go into the ledger."""

    def close(self, whole: bool) -> list[JobResult]:
        """As `add`, for what is left. `whole`: every job was added; else the run was stopped."""
