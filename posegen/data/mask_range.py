"""The range of silhouettes seen in training; a run says which of its masks lie outside."""

import numpy as np

from posegen.data.prepared import Pixels
from posegen_runtime.mask_range import measure


def mask_range(masks: Pixels) -> dict[str, tuple[float, float]]:
    """Smallest and largest value of each of `measure`'s figures over masks uint8 [M, H, W] in
    {0, 255}. Empty masks do not count; without any other the result is empty."""
    measures = [measure(np.asarray(mask)) for mask in masks if mask.any()]
    if not measures:
        return {}
    return {
        name: (min(values), max(values))
        for name in measures[0]
        for values in [[each[name] for each in measures]]
    }
