"""What must be the same for a run to go on where another one stopped."""

import heapq
import os
import re
import sqlite3
from collections.abc import Iterable, Mapping
from itertools import groupby
from pathlib import Path
from typing import Any

import msgspec

from posegen_runtime.ledger.schema import State

Value = str | int | float | bool | None | list[Any] | dict[str, Any]
COLUMNS = {"--masks": "mask", "--appearance": "appearance", "--background": "background"}
"""Of the table of images, by the option whose files it names."""
HASH = re.compile("[0-9a-f]{16}")
"""What stands for the content of a file, and tells nobody anything."""
SHOWN = 60
"""Characters of a value in a message."""


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that changes pixels or labels, by the name that the user knows it by.

    `values`: options with what they were resolved to, hashes of single files. `files`: by option,
    (name, mark) of each file, sorted by name, each name once; any iterable, read once by each
    call that takes the identity. A mark is any text that changes with the file: see `file_mark`.
    """

    values: Mapping[str, Value]
    files: Mapping[str, Iterable[tuple[str, str]]] = {}


def file_mark(path: Path) -> str:
    """Size and time of the last change. Raises `OSError` where there is no such file."""
    status = os.stat(path)
    return f"{status.st_size}:{status.st_mtime_ns}"


def store_identity(connection: sqlite3.Connection, identity: Identity) -> None:
    """Replace what is stored; inside a transaction of the caller."""
    connection.execute(
        "INSERT OR REPLACE INTO facts VALUES ('identity', ?)",
        (msgspec.json.encode(dict(identity.values)),),
    )
    connection.execute("DELETE FROM inputs")
    for option, files in identity.files.items():
        connection.executemany(
            "INSERT INTO inputs VALUES (?, ?, ?)", ((option, *file) for file in files)
        )


def differences(
    connection: sqlite3.Connection,
    stored: Mapping[str, Value],
    identity: Identity,
    by_size: bool = False,
) -> list[str]:
    """One entry for each thing that differs, in words: "--seed (0 there, 1 here)". Files of masks,
    appearances and backgrounds count where it matters to the images; see `_Uses`."""
    given = msgspec.json.decode(msgspec.json.encode(dict(identity.values)))
    words = [
        f"{name} ({_apart(stored.get(name), given.get(name))})"
        for name in dict.fromkeys([*given, *stored])
        if given.get(name) != stored.get(name)
    ]
    there = files(connection)
    for option in dict.fromkeys([*identity.files, *there]):
        uses = _Uses(connection, COLUMNS.get(option))
        words += _compare(
            option, there.get(option, ()), identity.files.get(option, ()), uses, by_size
        )
    return words


def files(connection: sqlite3.Connection) -> dict[str, Iterable[tuple[str, str]]]:
    """What is stored of `Identity.files`; none of it is held, and each can be read once."""
    options = [row[0] for row in connection.execute("SELECT DISTINCT option FROM inputs")]
    return {
        option: connection.execute(
            "SELECT name, mark FROM inputs WHERE option = ? ORDER BY name", (option,)
        )
        for option in options
    }


class _Uses:
    """What was made of the files of one kind; asked for once a file differs, and read then."""

    def __init__(self, connection: sqlite3.Connection, column: str | None) -> None:
        self._connection = connection
        self._column = column
        self._names: dict[bool, set[str]] = {}

    def matters(self, name: str, gone: bool) -> bool:
        """A file that changed matters where an image was made of it; one that is gone also where
        an image is yet to be made. What only failed may be mended or removed."""
        if self._column is None:
            return True
        if gone not in self._names:
            states = [State.DONE, State.REJECTED, *([State.PENDING] if gone else [])]
            codes = ", ".join(str(state.code) for state in states)
            found = self._connection.execute(
                f"SELECT DISTINCT {self._column} FROM images WHERE state IN ({codes})"
            )
            self._names[gone] = {row[0] for row in found}
        return name in self._names[gone]


def _compare(
    option: str,
    there: Iterable[tuple[str, str]],
    here: Iterable[tuple[str, str]],
    uses: _Uses,
    by_size: bool,
) -> list[str]:
    """Both walked side by side, so that no list of files is held."""
    counts = {"more": 0, "fewer": 0, "changed": 0}
    example = None
    sides = heapq.merge(
        ((name, "there", mark) for name, mark in there),
        ((name, "here", mark) for name, mark in here),
    )
    for name, found in groupby(sides, key=lambda entry: entry[0]):
        marks = {side: mark for _, side, mark in found}
        kind = "changed" if len(marks) == 2 else "more" if "here" in marks else "fewer"
        if kind == "changed" and _alike(marks["there"], marks["here"], by_size):
            continue
        if kind != "more" and not uses.matters(name, gone=kind == "fewer"):
            continue
        counts[kind] += 1
        example = example or name
    words = ", ".join(f"{count} {kind}" for kind, count in counts.items() if count)
    if not words:
        return []
    noun = " file " if words.startswith("1 ") else " files "
    return [f"{option}: {words.replace(' ', noun, 1)}, such as {_shown(example)}"]


def _alike(there: str, here: str, by_size: bool) -> bool:
    if by_size:
        return there.partition(":")[0] == here.partition(":")[0]
    return there == here


def _apart(there: Value, here: Value) -> str:
    if _is_hash(there) and _is_hash(here):
        return "with other content there"
    return f"{_shown(there)} there, {_shown(here)} here"


def _is_hash(value: Value) -> bool:
    return isinstance(value, str) and HASH.fullmatch(value) is not None


def _shown(value: Value) -> str:
    if value is None:
        return "none"
    if _is_hash(value):
        return "some"
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    text = text if text.isprintable() and text else repr(text)
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}…"
