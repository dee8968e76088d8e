"""From one value for each image to one figure, and how sure it is."""

from collections.abc import Callable

import numpy as np

from posegen.evaluation.measure import Columns

Statistic = Callable[[Columns], float]
"""NaN where the columns hold no value to take it from."""

DRAWS = 1000
LEVEL = 95
"""Percent of the draws inside an interval."""
MIN_OBJECTS = 10
"""With fewer objects than that, images are drawn instead of objects."""


def mean(name: str) -> Statistic:
    return lambda columns: _of(columns, name, lambda values: float(values.mean()))


def median(name: str) -> Statistic:
    return lambda columns: _of(columns, name, lambda values: float(np.median(values)))


def share_above(name: str, limit: float) -> Statistic:
    return lambda columns: _of(columns, name, lambda values: float((values > limit).mean()))


def share_below(name: str, limit: float) -> Statistic:
    return lambda columns: _of(columns, name, lambda values: float((values < limit).mean()))


def ratio(name: str, base: str) -> Statistic:
    """Ratio of the means."""

    def divide(columns: Columns) -> float:
        below = mean(base)(columns)
        return mean(name)(columns) / below if below > 0 else float("nan")

    return divide


def _of(columns: Columns, name: str, reduce: Callable[[np.ndarray], float]) -> float:
    values = columns.get(name, np.empty(0))
    values = values[~np.isnan(values)]
    return reduce(values) if len(values) else float("nan")


def rows_of(columns: Columns, rows: np.ndarray) -> Columns:
    """Those rows, positions or bool, of every column."""
    return {name: values[rows] for name, values in columns.items()}


def intervals(
    statistics: dict[str, Statistic], columns: Columns, seed: int
) -> dict[str, tuple[float, float]]:
    """Bootstrap percentile intervals (`LEVEL` %) of each statistic; NaN where it has no value.

    Whole objects are drawn, with all their images, because images of one car err alike.
    """
    count = len(columns["object"])
    units = columns["object"] if len(np.unique(columns["object"])) >= MIN_OBJECTS else range(count)
    members = np.unique(np.asarray(units), return_inverse=True)[1]
    rows = [np.flatnonzero(members == unit) for unit in range(members.max() + 1)]
    generator = np.random.default_rng([seed, 3])
    draws: dict[str, list[float]] = {name: [] for name in statistics}
    for _ in range(DRAWS):
        drawn = generator.integers(len(rows), size=len(rows))
        sample = rows_of(columns, np.concatenate([rows[unit] for unit in drawn]))
        for name, statistic in statistics.items():
            draws[name].append(statistic(sample))
    return {name: _percentiles(values) for name, values in draws.items()}


def _percentiles(draws: list[float]) -> tuple[float, float]:
    if np.isnan(draws).all():
        return float("nan"), float("nan")
    tail = (100 - LEVEL) / 2
    low, high = np.nanpercentile(draws, [tail, 100 - tail])
    return float(low), float(high)
