"""A table of values, one row an image: the CSV files that figures are taken from, and kept in."""

import csv
import io
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from posegen_runtime.errors import PoseGenError
from posegen_runtime.paths import read_bytes, write_atomic

Values = NDArray[np.float64]

ISIM, IOU, OBJECT = "isim", "iou", "object"
RANGES = {ISIM: (-1.0, 1.0), IOU: (0.0, 1.0)}
ROUNDING = 1e-3
"""A cosine of float32 vectors may exceed 1 by rounding, never by that."""
_COLUMN = re.compile(rf"({ISIM}|{IOU})(?:_(.+))?")


@dataclass(frozen=True)
class ImageTable:
    """`models` holds by model the columns `isim` and `iou`, one of them or both, float64 [M], NaN
    where a value does not apply. `objects` int64 [M]: images of one number show the same object.
    """

    models: dict[str, dict[str, Values]]
    objects: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.objects)


def read_values(path: Path) -> ImageTable:
    """Read the columns `isim_MODEL` and `iou_MODEL`, `isim` and `iou` of a nameless model; a column
    `object` says which images show the same one. Others are passed over, an empty cell is NaN.

    Raises `PoseGenError` for a file that is no such table, and for a cell that is no number of the
    column's range.
    """
    header, rows = _cells(path)
    models: dict[str, dict[str, Values]] = {}
    for index, name in enumerate(header):
        if match := _COLUMN.fullmatch(name):
            kind, model = match[1], match[2] or ""
            models.setdefault(model, {})[kind] = _column(path, header, rows, index, RANGES[kind])
    if not models:
        raise PoseGenError(
            f"{path}: no column named isim_MODEL or iou_MODEL; "
            "name a table with one row an image and those columns"
        )
    labels = [row[header.index(OBJECT)] for row in rows] if OBJECT in header else range(len(rows))
    return ImageTable(models, np.unique(np.array(labels), return_inverse=True)[1].astype(np.int64))


def write_values(path: Path, names: Sequence[str], columns: Mapping[str, Values]) -> None:
    """Write `path`: a column `path` of `names`, then the `columns`; NaN becomes an empty cell."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["path", *columns])
    for name, *row in zip(names, *columns.values(), strict=True):
        writer.writerow([name, *("" if math.isnan(value) else f"{value:.7g}" for value in row)])
    write_atomic(path, text.getvalue().encode())


def _cells(path: Path) -> tuple[list[str], list[list[str]]]:
    try:
        text = read_bytes(path).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise PoseGenError(f"{path}: no text in UTF-8; name a CSV file") from None
    try:
        rows = [row for row in csv.reader(io.StringIO(text, newline=""), strict=True) if row]
    except csv.Error as error:
        raise PoseGenError(f"{path}: no readable CSV ({error}); write it again") from None
    if len(rows) < 2:
        raise PoseGenError(f"{path}: no rows of images; name a CSV file with a header and values")
    header, *values = rows
    if twice := {name for name in header if header.count(name) > 1}:
        raise PoseGenError(f"{path}: the column {min(twice)} stands there twice; name each once")
    for number, row in enumerate(values, start=1):
        if len(row) != len(header):
            raise PoseGenError(
                f"{path}: image {number} has {len(row)} cells where the header names "
                f"{len(header)}; write the file again"
            )
    return header, values


def _column(
    path: Path, header: list[str], rows: list[list[str]], index: int, limits: tuple[float, float]
) -> Values:
    column = np.full(len(rows), np.nan)
    low, high = limits
    for number, row in enumerate(rows):
        if not row[index].strip():
            continue
        try:
            value = float(row[index])
        except ValueError:
            value = math.nan
        if not low - ROUNDING <= value <= high + ROUNDING:
            raise PoseGenError(
                f"{path}: image {number + 1}, {header[index]}: {row[index]!r} is no number in "
                f"[{low:g}, {high:g}]; leave the cell empty where there is no value"
            )
        column[number] = value
    return column
