"""The paper's Figure 6: similarity against IoU, an image a point, with both distributions."""

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure, SubFigure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from posegen.evaluation.statistics import intervals
from posegen.metrics.analysis import HISTOGRAM_BINS, correlation, histogram
from posegen.metrics.estimate import Estimate, estimate
from posegen.metrics.values import IOU, ISIM, OBJECT, ImageTable, Values
from posegen.plots import POINTS, plain_style, png, svg
from posegen_runtime.errors import PoseGenError
from posegen_runtime.paths import write_atomic
from posegen_runtime.report.text import escape

SIMILARITY = "I_sim"
WIDTH, HEIGHT, HEAD = 4.4, 4.0, 0.55
"""Inches of a panel, and of the title above it."""
WRAP = 52
"""Letters in a line of a title."""
STEP = 0.05
"""The similarity's axis begins and ends at multiples of it."""


@dataclass(frozen=True)
class Panel:
    """One model: `iou` and `similarity` float64 [M] of the images that have both, and Pearson's
    `correlation` of them."""

    title: str
    iou: Values
    similarity: Values
    correlation: Estimate

    @property
    def caption(self) -> str:
        found = self.correlation
        known = found.value is not None and found.low is not None and found.high is not None
        r = f"r = {found.value:.2f}" if known else "r unavailable: one of them does not vary"
        span = f" ({found.low:.2f} … {found.high:.2f})" if known else ""
        zero = 100 * np.mean(self.iou == 0)
        return f"{r}{span}, {len(self.iou)} images, IoU 0 in {zero:.1f}%"


def panel(
    title: str, similarity: str, values: Mapping[str, Values], objects: NDArray[np.int64]
) -> Panel | None:
    """Of the column `similarity` and IoU, by image; None where no image has both."""
    if not {similarity, IOU} <= values.keys():
        return None
    both = ~(np.isnan(values[IOU]) | np.isnan(values[similarity]))
    if not both.any():
        return None
    columns = {
        OBJECT: objects[both].astype(np.float64),
        IOU: values[IOU][both],
        similarity: values[similarity][both],
    }
    pearson = correlation(similarity, IOU)
    span = intervals({"r": pearson}, columns, seed=0)["r"]
    return Panel(title, columns[IOU], columns[similarity], estimate(pearson(columns), span))


def panels_of(table: ImageTable) -> list[Panel]:
    """Of the models that have I_sim and IoU."""
    found = [panel(name, ISIM, values, table.objects) for name, values in table.models.items()]
    return [each for each in found if each is not None]


def write_scatter(path: Path, source: Path, table: ImageTable) -> None:
    """Write the figure of `table`, which was read from `source`, as a PNG file.

    Raises `PoseGenError` for another ending, and where no model has both columns.
    """
    if path.suffix.lower() != ".png":
        raise PoseGenError(f"{path}: the figure is a PNG; name a file that ends in .png")
    panels = panels_of(table)
    if not panels:
        raise PoseGenError(
            f"{source}: no model with values of both isim_MODEL and iou_MODEL; without them there "
            "is no figure"
        )
    write_atomic(path, scatter_png(panels))


def scatter_png(panels: Sequence[Panel], similarity: str = SIMILARITY) -> bytes:
    """All panels side by side, on the same axes, as a PNG file. `panels` is not empty."""
    across = min(len(panels), 2 if len(panels) <= 4 else 3)
    down = -(-len(panels) // across)
    with plain_style():
        figure = Figure(figsize=(across * WIDTH, down * (HEIGHT + HEAD)))
        parts = figure.subfigures(down, across, squeeze=False).ravel()
        for each, part in zip(panels, parts, strict=False):
            _draw(part, each, span_of(panels), similarity, HEAD / (HEIGHT + HEAD))
            lines = f"{textwrap.shorten(each.title, WRAP, placeholder=' …')}\n{each.caption}"
            part.text(0.5, 0.985, lines, ha="center", va="top")
        return png(figure)


def scatter_svg(
    panel: Panel, span: tuple[float, float], prefix: str, similarity: str = SIMILARITY
) -> str:
    """One panel for HTML, without a title. `span`: of the similarity's axis."""
    with plain_style():
        figure = Figure(figsize=(WIDTH, HEIGHT))
        _draw(figure, panel, span, similarity, 0)
        return svg(figure, escape(f"{similarity} against IoU: {panel.caption}"), prefix)


def span_of(panels: Sequence[Panel]) -> tuple[float, float]:
    """Lowest and highest similarity of all panels, on round numbers."""
    low = min(each.similarity.min() for each in panels)
    high = max(each.similarity.max() for each in panels)
    first, last = np.floor(low / STEP), np.ceil(high / STEP)
    return float(first * STEP), float(max(last, first + 1) * STEP)


def _draw(
    part: Figure | SubFigure,
    panel: Panel,
    span: tuple[float, float],
    similarity: str,
    head: float,
) -> None:
    """`head`: share of the height that is left free above."""
    grid = part.add_gridspec(
        2,
        2,
        width_ratios=(4, 1),
        height_ratios=(1, 4),
        left=0.15,
        right=0.96,
        bottom=0.125 * (1 - head),
        top=0.97 * (1 - head),
        wspace=0.06,
        hspace=0.06,
    )
    points = part.add_subplot(grid[1, 0])
    points.scatter(panel.iou, panel.similarity, s=14, c=POINTS, alpha=0.5, linewidths=0)
    points.set(xlim=(-0.03, 1.03), xlabel="IoU", ylabel=similarity)
    margin = 0.03 * (span[1] - span[0])
    points.set_ylim(span[0] - margin, span[1] + margin)
    points.grid(True)
    above = part.add_subplot(grid[0, 0], sharex=points)
    _bars(above.bar, panel.iou, (0.0, 1.0))
    above.yaxis.set_major_locator(MaxNLocator(2, integer=True))
    above.tick_params(labelbottom=False)
    beside = part.add_subplot(grid[1, 1], sharey=points)
    _bars(beside.barh, panel.similarity, span)
    # Its 0 would touch the last number of the points' axis.
    beside.xaxis.set_major_locator(MaxNLocator(2, integer=True, prune="lower"))
    beside.tick_params(labelleft=False)


def _bars(bars: Any, values: Values, span: tuple[float, float]) -> None:
    counted = histogram(values, span)
    width = (span[1] - span[0]) / HISTOGRAM_BINS
    bars(np.array(counted.edges[:-1]) + width / 2, counted.counts, 0.9 * width, color=POINTS)
