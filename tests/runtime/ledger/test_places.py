"""Disks that are full, and places where nothing can be written."""

import errno
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path

import pytest

from ledger_jobs import made_jobs, result, rows_of, run
from posegen_runtime.errors import PoseGenError
from posegen_runtime.ledger import Counts, Identity, Ledger, State

MountMaker = Callable[[str], Path]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[MountMaker]:
    """Size → a file system of that size; as much as root may make one."""
    mounted = []

    def make(size: str) -> Path:
        folder = tmp_path / "disk"
        folder.mkdir()
        command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
        try:
            made = subprocess.run(command, capture_output=True, check=False).returncode == 0
        except OSError:
            made = False
        if not made:
            pytest.skip("only root may mount the small disk that this fills")
        mounted.append(folder)
        return folder

    yield make
    for folder in mounted:
        subprocess.run(["umount", str(folder)], check=True)


def fill(folder: Path) -> Path:
    """A file that takes all that is left."""
    file = folder / "ballast"
    with file.open("wb", buffering=0) as ballast, suppress(OSError):
        while ballast.write(bytes(4096)) == 4096:
            pass
    return file


def check_full(error: PoseGenError, out: Path) -> None:
    assert str(error) == (
        f"{out / 'ledger.sqlite'}: the disk is full; free space and run the same command again, "
        "what was written stays"
    )
    assert isinstance(error.__cause__, OSError)
    assert error.__cause__.errno == errno.ENOSPC


def finish_many(ledger: Ledger, committed: list[int]) -> None:
    """Finish jobs of five objects each in batches of ten; `committed` grows with each batch."""
    for first in range(0, 2000, 10):
        ledger.finish([result(job, *"12345") for job in range(first, first + 10)])
        committed.append(first + 10)


def test_finishing_on_a_full_disk_keeps_what_was_committed(small_disk: MountMaker) -> None:
    disk = small_disk("2m")
    out = disk / "out"
    committed: list[int] = []
    with Ledger.open(out, write=True) as ledger:
        ledger.plan(made_jobs(2000), 2000)
        with pytest.raises(PoseGenError) as caught:
            finish_many(ledger, committed)
        check_full(caught.value, out)
        assert committed
        # It can still be asked, and closed.
        assert ledger.counts().done == committed[-1] * 5
    with Ledger.open(out, write=False) as ledger:
        assert ledger.counts() == Counts(
            planned=2000 + 4 * committed[-1],
            done=5 * committed[-1],
            rejected=0,
            failed=0,
            pending=2000 - committed[-1],
        )
    subprocess.run(["mount", "-o", "remount,size=64m", str(disk)], check=True)
    with Ledger.open(out, write=True) as ledger:
        ledger.plan(made_jobs(2000), 2000)
        assert next(ledger.pending()).job == committed[-1]
        ledger.finish([result(job.job) for job in ledger.pending()])
        assert ledger.counts().pending == 0


def test_sqlites_own_word_for_a_full_disk_is_understood(tmp_path: Path) -> None:
    """Where no small disk can be mounted: SQLite says the same at a limit of its own."""
    committed: list[int] = []
    with Ledger.open(tmp_path, write=True) as ledger:
        ledger.plan(made_jobs(2000), 2000)
        assert ledger._writer is not None
        (pages,) = ledger._writer.execute("PRAGMA page_count").fetchone()
        ledger._writer.execute(f"PRAGMA max_page_count = {pages + 100}")
        with pytest.raises(PoseGenError) as caught:
            finish_many(ledger, committed)
        check_full(caught.value, tmp_path)
        assert ledger.counts().done == 5 * committed[-1]
        ledger._writer.execute(f"PRAGMA max_page_count = {pages * 100}")
        ledger.finish([result(job.job) for job in ledger.pending()])
        assert ledger.counts().pending == 0


def test_the_same_ledger_goes_on_once_there_is_room(small_disk: MountMaker) -> None:
    disk = small_disk("2m")
    committed: list[int] = []
    with Ledger.open(disk / "out", write=True) as ledger:
        ledger.plan(made_jobs(2000), 2000)
        ballast = fill(disk)
        with pytest.raises(PoseGenError) as caught:
            finish_many(ledger, committed)
        check_full(caught.value, disk / "out")
        ballast.unlink()
        ledger.finish([result(job.job) for job in islice(ledger.pending(), 100)])
        assert ledger.counts().done == 5 * sum(committed[-1:]) + 100


