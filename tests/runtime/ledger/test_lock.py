"""One writer, any number of readers."""

import errno
import fcntl
import multiprocessing
import os
import sqlite3
import threading
import time
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any

import pytest

from ledger_jobs import made_jobs, result, run
from posegen_runtime.errors import PoseGenError
from posegen_runtime.ledger import Ledger, OutputLock, State, database

FORK = multiprocessing.get_context("fork")


def test_a_second_writer_is_refused_at_once(tmp_path: Path) -> None:
    with Ledger.open(tmp_path, write=True) as ledger:
        for _ in range(2):
            with pytest.raises(PoseGenError) as caught:
                Ledger.open(tmp_path, write=True)
        assert str(caught.value) == (
            f"{tmp_path}: another run works on it; wait until it ends, or name another --out"
        )
        ledger.plan(made_jobs(2), 2)
    with Ledger.open(tmp_path, write=True) as ledger:
        assert ledger.counts().planned == 2


def test_another_process_is_refused_too(tmp_path: Path) -> None:
    def try_to_write(answers: Any) -> None:
        try:
            Ledger.open(tmp_path, write=True).close()
        except PoseGenError as error:
            answers.put(str(error))

    answers = FORK.Queue()
    with Ledger.open(tmp_path, write=True):
        process = FORK.Process(target=try_to_write, args=(answers,))
        process.start()
        assert "another run works on it" in answers.get(timeout=20)
        process.join()


def test_a_lock_that_the_caller_holds_is_used_and_kept(tmp_path: Path) -> None:
    out = tmp_path / "new" / "out"
    with OutputLock(out) as lock:
        Ledger.open(out, write=True, lock=lock).close()
        with pytest.raises(PoseGenError, match="another run works on it"):
            OutputLock(out)
    OutputLock(out).release()


def test_a_ledger_that_is_refused_leaves_the_lock_free(tmp_path: Path) -> None:
    (tmp_path / "ledger.sqlite").write_bytes(b"")
    with pytest.raises(PoseGenError, match="it is empty"):
        Ledger.open(tmp_path, write=True)
    OutputLock(tmp_path).release()


@pytest.mark.parametrize("code", [errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP])
def test_a_file_system_without_locks_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    def flock(descriptor: int, operation: int) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(fcntl, "flock", flock)
    with pytest.raises(
        PoseGenError, match=r"\.lock: .*lock.*; name an --out .*on .*disk"
    ) as caught:
        Ledger.open(tmp_path, write=True)
    assert "\n" not in str(caught.value)


def test_without_shared_memory_a_rollback_journal_serves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some network file systems have none; this way of SQLite to reach files has none either."""
    connect = sqlite3.connect

    def plain(name: str, **options: Any) -> sqlite3.Connection:
        return connect(f"{name}&vfs=unix-dotfile", **options)

    monkeypatch.setattr(database.sqlite3, "connect", plain)
    run(tmp_path, 20)
    with Ledger.open(tmp_path, write=True) as ledger:
        assert not (tmp_path / "ledger.sqlite-wal").exists()
        assert ledger.counts().pending == 0
        ledger.finish([result(1, "new")])
    with Ledger.open(tmp_path, write=False) as ledger:
        assert [row.object for row in ledger.rows([State.DONE]) if row.job == 1] == ["new"]


def test_a_file_where_the_directory_should_be_is_named(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("x")
    with pytest.raises(PoseGenError, match=r"out: cannot be made \(File exists"):
        Ledger.open(tmp_path / "out", write=True)


def write_on(out: Path, count: int, begun: Event) -> None:
    with Ledger.open(out, write=True) as ledger:
        ledger.plan(made_jobs(count), count)
        begun.set()
        for job in range(count):
            ledger.finish([result(job, "1", "2")])


def test_readers_see_a_consistent_picture_while_another_process_writes(tmp_path: Path) -> None:
    count = 400
    begun = FORK.Event()
    process = FORK.Process(target=write_on, args=(tmp_path, count, begun))
    process.start()
    assert begun.wait(20)
    seen = set()
    while process.is_alive():
        with Ledger.open(tmp_path, write=False) as ledger, ledger.view() as view:
            counts, rows = view.counts(), sum(1 for _ in view.rows())
        assert counts.planned == rows == count + counts.done // 2
        assert counts.done % 2 == 0
        seen.add(counts.done)
    process.join()
    assert process.exitcode == 0
    assert len(seen) > 2
    with Ledger.open(tmp_path, write=False) as ledger:
        assert ledger.counts().done == 2 * count


def test_a_reader_that_stays_holds_up_neither_commits_nor_the_end(tmp_path: Path) -> None:
    run(tmp_path, 20)
    first, reader = Ledger.open(tmp_path, write=True), Ledger.open(tmp_path, write=False)
    with reader, reader.view() as view:
        first.finish([result(1, "a", "b")])
        first.close()
        with Ledger.open(tmp_path, write=True) as second:
            second.finish([result(2, "a", "b")])
        before = view.counts()
        assert {row.object for row in view.rows() if row.job in (1, 2)} == {""}
        assert reader.counts().planned == before.planned + 2
    Ledger.open(tmp_path, write=True).close()
    assert not (tmp_path / "ledger.sqlite-wal").exists()


def test_a_run_that_starts_waits_for_a_reader(tmp_path: Path) -> None:
    run(tmp_path, 20)
    reading = threading.Event()

    def read() -> None:
        with Ledger.open(tmp_path, write=False) as reader, reader.view() as view:
            view.counts()
            reading.set()
            time.sleep(0.3)

    thread = threading.Thread(target=read)
    thread.start()
    assert reading.wait(20)
    with Ledger.open(tmp_path, write=True) as ledger:
        assert ledger.counts().pending == 0
    thread.join()


def test_a_fork_of_the_writer_does_not_keep_the_lock(tmp_path: Path) -> None:
    """An encoder process that outlives a killed run would."""
    forked, end = FORK.Event(), FORK.Event()

    def parent() -> None:
        OutputLock(tmp_path)
        if os.fork() == 0:
            forked.set()
            end.wait(20)
            os._exit(0)
        assert forked.wait(20)
        os.kill(os.getpid(), 9)

    process = FORK.Process(target=parent)
    process.start()
    process.join()
    try:
        OutputLock(tmp_path).release()
    finally:
        end.set()
