"""SIGKILL at any moment: nothing is lost, and the end is that of a run that nobody disturbed."""

import multiprocessing
import os
import random
import signal
from collections import Counter
from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest

from ledger_jobs import content, do, made_jobs, objects_of, rows_of, run
from posegen_runtime.ledger import Ledger, OutputLock, State, database, planning

JOBS = 800
IMAGES = sum(len(objects_of(job)) for job in range(JOBS))
BATCH = 8
KILLS = 30


def start(target: Callable[..., None], *arguments: object) -> multiprocessing.Process:
    process = multiprocessing.get_context("fork").Process(target=target, args=arguments)
    process.start()
    return process  # type: ignore[return-value]


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that kills hit planning as well."""
    monkeypatch.setattr(planning, "CHUNK", 40)


@pytest.mark.usefixtures("small_chunks")
def test_thirty_kills_lose_nothing(tmp_path: Path) -> None:
    undisturbed = tmp_path / "undisturbed"
    run(undisturbed, JOBS, BATCH)
    expected = rows_of(undisturbed)
    assert len(expected) == IMAGES
    moments = random.Random(0)
    kills, midway = 0, False
    for attempt in count():
        out = tmp_path / f"out{attempt}"
        kills_here = 0
        while kills < KILLS:
            process = start(run, out, JOBS, BATCH)
            process.join(moments.uniform(0.004, 0.08))
            process.kill()
            process.join()
            if process.exitcode == 0:
                break
            kills, kills_here = kills + 1, kills_here + 1
            midway |= look_whole(out)
        run(out, JOBS, BATCH)
        assert rows_of(out) == expected
        images = [row.image for row in expected if row.image]
        files = [name for name in os.listdir(out / "images") if not name.startswith(".")]
        assert sorted(f"images/{name}" for name in files) == sorted(images)
        made = (out / "made.log").read_text().splitlines()
        assert len(made) <= len(images) + kills_here * 3 * BATCH
        if kills == KILLS:
            break
    assert midway


def look_whole(out: Path) -> bool:
    """Check a ledger after a kill; True where the kill came between the first and last image."""
    if not (out / "ledger.sqlite").exists():
        return False
    before = set(os.listdir(out))
    with Ledger.open(out, write=False) as ledger, ledger.view() as view:
        counts, rows = view.counts(), list(view.rows())
    assert set(os.listdir(out)) == before
    by_state = Counter(row.state for row in rows)
    planned = len({row.job for row in rows})
    assert counts.planned in (len(rows) + JOBS - planned, 0 if not rows else -1)
    assert counts.planned == counts.done + counts.rejected + counts.failed + counts.pending
    assert (counts.done, counts.failed) == (by_state[State.DONE], by_state[State.FAILED])
    for row in rows:
        if row.state is State.DONE:
            assert (out / row.image).read_bytes() == content(row.image)
    return counts.done > 0 and counts.pending > 0


def kill_before_commit(out: Path) -> None:
    with Ledger.open(out, write=True) as ledger:
        ledger.plan(made_jobs(3), 3)
        for job in ledger.pending():
            finished = do(out, job)
            if job.job == 2:
                os.kill(os.getpid(), signal.SIGKILL)
            ledger.finish([finished])


def test_an_image_without_its_row_is_made_again(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    process = start(kill_before_commit, tmp_path)
    process.join()
    assert process.exitcode == -signal.SIGKILL
    assert (tmp_path / "images/00002.png").exists()
    with Ledger.open(tmp_path, write=False) as ledger:
        assert [job.job for job in ledger.pending()] == [2]
    run(tmp_path, 3)
    assert (tmp_path / "made.log").read_text().split().count("images/00002.png") == 2
    assert [row.job for row in rows_of(tmp_path)] == [0, 0, 0, 1, 2]


def kill_in_creation(out: Path) -> None:
    tables = database.TABLES.partition("CREATE INDEX")[0]
    connect = database._connect

    def die(path: Path, mode: str) -> None:
        connect(path, mode).executescript(f"{tables} COMMIT;")
        os.kill(os.getpid(), signal.SIGKILL)

    database._connect = die  # type: ignore[assignment]
    Ledger.open(out, write=True)


def test_half_a_creation_never_happened(tmp_path: Path) -> None:
    process = start(kill_in_creation, tmp_path)
    process.join()
    assert process.exitcode == -signal.SIGKILL
    assert not (tmp_path / "ledger.sqlite").exists()
    run(tmp_path, 3)
    assert sorted(os.listdir(tmp_path)) == [".lock", "images", "ledger.sqlite", "made.log"]


def kill_in_transaction(out: Path) -> None:
    with Ledger.open(out, write=True) as ledger, ledger._transaction() as connection:
        connection.execute("UPDATE images SET state = 3")
        os.kill(os.getpid(), signal.SIGKILL)


def test_half_a_transaction_never_happened(tmp_path: Path) -> None:
    with Ledger.open(tmp_path, write=True) as ledger:
        ledger.plan(made_jobs(5), 5)
    process = start(kill_in_transaction, tmp_path)
    process.join()
    assert process.exitcode == -signal.SIGKILL
    with Ledger.open(tmp_path, write=False) as ledger:
        assert ledger.counts().pending == 5
    with Ledger.open(tmp_path, write=True) as ledger:
        assert ledger.counts().pending == 5


def hold(out: Path, ready: "multiprocessing.synchronize.Event") -> None:
    OutputLock(out)
    ready.set()
    signal.pause()


def test_a_killed_writers_lock_is_free(tmp_path: Path) -> None:
    ready = multiprocessing.get_context("fork").Event()
    process = start(hold, tmp_path, ready)
    assert ready.wait(20)
    process.kill()
    process.join()
    with Ledger.open(tmp_path, write=True) as ledger:
        assert ledger.counts().planned == 0
