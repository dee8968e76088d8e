"""Files that are no whole ledger: one line that says what to do, and nothing is deleted."""

import os
import sqlite3
from pathlib import Path

import pytest

from ledger_jobs import run
from posegen_runtime.errors import PoseGenError
from posegen_runtime.ledger import LEDGER_FILES, SCHEMA, Ledger

LEDGER = "ledger.sqlite"


def refused(out: Path, *, write: bool) -> str:
    """The line of the refusal, at the latest when every row was asked for."""
    before = {name: (out / name).read_bytes() for name in os.listdir(out) if name in LEDGER_FILES}
    with pytest.raises(PoseGenError) as caught:
        read_all(out, write)
    for name, content in before.items():
        assert (out / name).read_bytes() == content, name
    line = str(caught.value)
    assert "\n" not in line
    assert line.startswith(f"{out / LEDGER}: ")
    return line


def read_all(out: Path, write: bool) -> None:
    with Ledger.open(out, write=write) as ledger:
        ledger.counts()
        list(ledger.rows())
        list(ledger.pending())


@pytest.fixture
def out(tmp_path: Path) -> Path:
    run(tmp_path, 300)
    return tmp_path


@pytest.mark.parametrize("write", [False, True])
@pytest.mark.parametrize("damage", ["empty", "zeros", "text", "short", "half", "head", "other"])
def test_a_damaged_file_is_refused(out: Path, damage: str, write: bool) -> None:
    file = out / LEDGER
    whole = file.read_bytes()
    broken = {
        "empty": b"",
        "zeros": bytes(len(whole)),
        "text": b"this is no database, but long enough to be one\n" * 100,
        "short": whole[:10],
        "half": whole[: len(whole) // 2],
        "head": whole[:16] + b"\xa5" * 84 + whole[100:],
    }
    if damage == "other":
        file.unlink()
        with sqlite3.connect(file) as connection:
            connection.execute("CREATE TABLE images (id)")
        connection.close()
    else:
        file.write_bytes(broken[damage])
    line = refused(out, write=write)
    assert "is no whole ledger (" in line
    assert line.endswith("put a copy of it back, name another --out, or start over with --fresh")


@pytest.mark.parametrize("write", [False, True])
def test_a_hole_in_the_middle_is_found_by_who_falls_in(out: Path, write: bool) -> None:
    file = out / LEDGER
    whole = file.read_bytes()
    file.write_bytes(whole[:8192] + bytes(len(whole) - 8192))
    with pytest.raises(PoseGenError, match="is no whole ledger"):
        read_all(out, write)


@pytest.mark.parametrize("write", [False, True])
def test_a_newer_schema_is_refused(out: Path, write: bool) -> None:
    with sqlite3.connect(out / LEDGER) as connection:
        connection.execute(f"PRAGMA user_version = {SCHEMA + 1}")
    connection.close()
    assert refused(out, write=write).endswith(
        f"ledger schema {SCHEMA + 1} is newer than {SCHEMA}, the newest this version reads; "
        "upgrade posegen, or name another --out"
    )


def test_no_ledger_to_read_is_named(tmp_path: Path) -> None:
    assert refused(tmp_path, write=False).endswith("there is none; name the --out of a run")
    assert os.listdir(tmp_path) == []


def test_a_log_without_its_ledger_is_kept(out: Path) -> None:
    """It may hold the last images of a ledger that somebody moved."""
    (out / LEDGER).rename(out / "moved")
    (out / f"{LEDGER}-wal").write_bytes(b"the last images")
    line = refused(out, write=True)
    assert "is missing, and ledger.sqlite-wal belongs to it; put it back" in line


def test_a_ledger_half_made_is_made_anew(tmp_path: Path) -> None:
    (tmp_path / LEDGER_FILES[0]).write_bytes(b"SQLite format 3\0")
    run(tmp_path, 3)
    assert not (tmp_path / LEDGER_FILES[0]).exists()


def test_a_directory_of_that_name_is_refused(tmp_path: Path) -> None:
    (tmp_path / LEDGER).mkdir()
    for write in (False, True):
        with pytest.raises(PoseGenError, match=r"ledger\.sqlite: cannot be used"):
            Ledger.open(tmp_path, write=write)
