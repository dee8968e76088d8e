"""Ranges on disk: readable JSON that may be moved to another machine and is never used stale."""

import contextlib
import math
from pathlib import Path
from typing import Any

import msgspec

from posegen_runtime.errors import PoseGenError
from posegen_runtime.paths import read_bytes, write_atomic

SCHEMA = 2


class Calibration(msgspec.Struct, frozen=True, kw_only=True):
    """What a calibration found. `key` says what it was measured on: the hashes of the model and of
    the data, and every option that changes the result. No path is in it."""

    key: dict[str, Any]
    counts: dict[str, int]
    """Samples, and the different masks and conditions among them."""
    ranges: dict[str, float]
    """By layer: the absolute value at which the activation that it reads is cut off."""
    engine: str = ""
    """What ran the model; for the reader, not part of the key."""
    schema: int = SCHEMA


def write_calibration(path: Path, calibration: Calibration) -> None:
    """Make `path` and its folder. Raises `PoseGenError` when the file cannot be written."""
    encoded = msgspec.json.format(msgspec.json.encode(calibration), indent=2)
    with contextlib.suppress(OSError):  # writing says what is wrong
        path.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(path, encoded + b"\n")


def read_calibration(path: Path, key: dict[str, Any]) -> Calibration:
    """The calibration in `path`, made for `key`.

    Raises `PoseGenError` when it is unreadable, holds a range that is negative or not finite, or
    is stale, and then names what differs.
    """
    try:
        held = msgspec.json.decode(read_bytes(path), type=Calibration)
    except (msgspec.DecodeError, msgspec.ValidationError, UnicodeDecodeError) as error:
        raise PoseGenError(
            f"--cache {path}: is no calibration ({error}); delete it or name another file"
        ) from error
    if held.schema != SCHEMA:
        raise PoseGenError(
            f"--cache {path}: has schema {held.schema}, this version reads {SCHEMA}; delete it"
        )
    wrong = [f"{n} {v:g}" for n, v in held.ranges.items() if not 0 <= v < math.inf]
    if wrong:
        raise PoseGenError(
            f"--cache {path}: a range is negative or not finite ({wrong[0]}); delete it"
        )
    names = [name for name in (*key, *held.key) if held.key.get(name) != key.get(name)]
    if names:
        differs = ", ".join(
            f"{name} ({_short(held.key.get(name))} there, {_short(key.get(name))} here)"
            for name in dict.fromkeys(names)
        )
        raise PoseGenError(
            f"--cache {path}: was measured on something else: {differs}; "
            "delete it, or name another file"
        )
    return held


def _short(value: object) -> str:
    text = "none" if value is None else str(value)
    return f"{text[:12]}…" if len(text) > 24 else text
