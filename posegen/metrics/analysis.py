"""What per-image values say and means do not: zeros, correlation, distributions (Figure 6)."""

import math
from collections.abc import Callable

import msgspec
import numpy as np

from posegen.evaluation.measure import Columns
from posegen.evaluation.statistics import Statistic, intervals, mean
from posegen.metrics.estimate import Estimate, estimate
from posegen.metrics.values import IOU, ISIM, OBJECT, ImageTable, Values

HISTOGRAM_BINS = 20


class Histogram(msgspec.Struct, frozen=True, kw_only=True):
    """`counts` of the images between neighbouring `edges`, of which there is one more."""

    edges: list[float]
    counts: list[int]


class Analysis(msgspec.Struct, frozen=True, kw_only=True):
    """One model. `iou_zero`: share of the images in which no object is found where it should be;
    `iou_rest`: mean IoU of the others. `correlation`: Pearson's, of I_sim with IoU."""

    images: int
    isim: Estimate
    iou: Estimate
    iou_zero: Estimate
    iou_rest: Estimate
    correlation: Estimate
    histograms: dict[str, Histogram]
    """By `isim` and `iou`; a column that holds no value has none."""


def analyse(table: ImageTable, seed: int = 0) -> dict[str, Analysis]:
    """By model, in the order of the columns."""
    return {name: _analysis(columns, table, seed) for name, columns in table.models.items()}


def correlation(name: str, other: str) -> Statistic:
    """Pearson's, of the images that have both values; NaN where one of them does not vary."""

    def of(columns: Columns) -> float:
        x, y = columns.get(name, np.empty(0)), columns.get(other, np.empty(0))
        if len(x) != len(y):
            return math.nan
        both = ~(np.isnan(x) | np.isnan(y))
        x, y = x[both], y[both]
        # Values that differ by no more than rounding do not vary.
        if len(x) < 3 or min(np.ptp(x), np.ptp(y)) < 1e-9:
            return math.nan
        return float(np.corrcoef(x, y)[0, 1])

    return of


def _iou(reduce: Callable[[Values], Values]) -> Statistic:
    def of(columns: Columns) -> float:
        values = columns.get(IOU, np.empty(0))
        reduced = reduce(values[~np.isnan(values)])
        return float(reduced.mean()) if len(reduced) else math.nan

    return of


STATISTICS: dict[str, Statistic] = {
    "isim": mean(ISIM),
    "iou": mean(IOU),
    "iou_zero": _iou(lambda values: (values == 0).astype(np.float64)),
    "iou_rest": _iou(lambda values: values[values > 0]),
    "correlation": correlation(ISIM, IOU),
}


def _analysis(values: dict[str, Values], table: ImageTable, seed: int) -> Analysis:
    columns: Columns = {OBJECT: table.objects.astype(np.float64), **values}
    spans = intervals(STATISTICS, columns, seed)
    figures = {name: estimate(of(columns), spans[name]) for name, of in STATISTICS.items()}
    histograms = {name: _histogram(column) for name, column in values.items()}
    return Analysis(
        images=len(table),
        histograms={name: held for name, held in histograms.items() if held is not None},
        **figures,
    )


def _histogram(values: Values) -> Histogram | None:
    """Over [0, 1], which holds every IoU and nearly every I_sim; wider where values lie outside."""
    held = values[~np.isnan(values)]
    if len(held) == 0:
        return None
    return histogram(held, (min(0.0, float(held.min())), max(1.0, float(held.max()))))


def histogram(values: Values, span: tuple[float, float]) -> Histogram:
    """`HISTOGRAM_BINS` of them over `span`, which holds all `values`; none is NaN."""
    counts, edges = np.histogram(values, HISTOGRAM_BINS, span)
    return Histogram(edges=edges.tolist(), counts=counts.tolist())
