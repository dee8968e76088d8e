"""Parity figures as a table for people."""

from collections.abc import Mapping

from rich.console import Console
from rich.table import Table

from posegen_runtime.parity import GATES, ParityFigures

COLUMNS = ("images", "max", "mean", "PSNR dB", "worst dB", "inside max", "inside mean", "gate")


def parity_table(groups: Mapping[str, Mapping[str, ParityFigures]]) -> None:
    """Print one row for each model (key, may be empty) and way to an image."""
    table = Table(title="Against PyTorch, in levels of 255; the worse of image and silhouette")
    if any(groups):
        table.add_column("model", no_wrap=True)
    table.add_column("graphs")
    for column in COLUMNS:
        table.add_column(column, justify="right")
    for model, figures in groups.items():
        for way, f in figures.items():
            table.add_row(*([model] if any(groups) else []), way, *_cells(f))
    Console(width=None if Console().is_terminal else 160).print(table)


def _cells(f: ParityFigures) -> list[str]:
    return [
        str(f.images),
        f"{f.max_difference:g}",
        f"{f.mean_difference:.5f}",
        f"{f.psnr:.1f}",
        f"{f.psnr_worst:.1f}",
        f"{f.silhouette.max_difference:g}",
        f"{f.silhouette.mean_difference:.5f}",
        "missed" if GATES["fp32"].missed(f) else "ok",
    ]
