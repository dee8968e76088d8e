"""Parity figures as a table for people."""

from collections.abc import Mapping

from rich.console import Console
from rich.table import Table

from posegen_runtime.parity import GATES, ParityFigures

COLUMNS = ("images", "max", "mean", "PSNR dB", "worst dB")
INSIDE = ("inside max", "inside mean", "gate")

Measured = Mapping[str, Mapping[str, ParityFigures]]
"""Figures by precision and way to an image."""


def parity_table(groups: Mapping[str, Measured], against: str = "PyTorch") -> None:
    """Print one row for each model (key, may be empty), precision and way to an image.

    `against` is what made the images that all were compared with. SSIM is a column where it was
    measured.
    """
    rows = [
        (model, precision, way, figures)
        for model, measured in groups.items()
        for precision, ways in measured.items()
        for way, figures in ways.items()
    ]
    ssim = any(figures.ssim is not None for *_, figures in rows)
    table = Table(title=f"Against {against}, in levels of 255; the worse of image and silhouette")
    if any(groups):
        table.add_column("model", no_wrap=True)
    table.add_column("precision")
    table.add_column("graphs")
    for column in (*COLUMNS, *(("SSIM",) if ssim else ()), *INSIDE):
        table.add_column(column, justify="right")
    for model, precision, way, figures in rows:
        labels = [*([model] if any(groups) else []), precision, way]
        table.add_row(*labels, *_cells(precision, figures, ssim))
    Console(width=None if Console().is_terminal else 160).print(table)


def _cells(precision: str, f: ParityFigures, ssim: bool) -> list[str]:
    similarity = "" if f.ssim is None else f"{f.ssim:.4f}"
    return [
        str(f.images),
        f"{f.max_difference:g}",
        f"{f.mean_difference:.5f}",
        f"{f.psnr:.1f}",
        f"{f.psnr_worst:.1f}",
        *([similarity] if ssim else []),
        f"{f.silhouette.max_difference:g}",
        f"{f.silhouette.mean_difference:.5f}",
        "missed" if GATES[precision].missed(f) else "ok",
    ]
