"""The figures again, by where the object is seen from and how large it is."""

import msgspec
import numpy as np

from posegen.evaluation.figures import Result, results
from posegen.evaluation.measure import Columns
from posegen.evaluation.statistics import rows_of

YAW_BINS = 8
ELEVATION_EDGES = (10.0, 20.0)
AREA_BINS = 3


class Bin(msgspec.Struct, frozen=True, kw_only=True):
    """`label` names what is in it, `images` counts them."""

    label: str
    images: int
    figures: dict[str, Result]


def binned(columns: Columns) -> dict[str, list[Bin]]:
    """Bins by ``yaw``, ``elevation`` and ``area``; empty bins, and bins of what no sample has, are
    left out.

    Yaw: eight of 45°, the first centred on the front. Elevation: below 10°, to 20°, above. Area of
    the mask: thirds of the samples, labelled with the largest share of the image; thirds of one
    label are one bin.
    """
    kinds = {"yaw": _yaw(columns), "elevation": _elevation(columns), "area": _area(columns)}
    return {
        kind: [
            Bin(label=label, images=int(rows.sum()), figures=results(rows_of(columns, rows)))
            for label, rows in bins.items()
            if rows.any()
        ]
        for kind, bins in kinds.items()
    }


def _yaw(columns: Columns) -> dict[str, np.ndarray]:
    azimuth = columns["azimuth"]
    width = 360 / YAW_BINS
    nearest = np.round(azimuth / width) % YAW_BINS
    return {f"{i * width:g}°": nearest == i for i in range(YAW_BINS)}


def _elevation(columns: Columns) -> dict[str, np.ndarray]:
    elevation = columns["elevation"]
    low, high = ELEVATION_EDGES
    return {
        f"< {low:g}°": elevation < low,
        f"{low:g}–{high:g}°": (elevation >= low) & (elevation < high),
        f"≥ {high:g}°": elevation >= high,
    }


def _area(columns: Columns) -> dict[str, np.ndarray]:
    area = columns["area"]
    order = np.argsort(np.argsort(area, kind="stable"), kind="stable")
    thirds = order * AREA_BINS // len(area)
    bins: dict[str, np.ndarray] = {}
    for rows in (thirds == i for i in range(AREA_BINS)):
        if rows.any():
            label = f"≤ {100 * area[rows].max():.1f} %"
            bins[label] = bins.get(label, False) | rows
    return bins