def test_planning_on_a_full_disk_goes_on_later(small_disk: MountMaker) -> None:
    disk = small_disk("1m")
    out = disk / "out"
    count = 12_000
    with Ledger.open(out, write=True) as ledger:
        with pytest.raises(PoseGenError) as caught:
            ledger.plan(made_jobs(count), count)
        check_full(caught.value, out)
        assert 0 < sum(1 for _ in ledger.rows()) < count
        assert ledger.counts().pending == count
    subprocess.run(["mount", "-o", "remount,size=64m", str(disk)], check=True)
    with Ledger.open(out, write=True) as ledger:
        ledger.plan(made_jobs(count), count)
        assert [job.job for job in ledger.pending()] == list(range(count))


def remember_much(out: Path) -> None:
    with Ledger.open(out, write=True) as ledger:
        files = [(f"{number:09}", "1") for number in range(9999)]
        ledger.set_identity(Identity(values={}, files={"--masks": files}))


def test_a_disk_that_is_full_from_the_start(small_disk: MountMaker) -> None:
    disk = small_disk("1m")
    ballast = fill(disk)
    with pytest.raises(PoseGenError) as caught:
        Ledger.open(disk, write=True)
    assert str(caught.value).startswith(f"{disk / 'ledger.sqlite'}: the disk is full")
    assert sorted(os.listdir(disk)) == [".lock", "ballast"]
    ballast.unlink()
    run(disk, 3)
    ballast = fill(disk)
    # What stands can be read, and the ledger says why it takes no more.
    assert len(rows_of(disk)) == 5
    with pytest.raises(PoseGenError) as caught:
        remember_much(disk)
    check_full(caught.value, disk)
    ballast.unlink()
    run(disk, 3)


def test_a_killed_ledger_on_a_disk_that_is_full(tmp_path: Path, small_disk: MountMaker) -> None:
    """SQLite calls it an I/O error when the -shm file finds no room."""
    disk = small_disk("1m")
    with Ledger.open(tmp_path / "out", write=True) as ledger:
        ledger.plan(made_jobs(30), 30)
        for name in ("ledger.sqlite", "ledger.sqlite-wal"):
            shutil.copyfile(tmp_path / "out" / name, disk / name)
    (disk / ".lock").touch()
    ballast = fill(disk)
    with pytest.raises(PoseGenError) as caught:
        Ledger.open(disk, write=True)
    check_full(caught.value, disk)
    ballast.unlink()
    run(disk, 30)


@pytest.fixture
def read_only(tmp_path: Path) -> Iterator[Callable[[Path], Path]]:
    """A directory → the same, or a copy of it, where nothing can be written."""
    made: list[tuple[Path, bool]] = []

    def freeze(folder: Path) -> Path:
        if os.geteuid() != 0:
            folder.chmod(0o500)
            made.append((folder, False))
            return folder
        frozen = tmp_path / f"frozen{len(made)}"
        frozen.mkdir()
        command = ["mount", "-t", "tmpfs", "tmpfs", str(frozen)]
        if subprocess.run(command, capture_output=True, check=False).returncode:
            pytest.skip("root writes everywhere, and may not mount a read-only file system here")
        made.append((frozen, True))
        shutil.copytree(folder, frozen, dirs_exist_ok=True)
        subprocess.run(["mount", "-o", "remount,ro", str(frozen)], check=True)
        return frozen

    yield freeze
    for folder, is_mount in made:
        if is_mount:
            subprocess.run(["umount", str(folder)], check=True)
        else:
            folder.chmod(0o700)


def test_a_closed_ledger_is_read_where_nothing_can_be_written(
    tmp_path: Path, read_only: Callable[[Path], Path]
) -> None:
    run(tmp_path / "out", 20)
    rows = rows_of(tmp_path / "out")
    out = read_only(tmp_path / "out")
    assert rows_of(out) == rows
    with pytest.raises(PoseGenError, match=r"\.lock: cannot be locked|ledger.sqlite.*cannot be"):
        Ledger.open(out, write=True)


@pytest.mark.parametrize("left", [("wal", "shm"), ("wal",)])
def test_what_a_killed_run_left_is_read_where_nothing_can_be_written(
    tmp_path: Path, read_only: Callable[[Path], Path], left: tuple[str, ...]
) -> None:
    """With both files, and as a copy to another machine may lack the second."""
    killed = tmp_path / "killed"
    killed.mkdir()
    with Ledger.open(tmp_path / "out", write=True) as ledger:
        ledger.plan(made_jobs(30), 30)
        ledger.finish([result(3)])
        for name in ("ledger.sqlite", *(f"ledger.sqlite-{end}" for end in left)):
            shutil.copyfile(tmp_path / "out" / name, killed / name)
    before = sorted(os.listdir(killed))
    assert [row.job for row in rows_of(killed) if row.state is State.DONE] == [3]
    assert sorted(os.listdir(killed)) == before
    out = read_only(killed)
    assert [row.job for row in rows_of(out) if row.state is State.DONE] == [3]
