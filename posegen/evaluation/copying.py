"""Copying: which training photo does an object resemble most, and is it too near?"""

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from posegen.data.prepared import Pixels
from posegen.evaluation.samples import Order, Samples

SIDE = 32
READ = 64
"""Photos read at a time."""
BLOCK = 1024
"""Training photos compared at a time: 12 MB of them."""


@dataclass(frozen=True)
class TrainingPhotos:
    """What generated objects are compared with: `views` uint8 [M, 32 · 32 · 3] of `samples`."""

    samples: Samples
    views: Pixels

    def nearest(self, images: Pixels, masks: Pixels) -> tuple[NDArray[np.float64], Order]:
        """The most similar training photo for each object: its distance [N], and its row among
        `samples` [N], the first of equals.

        Images uint8 [N, S, S, 3], masks uint8 [N, S, S] in {0, 255}. Two objects are compared as
        their boxes show them, 32 × 32 px and black outside the silhouette: the distance is the
        root of the mean squared difference, in levels of 255. NaN for an empty mask.
        """
        wanted = object_views(images, masks)
        rows = np.zeros(len(wanted), np.int64)
        best = np.full(len(wanted), np.inf)
        left = wanted.astype(np.float32)
        for start in range(0, len(self.views), BLOCK):
            right = self.views[start : start + BLOCK].astype(np.float32)
            # |a - b|² without |a|², which is the same for every b.
            squares = (right**2).sum(axis=1) - 2 * left @ right.T
            row = squares.argmin(axis=1)
            found = squares[np.arange(len(row)), row]
            rows = np.where(found < best, start + row, rows)
            best = np.minimum(found, best)
        difference = left.astype(np.float64) - self.views[rows]
        distance = np.sqrt((difference**2).mean(axis=1))
        return np.where(masks.any(axis=(1, 2)), distance, np.nan), rows


def training_photos(
    samples: Samples, progress: Callable[[int], None] | None = None
) -> TrainingPhotos:
    """Of these samples, which are read once. `progress` gets how many were."""
    rows = np.arange(len(samples))
    views = np.empty((len(rows), SIDE * SIDE * 3), np.uint8)
    for start in range(0, len(rows), READ):
        part = rows[start : start + READ]
        views[part] = object_views(samples.photo(part), samples.mask(part))
        if progress is not None:
            progress(len(part))
    return TrainingPhotos(samples, views)


def object_views(images: Pixels, masks: Pixels) -> Pixels:
    """Objects alone: cut to the silhouette's box, black outside the silhouette, shrunk to 32 × 32
    px, uint8 [N, 32 · 32 · 3]; black where a mask is empty."""
    views = np.zeros((len(images), SIDE, SIDE, 3), np.uint8)
    for view, image, mask in zip(views, images, masks, strict=True):
        x, y, width, height = cv2.boundingRect(mask)
        if width:
            box = np.s_[y : y + height, x : x + width]
            alone = image[box] * (mask[box] > 0)[..., None]
            view[:] = cv2.resize(alone, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    return views.reshape(len(images), -1)
