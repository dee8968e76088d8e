"""The ledger of one output directory."""

import sqlite3
import tempfile
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from types import TracebackType

import msgspec

from posegen_runtime.errors import PoseGenError
from posegen_runtime.jobs import Job
from posegen_runtime.ledger import database, planning
from posegen_runtime.ledger.entries import (
    Counts,
    ImageResult,
    ImageRow,
    JobResult,
    PlannedJob,
    Reason,
)
from posegen_runtime.ledger.identity import Identity, Value, store_identity
from posegen_runtime.ledger.lock import OutputLock
from posegen_runtime.ledger.schema import State
from posegen_runtime.ledger.view import View

READ_AT_ONCE = 1000
"""Jobs that `pending` holds."""

# A job that was tried before may have a row for each of its objects.
KEEP_FIRST = """
DELETE FROM images
WHERE job = ?1 AND id > (SELECT min(id) FROM images WHERE job = ?1)
"""
UPDATE = """
UPDATE images SET attempts = attempts + 1, object = ?, state = ?, reason = ?, image = ?,
    mask_file = ?, data = ?, timings = ?, finished = ?
WHERE job = ?
"""
ADD = """
INSERT INTO images (object, state, reason, image, mask_file, data, timings, finished,
    job, mask, stem, variation, suffix, appearance, background, attempts)
SELECT ?, ?, ?, ?, ?, ?, ?, ?,
    job, mask, stem, variation, suffix, appearance, background, attempts
FROM images WHERE job = ? ORDER BY id LIMIT 1
"""
REOPEN = """
UPDATE images SET state = :pending, reason = '', image = '', mask_file = '', data = NULL,
    timings = NULL, finished = NULL
WHERE job >= :first AND job < :end AND +state != :pending
"""


