"""Which silhouettes stand for a data set: a seeded choice, stratified by area, position and, where
it is known, heading.

A plain random draw from a drive is mostly the car in the middle of the frame. The extremes (far,
near, at the border) are where ranges are set and where a broken graph shows, so every stratum gives
one mask before any gives a second.
"""

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

BINS = (4, 3, 2)
"""Cells along area (on a logarithmic scale), x and y."""
SECTORS = 8
"""Parts of the circle, one of them around straight ahead."""


def describe(mask: npt.NDArray[np.uint8]) -> tuple[float, float, float]:
    """(area, center_x, center_y) of a silhouette as shares of the image.

    `mask` is uint8 [H, W], above 127 inside. Positions are those of the bounding box's centre.
    Raises ValueError when the mask is empty.
    """
    inside = mask > 127
    rows = np.flatnonzero(inside.any(axis=1))
    columns = np.flatnonzero(inside.any(axis=0))
    if not len(rows):
        raise ValueError("an empty mask has no position")
    height, width = mask.shape
    center_x = (columns[0] + columns[-1] + 1) / 2 / width
    center_y = (rows[0] + rows[-1] + 1) / 2 / height
    return float(inside.mean()), float(center_x), float(center_y)


def choose(masks: Iterable[npt.NDArray[np.uint8]], count: int, seed: int) -> list[int]:
    """Indices of at most `count` of `masks`, in ascending order; empty masks are never chosen.

    `masks` is read once, one mask at a time. See `choose_described`.
    """
    kept, features = [], []
    for index, mask in enumerate(masks):
        if (mask > 127).any():
            kept.append(index)
            features.append(describe(mask))
    return [kept[row] for row in choose_described(features, count, seed)]


def choose_described(
    features: Sequence[tuple[float, float, float]],
    count: int,
    seed: int,
    headings: Sequence[float | None] | None = None,
) -> list[int]:
    """Indices of at most `count` of what `describe` said of each mask, in ascending order.

    The strata are the cells of a regular grid between the smallest and the largest area, x and y
    that occur, so a cell with one rare mask counts as much as one with a thousand. `headings`,
    azimuths of the camera in radians where they are known, split each cell by `SECTORS`. The same
    features, count and seed give the same indices.
    """
    generator = np.random.default_rng(seed)
    sectors = [_sector(heading) for heading in headings or [None] * len(features)]
    cells = _strata(np.array(features).reshape(-1, 3), sectors)
    strata = [generator.permutation(s) for s in cells]
    order = generator.permutation(len(strata))
    chosen: list[int] = []
    for turn in range(max((len(s) for s in strata), default=0)):
        chosen.extend(int(strata[s][turn]) for s in order if turn < len(strata[s]))
    return sorted(chosen[:count])


def _sector(heading: float | None) -> int:
    if heading is None:
        return -1
    return int(heading / (2 * np.pi) * SECTORS + 0.5) % SECTORS


def _strata(
    features: npt.NDArray[np.float64], sectors: Sequence[int]
) -> list[npt.NDArray[np.intp]]:
    """Split the rows of `features` [M, 3] by the grid cell and the sector they fall into."""
    if not len(features):
        return []
    scaled = features.copy()
    scaled[:, 0] = np.log(scaled[:, 0])
    low, high = scaled.min(axis=0), scaled.max(axis=0)
    share = (scaled - low) / np.maximum(high - low, 1e-9)
    bins = np.array(BINS)
    cells = np.minimum((share * bins).astype(int), bins - 1)
    groups: dict[tuple[int, ...], list[int]] = {}
    for row, (cell, sector) in enumerate(zip(cells.tolist(), sectors, strict=True)):
        groups.setdefault((*cell, sector), []).append(row)
    return [np.array(groups[cell], dtype=np.intp) for cell in sorted(groups)]
