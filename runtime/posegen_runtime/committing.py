"""Results on their way into the ledger, some at a time."""

import time

from posegen_runtime.ledger import JobResult, Ledger

MOST = 64
"""Jobs in one transaction, and what a kill can cost on top of what is in flight."""
LONGEST = 0.5
"""Seconds that a result waits for others, while some come."""


class Committer:
    """Gathers results for `ledger`; whoever makes it calls `flush` at the end."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._waiting: list[JobResult] = []
        self._since = time.monotonic()

    def add(self, results: list[JobResult]) -> None:
        """Raises `PoseGenError` where the ledger cannot be written; all but the newest then are."""
        self._waiting += results
        due = time.monotonic() - self._since >= LONGEST or len(self._waiting) >= MOST
        if self._waiting and due:
            self.flush()

    def flush(self) -> None:
        self._since = time.monotonic()
        results, self._waiting = self._waiting, []
        if results:
            self._ledger.finish(results)
