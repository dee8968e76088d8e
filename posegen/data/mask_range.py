"""The range of silhouettes seen in training; a run says which of its masks lie outside."""

import numpy as np

from posegen.data.prepared import Pixels


def mask_range(masks: Pixels) -> dict[str, tuple[float, float]]:
    """Smallest and largest area, center_x, center_y and aspect over masks uint8 [M, H, W].

    Area and the centre of the silhouette's box are shares of the image, aspect is width / height
    of the box in pixels. Empty masks do not count; without any other the result is empty.
    """
    rows = [_measure(mask) for mask in masks if (mask > 127).any()]
    if not rows:
        return {}
    low, high = np.min(rows, axis=0), np.max(rows, axis=0)
    names = ("area", "center_x", "center_y", "aspect")
    return {name: (float(a), float(b)) for name, a, b in zip(names, low, high, strict=True)}


def _measure(mask: Pixels) -> tuple[float, float, float, float]:
    inside = mask > 127
    columns, rows = np.flatnonzero(inside.any(axis=0)), np.flatnonzero(inside.any(axis=1))
    x0, x1, y0, y1 = columns[0], columns[-1] + 1, rows[0], rows[-1] + 1
    height, width = mask.shape
    return (
        float(inside.mean()),
        float(x0 + x1) / 2 / width,
        float(y0 + y1) / 2 / height,
        float(x1 - x0) / float(y1 - y0),
    )
