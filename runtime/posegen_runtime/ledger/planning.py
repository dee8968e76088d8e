"""Giving each job its row, so that a kill in the middle is only an interruption."""

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from itertools import islice
from pathlib import Path

import msgspec

from posegen_runtime.errors import PoseGenError
from posegen_runtime.jobs import Job

CHUNK = 500
"""Jobs in a transaction, for which `finish` may have to wait."""

INSERT = """
INSERT INTO images (job, mask, stem, variation, suffix, appearance, background)
VALUES (?, ?, ?, ?, ?, ?, ?)
"""
STORED = """
SELECT job, mask, stem, variation, suffix, appearance, background FROM images
WHERE job = ? ORDER BY id LIMIT 1
"""


class Progress(msgspec.Struct, frozen=True):
    """How many jobs there are, and how many of them have rows."""

    jobs: int = 0
    named: int = 0
    images: int = 0
    """That the jobs make, where that is known and more than one each: a frame's objects."""

    @classmethod
    def read(cls, connection: sqlite3.Connection) -> "Progress | None":
        """None before planning began."""
        found = connection.execute("SELECT value FROM facts WHERE name = 'plan'").fetchone()
        return msgspec.json.decode(found[0], type=cls) if found else None

    def write(self, connection: sqlite3.Connection) -> None:
        connection.execute(
            "INSERT OR REPLACE INTO facts VALUES ('plan', ?)", (msgspec.json.encode(self),)
        )


def plan(
    path: Path,
    transaction: Callable[[], AbstractContextManager[sqlite3.Connection]],
    jobs: Iterable[Job],
    planned: int,
    images: int = 0,
) -> None:
    """See `Ledger.plan`; `transaction` opens one on the connection that writes."""
    with transaction() as connection:
        progress = Progress.read(connection) or Progress()
        if progress.jobs and progress.jobs != planned:
            raise _other_jobs(path)
        Progress(planned, progress.named, images).write(connection)
        if progress.named == planned:
            return
        stored = connection.execute(STORED, (progress.named - 1,)).fetchone()
    coming = iter(jobs)
    for last in islice(coming, max(0, progress.named - 1), progress.named):
        if _row(progress.named - 1, last) != stored:
            raise _other_jobs(path)
    for first, chunk in _chunks(coming, progress.named):
        named = first + len(chunk)
        if named > planned:
            raise ValueError(f"more than the {planned} jobs that were announced")
        with transaction() as connection:
            connection.executemany(INSERT, (_row(first + i, job) for i, job in enumerate(chunk)))
            Progress(planned, named, images).write(connection)
        progress = Progress(planned, named, images)
    with transaction() as connection:
        connection.execute("PRAGMA shrink_memory")  # pages of rows that come again one by one
    if progress.named < planned:
        raise ValueError(f"{progress.named} jobs, and {planned} were announced")


def _chunks(jobs: Iterator[Job], first: int) -> Iterator[tuple[int, list[Job]]]:
    while chunk := list(islice(jobs, CHUNK)):
        yield first, chunk
        first += len(chunk)


def _row(number: int, job: Job) -> tuple[int, str, str, int, str, str | None, str | None]:
    return (
        number,
        job.mask.name,
        job.stem,
        job.variation,
        job.variation_suffix,
        job.appearance.name if job.appearance else None,
        job.background.name if job.background else None,
    )


def _other_jobs(path: Path) -> PoseGenError:
    return PoseGenError(
        f"{path}: holds other jobs than these; give the command that it was started with, "
        "or start over with --fresh"
    )
