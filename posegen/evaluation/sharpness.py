"""Sharpness: has the object as much detail as a photo of it?"""

import cv2
import numpy as np
from numpy.typing import NDArray

from posegen.data.prepared import Pixels

LUMA = np.array([0.299, 0.587, 0.114], np.float32)
MARGIN = 64
"""The silhouette is shrunk by 1/64 of the image's side, so that its own edge does not count."""


def sharpness(images: Pixels, masks: Pixels) -> NDArray[np.float64]:
    """Mean gradient magnitude of the luma inside the shrunk silhouette, levels a pixel, [N].

    Luma is Y' = 0.299 R + 0.587 G + 0.114 B; the gradient has the central differences
    (Y'[x+1] - Y'[x-1]) / 2, and the same in y; its magnitude is their Euclidean norm. NaN where
    nothing is left of the silhouette. Noise counts as detail.
    """
    luma = images.astype(np.float32) @ LUMA
    down, across = np.gradient(luma, axis=(1, 2))
    inside = np.stack([_shrunk(mask) for mask in masks])
    count = inside.sum(axis=(1, 2))
    total = np.where(inside, np.hypot(down, across), 0).sum(axis=(1, 2), dtype=np.float64)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _shrunk(mask: Pixels) -> NDArray[np.bool_]:
    """At least one pixel is taken off, also where the image cuts the object."""
    margin = max(1, round(mask.shape[0] / MARGIN))
    kernel = np.ones((2 * margin + 1, 2 * margin + 1), np.uint8)
    return cv2.erode(mask, kernel, borderType=cv2.BORDER_CONSTANT, borderValue=0) > 0
