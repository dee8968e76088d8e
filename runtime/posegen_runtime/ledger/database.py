"""Opening `ledger.sqlite`, and what SQLite's errors mean to the user."""

import errno
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from posegen_runtime.errors import PoseGenError
from posegen_runtime.ledger.schema import APPLICATION_ID, SCHEMA, TABLES

LEDGER = "ledger.sqlite"
NEW = ".ledger.sqlite.new.part"
SIDE_FILES = tuple(f"{LEDGER}-{end}" for end in ("wal", "shm", "journal"))
LEDGER_FILES = (NEW, *SIDE_FILES, LEDGER)
"""All that a ledger may leave in an output directory, in the order in which to remove it."""

WAIT = 30.0
"""Seconds that a connection waits for another one's lock, which is held for milliseconds."""
LITTLE = 2**20
"""With fewer bytes free the disk counts as full."""
KEPT_KB = 512
"""Of pages in memory: rows come in the order of the jobs, so the same ones are written again."""
WAL_PAGES = 4000
"""The -wal file goes into the ledger at 16 MB: four times SQLite's own, for fewer waits."""
WAL_VERSION = b"\2"
"""In the file's header where changes go to the -wal file."""


def create(path: Path) -> None:
    """Make an empty ledger that appears whole, so that an empty file is always damage."""
    for side in SIDE_FILES:
        if path.with_name(side).exists():
            raise PoseGenError(
                f"{path}: is missing, and {side} belongs to it; put it back, or start over "
                "with --fresh"
            )
    beside = path.with_name(NEW)
    with explained(path), _reachable(path):
        try:
            beside.unlink(missing_ok=True)
            with closing(_connect(beside, "rwc")) as connection:
                connection.execute("PRAGMA journal_mode = MEMORY")
                connection.executescript(TABLES)
            beside.replace(path)
        except BaseException:
            with suppress(OSError):
                beside.unlink(missing_ok=True)
            raise


def connect_writer(path: Path) -> sqlite3.Connection:
    """The one connection that writes. Raises `PoseGenError` where the file is no ledger."""
    with explained(path):
        connection = _connect(path, "rw")
        try:
            check(path, connection)
            mode = connection.execute("PRAGMA journal_mode = WAL").fetchone()[0]
            # Network file systems without shared memory have no WAL; only there a commit waits
            # for the disk, since a rollback journal that is not there yet cannot roll back.
            connection.execute(f"PRAGMA synchronous = {'NORMAL' if mode == 'wal' else 'FULL'}")
            connection.execute(f"PRAGMA wal_autocheckpoint = {WAL_PAGES}")
            connection.execute(f"PRAGMA cache_size = -{KEPT_KB}")
            # A cut-off commit was undone by now, so the file can be written.
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("ROLLBACK")
        except BaseException:
            connection.close()
            raise
    return connection


def close_writer(connection: sqlite3.Connection) -> None:
    """Leave one file, which can be read where nothing can be written."""
    with suppress(sqlite3.Error):  # a reader is there, or the disk is full: the -wal file stays
        connection.execute("PRAGMA busy_timeout = 0")
        connection.execute("PRAGMA journal_mode = DELETE")
    connection.close()


def connect_reader(path: Path, *, may_mend: bool) -> sqlite3.Connection:
    """A connection that changes nothing, or with `may_mend` only undoes a commit that was cut off,
    as must be done before anything can be read."""
    connection = _connect(path, "rw" if may_mend else "ro")
    connection.execute("PRAGMA query_only = ON")
    return connection


def readable_in_place(path: Path) -> bool:
    """Whether reading makes no file: SQLite would make those that a -wal ledger lacks."""
    with _reachable(path), path.open("rb") as file:
        with_wal = WAL_VERSION in file.read(20)[18:20]
    return not with_wal or all(path.with_name(side).exists() for side in SIDE_FILES[:2])


def copy_ledger(path: Path, folder: Path) -> Path:
    """Copy a ledger that nobody writes; what a killed run left beside it comes along."""
    with _reachable(path):
        for file in (path, *(path.with_name(side) for side in SIDE_FILES if side[-3:] != "shm")):
            if file.exists():
                shutil.copyfile(file, folder / file.name)
    return folder / path.name


def check(path: Path, connection: sqlite3.Connection) -> None:
    """Raise `PoseGenError` where the file is no ledger that this version reads."""
    if path.stat().st_size == 0:
        raise _damaged(path, "it is empty")
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (schema,) = connection.execute("PRAGMA user_version").fetchone()
    if application != APPLICATION_ID:
        raise _damaged(path, "it is a database of another program")
    if schema > SCHEMA:
        raise PoseGenError(
            f"{path}: ledger schema {schema} is newer than {SCHEMA}, the newest this version "
            "reads; upgrade posegen, or name another --out"
        )


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn what SQLite refuses into a `PoseGenError` that names `path`.

    Its ``__cause__`` is an `OSError` with `errno.ENOSPC` where the disk is full. Errors in our
    own use of SQLite stay what they are.
    """
    try:
        yield
    except sqlite3.Error as error:
        if isinstance(error, sqlite3.OperationalError) or type(error) is sqlite3.DatabaseError:
            raise _explain(path, error) from (_no_space(path, error) or error)
        raise


@contextmanager
def _reachable(path: Path) -> Iterator[None]:
    """Turn what the system refuses into a `PoseGenError` that names `path`."""
    try:
        yield
    except OSError as error:
        raise PoseGenError(
            f"{path}: cannot be used ({error.strerror or error}); mend that, or name another --out"
        ) from error


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    # Each use holds a lock or has a connection of its own.
    return sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={mode}",
        uri=True,
        timeout=WAIT,
        isolation_level=None,
        check_same_thread=False,
    )


def _explain(path: Path, error: sqlite3.Error) -> PoseGenError:
    text = str(error)
    if _no_space(path, error):
        return PoseGenError(
            f"{path}: the disk is full; free space and run the same command again, "
            "what was written stays"
        )
    if "locked" in text:
        return PoseGenError(
            f"{path}: another program holds it ({text}); close that and run the command again"
        )
    if any(word in text for word in ("readonly", "unable to open", "access permission", "I/O")):
        return PoseGenError(
            f"{path}: cannot be used ({text}); check the disk and the permissions of its folder"
        )
    return _damaged(path, text)


def _damaged(path: Path, what: str) -> PoseGenError:
    return PoseGenError(
        f"{path}: is no whole ledger ({what}); put a copy of it back, name another --out, "
        "or start over with --fresh"
    )


def _no_space(path: Path, error: sqlite3.Error) -> OSError | None:
    text = str(error)
    full = "disk is full" in text
    if not full and "I/O" in text:  # how SQLite reports a -shm file that cannot grow
        with suppress(OSError):
            full = shutil.disk_usage(path.parent).free < LITTLE
    if not full:
        return None
    cause = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
    cause.__cause__ = error
    return cause
