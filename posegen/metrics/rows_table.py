"""Rows as the paper prints them: a Markdown table, a method a row, a metric a column."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from posegen.metrics.estimate import Estimate
from posegen.metrics.rows import GENUINE, UNAVAILABLE, Row
from posegen.metrics.values import IOU, Values, write_values
from posegen_runtime.paths import write_atomic

NONE = "-"
ORDER = ("is", "fid", "kid", "kid_subsets", IOU, "isim")
SURROGATES = {"frechet": "Fréchet distance", "kernel": "kernel distance", "cosine": "cosine"}


class RowTable:
    """Rows and their values for each image, whose `names` are the same in every row."""

    def __init__(self, names: Sequence[str]) -> None:
        self.rows: list[Row] = []
        self._names = names
        self._columns: dict[str, Values] = {}

    def add(self, row: Row, values: dict[str, Values]) -> None:
        """`values` by column, which gets the row's method into its name, as `isim_METHOD`."""
        self.rows.append(row)
        self._columns |= value_columns(row, values)

    def tell(self, notice: str, csv: Path | None, json: Path | None) -> None:
        """Print the table and `notice`; write the images' values and the rows, where asked to."""
        print(markdown(self.rows))
        if notice:
            print(f"\n{notice}")
        if csv is not None:
            write_values(csv, self._names, self._columns)
        if json is not None:
            write_atomic(json, msgspec.json.format(msgspec.json.encode(self.rows)) + b"\n")


def value_columns(row: Row, values: Mapping[str, Values]) -> dict[str, Values]:
    """`values` of a row by column of the table of all rows, as `metrics analyse` reads it."""
    method = row.method.replace(" ", "-")
    return {f"{key}_{method}": column for key, column in values.items()}


def columns_of(rows: Sequence[Row]) -> dict[str, str]:
    """The figures' keys that the rows hold, and their headings: the paper's first."""
    keys = list(dict.fromkeys(key for row in rows for key in row.figures))
    ordered = [key for key in ORDER if key in keys] + [key for key in keys if key not in ORDER]
    return {key: heading(key) for key in ordered}


def markdown(rows: Sequence[Row], groups: Sequence[str] = ()) -> str:
    """Values with 95 % intervals; below the table, why others are missing. `groups` name what each
    row belongs to; a line in the table says where another begins."""
    headings = columns_of(rows)
    cells = [["Method", "images", *headings.values()]]
    for index, row in enumerate(rows):
        if groups and (index == 0 or groups[index] != groups[index - 1]):
            cells.append([f"**{groups[index]}**", *[""] * (len(headings) + 1)])
        cells.append([row.method, str(row.images), *(_cell(row, key) for key in headings)])
    cells = [[cell.replace("|", "\\|") for cell in line] for line in cells]
    widths = [max(len(line[column]) for line in cells) for column in range(len(cells[0]))]
    cells.insert(1, ["-" * width for width in widths])
    lines = [
        [cell.ljust(width) for cell, width in zip(line, widths, strict=True)] for line in cells
    ]
    table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    reasons = missing(rows)
    return "\n".join([table, "", *(f"- {reason}" for reason in reasons)]) if reasons else table


def missing(rows: Sequence[Row]) -> list[str]:
    """Why figures are missing that the table shows as `NONE`."""
    headings = columns_of(rows)
    return list(
        dict.fromkeys(
            f"{headings[key]}: {row.figures[key].missing}"
            for row in rows
            for key in headings
            if key in row.figures and row.figures[key].missing not in ("", UNAVAILABLE)
        )
    )


def cell(row: Row, key: str) -> tuple[str, str]:
    """A figure and its interval as text; "" where it has no interval."""
    figure = row.figures.get(key, Estimate(value=None))
    if figure.value is None:
        return UNAVAILABLE if figure.missing == UNAVAILABLE else NONE, ""
    if figure.low is None or figure.high is None:
        return _number(figure.value), ""
    return _number(figure.value), f"{_number(figure.low)} … {_number(figure.high)}"


def _cell(row: Row, key: str) -> str:
    value, span = cell(row, key)
    return f"{value} ({span})" if span else value


def _number(value: float) -> str:
    return f"{value:.2f}" if abs(value) >= 10 else f"{value:.3f}"


def heading(key: str) -> str:
    """What people read for a figure's key."""
    if key == IOU:
        return "IoU"
    if key in GENUINE:
        return GENUINE[key]
    kind, _, extractor = key.partition("_")
    return f"{SURROGATES[kind]}, {extractor} features"
