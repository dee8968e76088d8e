"""Planning, finishing and reading, on real files."""

import os
import threading
import tracemalloc
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pytest

from ledger_jobs import do, made_jobs, named_jobs, result, rows_of, run
from posegen_runtime.errors import PoseGenError
from posegen_runtime.jobs import Job
from posegen_runtime.ledger import (
    Counts,
    ImageData,
    Ledger,
    PlannedJob,
    Reason,
    State,
    planning,
)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger.open(tmp_path, write=True) as ledger:
        yield ledger


def test_a_planned_job_is_pending_until_it_is_finished(ledger: Ledger) -> None:
    ledger.plan(made_jobs(3), 3)
    first, *others = ledger.pending()
    assert first == PlannedJob(
        job=0,
        mask="00000.png",
        stem="00000",
        variation=0,
        suffix="-v0",
        appearance="a.jpg",
        background=None,
        attempts=0,
    )
    assert [job.job for job in others] == [1, 2]
    ledger.finish([result(1)])
    assert [job.job for job in ledger.pending()] == [0, 2]
    assert ledger.counts() == Counts(planned=3, done=1, rejected=0, failed=0, pending=2)


def test_a_row_gives_back_what_was_finished(ledger: Ledger) -> None:
    ledger.plan(made_jobs(2), 2)
    finished = result(1, "7")
    ledger.finish([finished])
    pending, row = ledger.rows()
    assert (pending.state, pending.data, pending.timings, pending.finished) == (
        State.PENDING,
        ImageData(),
        {},
        None,
    )
    (image,) = finished.images
    for name in image.__struct_fields__:
        assert getattr(row, name) == getattr(image, name), name
    assert (row.job, row.mask, row.stem, row.suffix, row.attempts) == (
        1,
        "00001.png",
        "00001",
        "-v0",
        1,
    )


def test_a_mask_file_may_turn_out_to_hold_several_objects(ledger: Ledger) -> None:
    ledger.plan(made_jobs(3), 3)
    ledger.finish([result(1, "2", "10", "1")])
    assert ledger.counts() == Counts(planned=5, done=3, rejected=0, failed=0, pending=2)
    assert [(row.job, row.object) for row in ledger.rows()] == [
        (0, ""),
        (1, "2"),
        (1, "10"),
        (1, "1"),
        (2, ""),
    ]
    assert {row.mask for row in ledger.rows([State.DONE])} == {"00001.png"}


def test_objects_that_are_known_before_count_at_once(ledger: Ledger) -> None:
    ledger.plan(made_jobs(3), 3, images=7)
    assert ledger.counts() == Counts(planned=7, done=0, rejected=0, failed=0, pending=7)
    ledger.finish([result(1, "0", "1", "2")])
    assert ledger.counts() == Counts(planned=7, done=3, rejected=0, failed=0, pending=4)
    ledger.finish([result(0, "0"), result(2, "", state=State.FAILED, reason="unreadable")])
    assert ledger.counts() == Counts(planned=5, done=4, rejected=0, failed=1, pending=0)


def test_finishing_again_replaces_every_object(ledger: Ledger) -> None:
    ledger.plan(made_jobs(2), 2)
    ledger.finish([result(0, "1", "2", "3")])
    ledger.finish([result(0, "3", "4")])
    assert [(row.object, row.attempts) for row in ledger.rows([State.DONE])] == [("3", 2), ("4", 2)]
    assert ledger.counts().planned == 3
    ledger.finish([result(0, "", state=State.FAILED, reason="is empty")])
    assert ledger.counts() == Counts(planned=2, done=0, rejected=0, failed=1, pending=1)


def test_a_batch_is_finished_whole_or_not_at_all(ledger: Ledger) -> None:
    ledger.plan(made_jobs(3), 3)
    with pytest.raises(ValueError, match="job 99 was not planned"):
        ledger.finish([result(0), result(99)])
    with pytest.raises(ValueError, match="cannot end as pending"):
        ledger.finish([result(0), result(1, "", state=State.PENDING)])
    with pytest.raises(ValueError, match="without an image"):
        ledger.finish([result(0), type(result(1))(1, [])])
    assert ledger.counts().pending == 3
    ledger.finish([])
    ledger.finish([result(0)])
    assert ledger.counts().done == 1


