"""What the death of a worker process says about the files that it was at."""

import signal
from typing import NamedTuple

from posegen_runtime.errors import PoseGenError
from posegen_runtime.rows import Failure
from posegen_runtime.workers.tasks import Reading, Writing

TRIES = 2
"""Workers that one job may kill: the first may have died of something else at that moment."""
IN_A_ROW = 10
"""Deaths without a job read between them that are no longer the fault of single files."""


class Death(NamedTuple):
    code: int
    """As `subprocess` gives it: negative is a signal."""
    at: Reading | Writing | None
    """What it was doing."""

    @property
    def how(self) -> str:
        if self.code < 0:
            return f"was killed by {signal.Signals(-self.code).name}"
        return f"ended (code {self.code})"

    def failure(self) -> Failure:
        """Of the job whose reading it died of."""
        return Failure(reason=self._reading())

    def error(self) -> PoseGenError:
        """Why the run cannot go on."""
        if isinstance(self.at, Reading):
            return PoseGenError(f"{self.at.job.mask.path}: {self._reading()}")
        what = "a worker process"
        if isinstance(self.at, Writing):
            what = f"{self.at.made[0].prepared.stem}: the process writing it"
        return PoseGenError(f"{what} {self.how}; free memory or take fewer workers")

    def _reading(self) -> str:
        assert isinstance(self.at, Reading)
        job = self.at.job
        others = [str(source.path) for source in (job.appearance, job.background) if source]
        also = f" (or {' or '.join(others)})" if others else ""
        advice = "the file may break its decoder: leave it out"
        if self.code == -signal.SIGKILL:
            advice = "free memory or take fewer workers"
        return f"the process reading it{also} {self.how}; {advice}"