class Ledger:
    """`OUT/ledger.sqlite`: what is to be made, and what became of it. A context manager.

    planned = done + rejected + failed + pending, at every moment and after any death. `plan`,
    `finish` and `set_identity` are one transaction or several whole ones; what returned survives
    a kill of the process, and a power cut but for the last moments.

    Safe to use from several threads. Do not carry it through a fork: start worker processes
    before it is opened, or by "spawn" or "forkserver".

    Every method raises `PoseGenError` naming the file where it cannot be read or written. Where
    that is a full disk, the error's ``__cause__`` is an `OSError` with `errno.ENOSPC`, nothing
    of that call was kept, everything before was, and the ledger can be used on.
    """

    def __init__(
        self,
        path: Path,
        writer: sqlite3.Connection | None = None,
        lock: OutputLock | None = None,
    ) -> None:
        self._path = path
        self._read_from = path
        self._writer = writer
        self._writing = threading.Lock()
        self._lock = lock
        self._copy: tempfile.TemporaryDirectory[str] | None = None

    @classmethod
    def open(cls, out: Path, *, write: bool, lock: OutputLock | None = None) -> "Ledger":
        """The ledger of `out`.

        `write`: made where there is none; nobody else may write `out` until it is closed. A
        `lock` that the caller holds already is used and stays the caller's.
        Otherwise it is only read, also while another process writes it and where nothing can be
        written; no file is made in `out`.

        Raises `PoseGenError` when another run holds `out`, when there is nothing to read, and
        when the file is damaged, of another program, or of a newer schema.
        """
        path = out / database.LEDGER
        if not write:
            return cls._open_reader(path)
        own = OutputLock(out) if lock is None else None
        try:
            if not path.exists():
                database.create(path)
            return cls(path, database.connect_writer(path), own)
        except BaseException:
            if own:
                own.release()
            raise

    @classmethod
    def _open_reader(cls, path: Path) -> "Ledger":
        if not path.exists():
            raise PoseGenError(f"{path}: there is none; name the --out of a run")
        ledger = cls(path)
        try:
            if not database.readable_in_place(path):
                ledger._read_a_copy()
            try:
                ledger._check()
            except PoseGenError as error:
                # A commit that was cut off, in a rollback journal: a reader may not undo it.
                journal = path.with_name(f"{path.name}-journal")
                refused = isinstance(error.__cause__, sqlite3.OperationalError)
                if not refused or not journal.exists():
                    raise
                ledger._read_a_copy()
                ledger._check()
        except BaseException:
            ledger.close()
            raise
        return ledger

    def _check(self) -> None:
        with self._connected() as connection:
            database.check(self._path, connection)

    def _read_a_copy(self) -> None:
        self._copy = tempfile.TemporaryDirectory(prefix="posegen-")
        self._read_from = database.copy_ledger(self._path, Path(self._copy.name))

    def close(self) -> None:
        """Let go of the file and of the lock. May be called twice."""
        with self._writing:
            if self._writer:
                database.close_writer(self._writer)
                self._writer = None
        if self._lock:
            self._lock.release()
        if self._copy:
            self._copy.cleanup()

    def __enter__(self) -> "Ledger":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def plan(self, jobs: Iterable[Job], planned: int, images: int = 0) -> None:
        """Give each of the `planned` jobs a pending row; job i is the i-th of `jobs`. `images`: how
        many they make, where that is known and more; else each counts as one until it is made.

        A plan that was cut off goes on where it stopped, with the same `jobs` from their start;
        of a whole one `jobs` is not read at all. Raises `PoseGenError` where the ledger holds
        other jobs, `ValueError` where `jobs` are not `planned` many.
        """
        planning.plan(self._path, self._transaction, jobs, planned, images)

    def is_planned(self) -> bool:
        """Whether every job has a row."""
        with self._connected() as connection:
            progress = planning.Progress.read(connection)
        return progress is not None and 0 < progress.jobs == progress.named

    def pending(self, retry_failed: bool = False) -> Iterator[PlannedJob]:
        """The jobs to do, in order, each once, while `finish` goes on; few are held at a time.

        With `retry_failed` also those with an image that failed. Call it after `plan`.
        """
        after = -1
        while True:
            with self.view() as view:
                found = view.jobs_to_do(retry_failed, after, READ_AT_ONCE)
            if not found:
                return
            yield from found
            after = found[-1].job

    def finish(self, results: Sequence[JobResult]) -> None:
        """Replace the rows of each job by its images, all in one transaction.

        The images' files must stand under their final names before. A job that is finished again
        is replaced again, and its attempts grow. Raises `ValueError` for a job that was not
        planned, one without an image, and a pending image.
        """
        with self._transaction() as connection:
            for result in results:
                if not result.images:
                    raise ValueError(f"job {result.job} ended without an image")
                first, *others = (_values(image) for image in result.images)
                connection.execute(KEEP_FIRST, (result.job,))
                if connection.execute(UPDATE, (*first, result.job)).rowcount != 1:
                    raise ValueError(f"job {result.job} was not planned")
                for other in others:
                    connection.execute(ADD, (*other, result.job))

    def reopen(self, first: int, end: int) -> None:
        """Make jobs `first` to `end` - 1 pending again, with the objects that they turned out to
        have: for outputs that are about to be replaced."""
        with self._transaction() as connection:
            pending = State.PENDING.code
            connection.execute(REOPEN, {"pending": pending, "first": first, "end": end})

    def set_identity(self, identity: Identity) -> None:
        """Remember what must not change; replaces what was remembered."""
        with self._transaction() as connection:
            store_identity(connection, identity)

    @contextmanager
    def view(self) -> Iterator[View]:
        """Several questions to one consistent picture: see `View`."""
        with self._connected() as connection:
            connection.execute("BEGIN")
            connection.execute("SELECT 1 FROM facts").fetchone()  # the moment that is seen
            yield View(connection)

    def jobs_between(self, first: int, end: int) -> list[PlannedJob]:
        """See `View.jobs_between`."""
        with self.view() as view:
            return view.jobs_between(first, end)

    def counts(self) -> Counts:
        """See `View.counts`."""
        with self.view() as view:
            return view.counts()

    def reasons(self) -> list[Reason]:
        """See `View.reasons`."""
        with self.view() as view:
            return view.reasons()

    def rows(self, states: Iterable[State] = tuple(State)) -> Iterator[ImageRow]:
        """See `View.rows`; the picture is that of the first row's moment."""
        with self.view() as view:
            yield from view.rows(states)

    def identity(self) -> dict[str, Value] | None:
        """See `View.identity`."""
        with self.view() as view:
            return view.identity()

    def changed(self, identity: Identity) -> list[str]:
        """See `View.changed`."""
        with self.view() as view:
            return view.changed(identity)

    @contextmanager
    def _connected(self) -> Iterator[sqlite3.Connection]:
        """A connection of its own, so that threads see only what was committed."""
        with database.explained(self._path):
            reading = database.connect_reader(self._read_from, may_mend=bool(self._copy))
            with closing(reading) as connection:
                yield connection

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._writing, database.explained(self._path):
            if self._writer is None:
                raise ValueError("this ledger is closed, or open for reading only")
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                yield self._writer
                self._writer.execute("COMMIT")
            except BaseException:
                with suppress(sqlite3.Error):  # some errors roll back by themselves
                    self._writer.execute("ROLLBACK")
                raise


def _values(image: ImageResult) -> tuple[str | int | float | bytes, ...]:
    if image.state is State.PENDING:
        raise ValueError("an image cannot end as pending")
    return (
        image.object,
        image.state.code,
        # A path in it may hold bytes that are no text.
        image.reason.encode("utf-8", "backslashreplace").decode(),
        image.image,
        image.mask_file,
        msgspec.json.encode(image.data),
        msgspec.json.encode(image.timings),
        image.finished,
    )