def test_failed_jobs_are_tried_again_only_when_asked(ledger: Ledger) -> None:
    ledger.plan(made_jobs(5), 5)
    ledger.finish(
        [
            result(1, "", state=State.FAILED, reason="is empty"),
            result(2),
            result(3, "", state=State.REJECTED, reason="shows another pose"),
            result(4, "1", "2", state=State.FAILED, reason="is empty"),
        ]
    )
    assert [job.job for job in ledger.pending()] == [0]
    again = list(ledger.pending(retry_failed=True))
    assert [(job.job, job.attempts) for job in again] == [(0, 0), (1, 1), (4, 1)]
    ledger.finish([result(1), result(4)])
    assert ledger.counts() == Counts(planned=5, done=3, rejected=1, failed=0, pending=1)


def test_pending_goes_on_while_jobs_are_finished(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("posegen_runtime.ledger.ledger.READ_AT_ONCE", 7)
    ledger.plan(made_jobs(50), 50)
    seen = []
    for job in ledger.pending(retry_failed=True):
        seen.append(job.job)
        ledger.finish([result(job.job, "a", "b", state=State.FAILED, reason="r")])
    assert seen == list(range(50))


def test_planning_is_done_once(ledger: Ledger) -> None:
    ledger.plan(made_jobs(4), 4)
    ledger.finish([result(2)])

    def never() -> Iterator[Job]:
        raise AssertionError("a whole plan needs no jobs")
        yield

    ledger.plan(never(), 4)
    assert ledger.counts() == Counts(planned=4, done=1, rejected=0, failed=0, pending=3)


def test_planning_goes_on_where_it_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planning, "CHUNK", 10)

    def cut_off() -> Iterator[Job]:
        yield from islice(made_jobs(100), 35)
        raise KeyboardInterrupt

    with Ledger.open(tmp_path, write=True) as ledger:
        with pytest.raises(KeyboardInterrupt):
            ledger.plan(cut_off(), 100)
        # What has no row yet is pending as well.
        assert ledger.counts() == Counts(planned=100, done=0, rejected=0, failed=0, pending=100)
        assert len(list(ledger.rows())) == 30
        ledger.finish([result(29, "1", "2")])
    with Ledger.open(tmp_path, write=True) as ledger:
        ledger.plan(made_jobs(100), 100)
        assert [row.job for row in ledger.rows()] == sorted([*range(100), 29])
        assert ledger.counts() == Counts(planned=101, done=2, rejected=0, failed=0, pending=99)


def test_other_jobs_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planning, "CHUNK", 2)
    with Ledger.open(tmp_path, write=True) as ledger:
        with pytest.raises(ValueError, match="3 jobs, and 4 were announced"):
            ledger.plan(made_jobs(3), 4)
        with pytest.raises(PoseGenError, match=r"ledger\.sqlite: holds other jobs than these"):
            ledger.plan(made_jobs(5), 5)
        with pytest.raises(PoseGenError, match="holds other jobs than these"):
            ledger.plan(named_jobs(["a", "b", "c", "d"]), 4)
        with pytest.raises(ValueError, match="more than the 4"):
            ledger.plan(made_jobs(6), 4)


NAMES = [
    "line\nbreak.png",
    "tab\tand 'single' and \"double\".png",
    "semi; DROP TABLE images; --.png",
    "x" * 300 + ".png",
    "ü" * 100 + ".png",
    "\U0001f697 car \U00020000.png",
    "100%_?*[a]\\.png",
    " leading and trailing ",
    "é.png",  # the same to the eye as the next
    "é.png",
]


def test_any_name_comes_back_as_it_was(ledger: Ledger) -> None:
    ledger.plan(named_jobs(NAMES), len(NAMES))
    jobs = list(ledger.pending())
    assert [job.mask for job in jobs] == [job.stem for job in jobs] == NAMES
    ledger.finish([result(i, name) for i, name in enumerate(NAMES)])
    assert [(row.mask, row.object) for row in ledger.rows()] == [(n, n) for n in NAMES]


def test_a_reason_with_bytes_that_are_no_text_costs_no_run(ledger: Ledger) -> None:
    ledger.plan(made_jobs(1), 1)
    reason = os.fsdecode(b"/photos/\xff.jpg: cannot be read")
    ledger.finish([result(0, "", state=State.FAILED, reason=reason)])
    (row,) = ledger.rows()
    assert row.reason == "/photos/\\udcff.jpg: cannot be read"


