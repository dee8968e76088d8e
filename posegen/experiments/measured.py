"""What was measured of a row, kept in its folder: a repeated command does not measure it again."""

import math
from pathlib import Path

import msgspec
import numpy as np

from posegen.data.prepared import Pixels
from posegen.metrics.rows import Row
from posegen.metrics.values import Values
from posegen_runtime.errors import PoseGenError
from posegen_runtime.paths import write_atomic

SCHEMA = 2
"""Raised where the same images would get other figures, or the same figures other words."""
FILE = "score.json"
IMAGES, FOUND = "images.npy", "found.npy"


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """`of`: hash of all that the figures follow from. `values` by column, null: does not apply."""

    of: str
    row: Row
    values: dict[str, list[float | None]]

    def columns(self) -> dict[str, Values]:
        """float64 [N] by column, NaN where a value does not apply."""
        return {
            name: np.array([math.nan if each is None else each for each in column], np.float64)
            for name, column in self.values.items()
        }


def measured(of: str, row: Row, values: dict[str, Values]) -> Measured:
    columns = {
        name: [None if math.isnan(each) else float(each) for each in column]
        for name, column in values.items()
    }
    return Measured(of=of, row=row, values=columns)


def read_measured(folder: Path, of: str) -> Measured | None:
    """None where nothing was measured, or something else. Raises `PoseGenError` when unreadable."""
    file = folder / FILE
    if not file.is_file():
        return None
    try:
        held = msgspec.json.decode(file.read_bytes(), type=Measured)
    except (OSError, msgspec.DecodeError) as error:
        raise PoseGenError(f"{file}: unreadable ({error}); remove it to measure again") from None
    return held if held.of == of else None


def write_measured(folder: Path, content: Measured, images: Pixels, found: Pixels | None) -> None:
    """The figures come last and go first, so that what they belong to is there."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / FILE).unlink(missing_ok=True)
        np.save(folder / IMAGES, images)
        (folder / FOUND).unlink(missing_ok=True)
        if found is not None:
            np.save(folder / FOUND, found)
    except OSError as error:
        raise PoseGenError(
            f"{folder}: cannot be written ({error.strerror}); free space or name another --out"
        ) from None
    write_atomic(folder / FILE, msgspec.json.encode(content))


def read_pictures(folder: Path, name: str) -> Pixels | None:
    """`IMAGES` uint8 [K, S, S, 3] or `FOUND` uint8 [K, T, T]; None where there are none.

    Raises `PoseGenError` when unreadable.
    """
    file = folder / name
    if not file.is_file():
        return None
    try:
        return np.asarray(np.load(file, allow_pickle=False), np.uint8)
    except (OSError, ValueError, EOFError) as error:
        raise PoseGenError(f"{file}: unreadable ({error}); remove {FILE} beside it") from None
