"""Which masks lie outside the range that the model saw in training."""

from collections.abc import Mapping

import cv2
import numpy as np
import numpy.typing as npt


def measure(mask: npt.NDArray[np.uint8]) -> dict[str, float]:
    """Area, centre and aspect of a silhouette, uint8 [H, W] in {0, 255}, not empty.

    `area`, `center_x` and `center_y` (of the silhouette's box) are shares of the image; `aspect`
    is width / height of the box in pixels. As in `bundle.Manifest.mask_range`.
    """
    height, width = mask.shape
    left, top, box_width, box_height = cv2.boundingRect(mask)
    return {
        "area": cv2.countNonZero(mask) / mask.size,
        "center_x": (left + box_width / 2) / width,
        "center_y": (top + box_height / 2) / height,
        "aspect": box_width / box_height,
    }


def outside(mask: npt.NDArray[np.uint8], ranges: Mapping[str, tuple[float, float]]) -> list[str]:
    """Names of the measures of `mask` that lie outside `ranges`."""
    measures = measure(mask)
    return [
        name
        for name, (low, high) in ranges.items()
        if name in measures and not low <= measures[name] <= high
    ]
