"""One consistent picture of a ledger, while another process or thread goes on writing."""

import sqlite3
from collections.abc import Iterable, Iterator

import msgspec

from posegen_runtime.ledger.entries import Counts, ImageData, ImageRow, PlannedJob, Reason
from posegen_runtime.ledger.identity import Identity, Value, differences, files
from posegen_runtime.ledger.planning import Progress
from posegen_runtime.ledger.reasons import grouped
from posegen_runtime.ledger.schema import State

COLUMNS = (
    "job, object, mask, stem, variation, suffix, appearance, background, state, attempts, "
    "reason, image, mask_file, data, timings, finished"
)
# A "+" keeps SQLite from an index that would have it sort all rows, blobs and all.
ROWS = f"SELECT {COLUMNS} FROM images WHERE +state IN (SELECT value FROM json_each(?)) "
IN_ORDER = "ORDER BY job, id"

MADE_BETWEEN = """
SELECT count(CASE state WHEN ? THEN 1 END), max(finished) FROM images
WHERE finished >= ? AND finished < ?
"""
IMAGES_DONE = "SELECT count(DISTINCT image) FROM images WHERE state = ?"
FILES = "SELECT job, image, mask_file FROM images WHERE +state = ? ORDER BY job, id"
NEXT_JOBS = """
WITH wanted AS (
    SELECT job FROM images WHERE state = :pending AND job > :after
    UNION
    SELECT job FROM images WHERE state = :second AND job > :after
    ORDER BY job LIMIT :count
)
SELECT images.job, mask, stem, variation, suffix, appearance, background, attempts
FROM wanted CROSS JOIN images
ON images.id = (SELECT min(id) FROM images WHERE images.job = wanted.job)
ORDER BY wanted.job
"""
TO_DO = """
SELECT count(*) FROM images WHERE job / :together IN (
    SELECT job / :together FROM images WHERE state IN (SELECT value FROM json_each(:states))
)
"""
JOBS_BETWEEN = """
SELECT images.job, mask, stem, variation, suffix, appearance, background, attempts
FROM images
WHERE job >= ? AND job < ?
AND id = (SELECT min(id) FROM images AS others WHERE others.job = images.job)
ORDER BY job
"""


class View:
    """What the ledger held when this was made, whatever is written meanwhile.

    Keep it for seconds: while a run writes, its -wal file grows, and a run that starts waits.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def counts(self) -> Counts:
        """Images by state, counted."""
        found = dict(self._connection.execute("SELECT state, count(*) FROM images GROUP BY state"))
        progress = Progress.read(self._connection) or Progress()
        states = {state: found.get(state.code, 0) for state in State}
        states[State.PENDING] += progress.jobs - progress.named
        if states[State.PENDING]:
            states[State.PENDING] += max(0, progress.images - sum(states.values()))
        return Counts(
            planned=sum(states.values()),
            done=states[State.DONE],
            rejected=states[State.REJECTED],
            failed=states[State.FAILED],
            pending=states[State.PENDING],
        )

    def images_done(self) -> int:
        """How many images there are; objects of one frame share theirs."""
        return int(self._connection.execute(IMAGES_DONE, (State.DONE.code,)).fetchone()[0])

    def reasons(self) -> list[Reason]:
        """Why images failed or were rejected, the most frequent reason first."""
        return grouped(
            self._connection.execute(
                "SELECT state, reason, object, mask, appearance, background FROM images "
                "WHERE state IN (?, ?) ORDER BY state, job",
                (State.FAILED.code, State.REJECTED.code),
            )
        )

    def rows(self, states: Iterable[State] = tuple(State)) -> Iterator[ImageRow]:
        """The images in one of `states`, in the order of their jobs; none is kept."""
        codes = msgspec.json.encode([state.code for state in states]).decode()
        for row in self._connection.execute(ROWS + IN_ORDER, (codes,)):
            yield _image_row(row)

    def made_between(self, start: float, end: float) -> tuple[int, float | None]:
        """How many images were done from `start` on and before `end`, both Unix times, and when
        the last of those that were tried was over; None where there is none."""
        return self._connection.execute(MADE_BETWEEN, (State.DONE.code, start, end)).fetchone()

    def files(self, state: State) -> Iterator[tuple[int, str, str]]:
        """(job, image, mask file) of each image in `state`, in order: much quicker than `rows`."""
        yield from self._connection.execute(FILES, (state.code,))

    def jobs_to_do(self, retry_failed: bool, after: int, count: int) -> list[PlannedJob]:
        """The first `count` jobs behind job `after` that have an image to make."""
        pending = State.PENDING.code
        second = State.FAILED.code if retry_failed else pending
        found = self._connection.execute(
            NEXT_JOBS, {"pending": pending, "second": second, "after": after, "count": count}
        )
        return [_planned_job(row) for row in found]

    def images_to_do(self, retry_failed: bool, together: int = 1) -> int:
        """How many images the jobs have that are to do, with all jobs of each block of `together`
        where one is. Call it after `Ledger.plan`."""
        states = [State.PENDING, *([State.FAILED] if retry_failed else [])]
        codes = msgspec.json.encode([state.code for state in states]).decode()
        given = {"together": together, "states": codes}
        return int(self._connection.execute(TO_DO, given).fetchone()[0])

    def jobs_between(self, first: int, end: int) -> list[PlannedJob]:
        """Jobs `first` to `end` - 1, whatever became of them; those that were planned."""
        return [_planned_job(row) for row in self._connection.execute(JOBS_BETWEEN, (first, end))]

    def jobs(self) -> int | None:
        """How many jobs there are, None before the first `Ledger.plan`."""
        progress = Progress.read(self._connection)
        return None if progress is None else progress.jobs

    def identity(self) -> dict[str, Value] | None:
        """The values of `set_identity`, None before the first."""
        found = self._connection.execute(
            "SELECT value FROM facts WHERE name = 'identity'"
        ).fetchone()
        return msgspec.json.decode(found[0]) if found else None

    def whole_identity(self) -> Identity | None:
        """What `set_identity` stored, None before the first. Each of its `files` can be read
        once, while this view is there."""
        values = self.identity()
        return None if values is None else Identity(values=values, files=files(self._connection))

    def changed(self, identity: Identity, by_size: bool = False) -> list[str]:
        """What differs from `identity`, in words; [] where nothing was stored yet. `by_size`:
        files of the same size are alike, as copies with other times are."""
        stored = self.identity()
        if stored is None:
            return []
        return differences(self._connection, stored, identity, by_size)


def _planned_job(row: tuple) -> PlannedJob:
    return PlannedJob(**dict(zip(PlannedJob.__struct_fields__, row, strict=True)))


def _image_row(row: tuple) -> ImageRow:
    values = dict(zip(ImageRow.__struct_fields__, row, strict=True))
    values["state"] = State.of(values["state"])
    data, timings = values["data"], values["timings"]
    values["data"] = msgspec.json.decode(data, type=ImageData) if data else ImageData()
    values["timings"] = msgspec.json.decode(timings) if timings else {}
    return ImageRow(**values)
