"""The table of an experiment as Markdown and CSV, and every image's values."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from posegen.experiments.results import Experiment, Table
from posegen.metrics.estimate import Estimate
from posegen.metrics.rows_table import columns_of, markdown, value_columns
from posegen.metrics.values import OBJECT, Values, write_values
from posegen_runtime.paths import write_atomic

_BAR = "\\|"


def table_markdown(experiment: Experiment) -> str:
    """The table, why figures are missing, and what else there is to say about rows."""
    results = experiment.results
    parts = [markdown([each.row for each in results], [each.group for each in results])]
    notes = [f"- {each.row.method}: {each.note}" for each in results if each.note]
    notes += [f"- {notice}" for notice in experiment.notices]
    return "\n\n".join([*parts, "\n".join(notes)] if notes else parts)


def further_markdown(table: Table) -> str:
    lines = [f"## {table.title}", "", *([table.text, ""] if table.text else [])]
    lines += [_line(table.headings), "|---" * len(table.headings) + "|"]
    return "\n".join([*lines, *map(_line, table.rows)])


def write_markdown(path: Path, experiment: Experiment) -> None:
    lines = [f"# {experiment.title}", "", table_markdown(experiment)]
    lines += [f"\n{further_markdown(each)}" for each in experiment.tables]
    if experiment.settings:
        lines += ["", "## How it was made", "", "| Setting | |", "|---|---|"]
        lines += map(_line, experiment.settings.items())
    write_atomic(path, ("\n".join(lines) + "\n").encode())


def write_table(path: Path, experiment: Experiment) -> None:
    """A line a row: its figures, each with both ends of its interval, empty where there is none;
    `missing` says why."""
    headings = columns_of([each.row for each in experiment.results])
    ends = ("", "_low", "_high")
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    figures = [f"{key}{end}" for key in headings for end in ends]
    writer.writerow(["key", "method", "group", "images", *figures, "missing", "note"])
    for result in experiment.results:
        cells: list[str] = []
        missing: list[str] = []
        for key, heading in headings.items():
            figure = result.row.figures.get(key, Estimate(value=None))
            numbers = (figure.value, figure.low, figure.high)
            cells += ["" if number is None else f"{number:.7g}" for number in numbers]
            missing += [f"{heading}: {figure.missing}"] if figure.missing else []
        name = [result.key, result.row.method, result.group, str(result.row.images)]
        writer.writerow([*name, *cells, "; ".join(missing), result.note])
    write_atomic(path, out.getvalue().encode())


def write_image_values(path: Path, experiment: Experiment) -> None:
    """As `posegen metrics analyse` reads it; a column `object` where the objects are known."""
    columns: dict[str, Values] = {}
    if experiment.objects is not None:
        columns[OBJECT] = experiment.objects.astype(float)
    for result in experiment.results:
        columns |= value_columns(result.row, dict(result.values))
    write_values(path, experiment.names, columns)


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(' '.join(cell.replace('|', _BAR).split()) for cell in cells)} |"