def test_reasons_are_grouped_without_paths(ledger: Ledger) -> None:
    ledger.plan(made_jobs(8), 8)

    def failed(job: int, reason: str, state: State = State.FAILED, name: str = "") -> None:
        ledger.finish([result(job, name, state=state, reason=reason)])

    failed(0, "/masks/00000.png: is empty")
    failed(1, "is empty", name="7")
    failed(2, "00002.png: is empty")
    failed(3, "/photos/a.jpg: cannot be decoded: a.jpg: broken")
    failed(4, "/photos/bana.jpg: cannot be decoded")
    failed(5, "is empty", State.REJECTED)
    failed(6, "shows another pose", State.REJECTED)
    ledger.finish([result(7)])
    assert ledger.reasons() == [
        Reason(State.FAILED, "is empty", 3, "00000.png"),
        Reason(State.REJECTED, "is empty", 1, "00005.png"),
        Reason(State.REJECTED, "shows another pose", 1, "00006.png"),
        Reason(State.FAILED, "/photos/bana.jpg: cannot be decoded", 1, "00004.png"),
        Reason(State.FAILED, "appearance: cannot be decoded: a.jpg: broken", 1, "a.jpg"),
    ]


def test_reading_needs_no_memory_for_all_rows(tmp_path: Path) -> None:
    count = 20_000
    with Ledger.open(tmp_path, write=True) as ledger:
        ledger.plan(made_jobs(count), count)
        tracemalloc.start()
        pending = sum(1 for _ in ledger.pending())
        rows = sum(1 for _ in ledger.rows())
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert (pending, rows) == (count, count)
    assert peak < 2e6  # 20,000 jobs are 7 MB


def test_threads_see_whole_transactions(ledger: Ledger) -> None:
    count = 600
    ledger.plan(made_jobs(count), count)
    over = threading.Event()
    errors: list[str] = []

    def watch() -> None:
        last = 0
        while not over.is_set():
            with ledger.view() as view:
                counts, rows = view.counts(), list(view.rows([State.DONE]))
            if counts.planned != counts.done + counts.pending or counts.done != len(rows):
                errors.append(f"{counts}, {len(rows)} rows")
            if counts.done % 3 or counts.done < last:
                errors.append(f"half a transaction: {counts}")
            last = counts.done

    threads = [threading.Thread(target=watch) for _ in range(2)]
    for thread in threads:
        thread.start()
    for job in range(count):
        ledger.finish([result(job, "1", "2", "3")])
    over.set()
    for thread in threads:
        thread.join()
    assert errors == []
    assert ledger.counts().done == 3 * count


def test_rows_are_those_of_one_moment(ledger: Ledger) -> None:
    ledger.plan(made_jobs(10), 10)
    rows = ledger.rows()
    first = next(rows)
    ledger.finish([result(i) for i in range(10)])
    assert {row.state for row in [first, *rows]} == {State.PENDING}
    assert {row.state for row in ledger.rows()} == {State.DONE}


def test_a_ledger_that_was_closed_is_one_file(tmp_path: Path) -> None:
    run(tmp_path, 30)
    assert sorted(os.listdir(tmp_path)) == [".lock", "images", "ledger.sqlite", "made.log"]
    # Its header says that no -wal file belongs to it, so that reading makes none.
    assert (tmp_path / "ledger.sqlite").read_bytes()[18:20] == b"\1\1"
    assert len(rows_of(tmp_path)) == 30 + 2 * 5


def test_a_reader_does_not_write(tmp_path: Path) -> None:
    run(tmp_path, 3)
    with Ledger.open(tmp_path, write=False) as ledger:
        job = PlannedJob(
            job=0,
            mask="",
            stem="",
            variation=0,
            suffix="",
            appearance=None,
            background=None,
            attempts=0,
        )
        with pytest.raises(ValueError, match="open for reading only"):
            ledger.finish([do(tmp_path, job)])


def test_the_sqlite_tool_agrees(tmp_path: Path) -> None:
    """What users will look at with any SQLite tool is sound."""
    import sqlite3

    run(tmp_path, 30)
    with sqlite3.connect(tmp_path / "ledger.sqlite") as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        found = connection.execute("SELECT count(*) FROM images WHERE state = 3").fetchone()
    connection.close()
    assert found == (5,)
