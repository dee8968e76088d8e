"""Training images without a model: objects laid over empty scenes."""

import cv2
import numpy as np
from numpy.typing import NDArray

from posegen.experiments.usefulness.renders import Pixels

_SOFT = 0.6
"""Blur of a cut-out's edge, pixels."""
_MIRROR = cv2.BORDER_REFLECT_101


def over(objects: Pixels, cover: Pixels, scenes: Pixels) -> Pixels:
    """Objects on black [N, S, S, 3] that cover a share [N, S, S] of each pixel, over scenes."""
    open_ = 1 - cover[..., None].astype(np.float32) / 255
    return np.clip(np.rint(objects + scenes * open_), 0, 255).astype(np.uint8)


def cut_and_paste(
    image: Pixels, mask: Pixels, scene: Pixels, rng: np.random.Generator
) -> tuple[Pixels, Pixels]:
    """What `mask` [S, S] cuts out of `image` [S, S, 3], mirrored by chance, resized and put
    elsewhere, over `scene`: the image and its mask. The object stays within the picture."""
    if rng.random() < 0.5:
        image, mask = image[:, ::-1], mask[:, ::-1]
    matrix, moved = _place(np.ascontiguousarray(mask), rng)
    size = mask.shape[::-1]
    seen = cv2.warpAffine(np.ascontiguousarray(image), matrix, size, borderMode=_MIRROR)
    label = np.where(moved > 127, 255, 0).astype(np.uint8)
    cover = np.asarray(cv2.GaussianBlur(label, (0, 0), _SOFT), np.uint8)
    cut = np.rint(seen * (cover[..., None].astype(np.float32) / 255)).astype(np.uint8)
    return over(cut[None], cover[None], scene[None])[0], label


def _place(mask: Pixels, rng: np.random.Generator) -> tuple[NDArray[np.float64], Pixels]:
    """A change of size and place, [2, 3], and the mask moved by it."""
    side = len(mask)
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    if len(rows) == 0:
        return np.eye(2, 3), mask
    low = np.array([columns[0], rows[0]], float)
    extent = np.array([columns[-1], rows[-1]]) + 1 - low
    largest = min(1.4, (side - 2) / extent.max())
    scale = float(np.exp(rng.uniform(np.log(min(0.7, largest)), np.log(largest))))
    corner = rng.uniform(0, 1, 2) * (side - scale * extent)
    shift = corner - scale * low
    matrix = np.array([[scale, 0, shift[0]], [0, scale, shift[1]]])
    return matrix, np.asarray(cv2.warpAffine(mask, matrix, (side, side)), np.uint8)
