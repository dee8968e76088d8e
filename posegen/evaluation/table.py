"""An evaluation as tables for people."""

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from posegen.evaluation.bins import Bin
from posegen.evaluation.figures import FIGURES, Figure, Result

NONE = "-"
WIDTH = 130
BIN_FIGURES = {
    "pose_iou": "IoU",
    "pose_iou_of_ceiling": "/ real",
    "heading_median": "heading °",
    "heading_reversed": "> 90°",
    "background_psnr": "PSNR dB",
    "colour_error": "colour ΔE",
    "sharpness_of_real": "sharpness",
    "nearest_of_real": "nearest",
}
BIN_CONTROLS = {"heading_reversed": ("real", "> 90° real"), "colour_error": ("control", "flat ΔE")}


def print_figures(results: dict[str, Result], title: str) -> None:
    """One row for each figure: generated images with interval, real photos, control, target."""
    table = Table(box=SIMPLE_HEAD)
    table.add_column("", no_wrap=True)
    for name in ("generated", "95 %", "real"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("control")
    table.add_column("target")
    for name, result in results.items():
        table.add_row(FIGURES[name].label, *figure_cells(FIGURES[name], result))
    print(title)
    _print(table)


def print_bins(bins: dict[str, list[Bin]]) -> None:
    """One table for each kind of bins, a row a bin."""
    for kind, rows in bins.items():
        if not rows:
            continue
        table = Table(box=SIMPLE_HEAD)
        table.add_column(kind, no_wrap=True)
        table.add_column("images", justify="right")
        for heading in bin_headings():
            table.add_column(heading, justify="right", no_wrap=True)
        for row in rows:
            table.add_row(row.label, str(row.images), *bin_cells(row))
        _print(table)


def bin_headings() -> list[str]:
    """Of `bin_cells`."""
    headings = []
    for name, heading in BIN_FIGURES.items():
        headings.append(heading)
        if name in BIN_CONTROLS:
            headings.append(BIN_CONTROLS[name][1])
    return headings


def bin_cells(row: Bin) -> list[str]:
    """A bin's figures as text."""
    cells = []
    for name in BIN_FIGURES:
        result = row.figures[name]
        cells.append(_number(FIGURES[name], result.value))
        if name in BIN_CONTROLS:
            cells.append(_number(FIGURES[name], getattr(result, BIN_CONTROLS[name][0])))
    return cells


def figure_cells(figure: Figure, result: Result) -> list[str]:
    """A figure as text: generated, interval, real, control, target."""
    if result.value is None:
        return [NONE, NONE, NONE, result.missing, _target(result)]
    span = f"{_number(figure, result.low)} … {_number(figure, result.high)}"
    control = f"{NONE} ({result.control_missing})" if result.control_missing else NONE
    if result.control is not None:
        control = f"{_number(figure, result.control)} {result.control_is}"
    return [
        _number(figure, result.value),
        span if result.low is not None else NONE,
        _number(figure, result.real),
        control,
        _target(result),
    ]


def _target(result: Result) -> str:
    if not result.target:
        return NONE
    return f"{result.target}: " + {True: "met", False: "missed", None: "not measured"}[result.met]


def _number(figure: Figure, value: float | None) -> str:
    if value is None:
        return NONE
    if figure.percent:
        return f"{100 * value:.{figure.digits}f} %"
    return f"{value:.{figure.digits}f}"


def _print(table: Table) -> None:
    # A file or a pipe has no width of its own; without one nothing is cut.
    Console(width=None if Console().is_terminal else WIDTH).print(table)
