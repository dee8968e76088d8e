"""What must be the same for a run to go on where another one stopped."""

import heapq
import os
import sqlite3
from collections.abc import Iterable, Mapping
from itertools import groupby
from pathlib import Path
from typing import Any

import msgspec

Value = str | int | float | bool | None | list[Any] | dict[str, Any]
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
    connection: sqlite3.Connection, stored: Mapping[str, Value], identity: Identity
) -> list[str]:
    """One entry for each thing that differs, in words: "--seed (0 there, 1 here)"."""
    given = msgspec.json.decode(msgspec.json.encode(dict(identity.values)))
    words = [
        f"{name} ({_shown(stored.get(name))} there, {_shown(given.get(name))} here)"
        for name in dict.fromkeys([*given, *stored])
        if given.get(name) != stored.get(name)
    ]
    there = files(connection)
    for option in dict.fromkeys([*identity.files, *there]):
        words += _compare(option, there.get(option, ()), identity.files.get(option, ()))
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


def _compare(
    option: str, there: Iterable[tuple[str, str]], here: Iterable[tuple[str, str]]
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
        if len(marks) == 1:
            counts["more" if "here" in marks else "fewer"] += 1
        elif marks["there"] != marks["here"]:
            counts["changed"] += 1
        else:
            continue
        example = example or name
    words = ", ".join(f"{count} {kind}" for kind, count in counts.items() if count)
    if not words:
        return []
    noun = " file " if words.startswith("1 ") else " files "
    return [f"{option}: {words.replace(' ', noun, 1)}, such as {_shown(example)}"]


def _shown(value: Value) -> str:
    if value is None:
        return "none"
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    text = text if text.isprintable() and text else repr(text)
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}…"
