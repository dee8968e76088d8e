"""What a worker process was asked for and has not answered yet."""

from collections.abc import Sequence
from typing import NamedTuple

from posegen_runtime.jobs import Job
from posegen_runtime.rows import Failure, Made, Prepared, Written
from posegen_runtime.workers.reply import Reply


class Reading(NamedTuple):
    reply: Reply[list[Prepared | Failure]]
    job: Job
    deaths: int = 0
    """Workers that died of it."""


class Writing(NamedTuple):
    reply: Reply[list[Written]]
    made: Sequence[Made]
    """Hold their slots until they are written."""
