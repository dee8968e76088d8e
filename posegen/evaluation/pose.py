"""Pose: does the object lie where the mask asked for it?"""

import cv2
import numpy as np
from numpy.typing import NDArray

from posegen.data.prepared import Pixels


def resized_masks(masks: Pixels, size: int) -> NDArray[np.bool_]:
    """Silhouettes uint8 [N, S, S] in {0, 255} → bool [N, size, size]: more than half covered."""
    resized = [cv2.resize(mask, (size, size), interpolation=cv2.INTER_AREA) for mask in masks]
    return np.stack(resized) > 127


def iou(found: NDArray[np.bool_], asked: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Intersection over union of masks bool [N, H, W], one value each [N].

    NaN where the asked mask is empty: then there is no pose to show.
    """
    intersection = (found & asked).sum(axis=(1, 2))
    union = (found | asked).sum(axis=(1, 2))
    return np.where(asked.any(axis=(1, 2)), intersection / np.maximum(union, 1), np.nan)
