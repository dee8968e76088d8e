"""Masks that are noise, pixel by pixel: golden sets hold one, to show that a graph reads its mask.

No object has such a silhouette, and its activations lie far outside those of any. INT8 holds for
the range that it was calibrated on, silhouettes, so its gate leaves that input out: scales wide
enough for it would leave few levels for everything else.
"""

import cv2
import numpy as np

NOISE = 1 / 3
"""Share of the image that parts thinner than 3 pixels cover in noise: half of the pixels are set,
and nearly all of them stand alone. An object far away, a pole or a wheel is thin too, but covers
little: the share is one of the image, so that no object is taken for noise."""


def is_noise(mask: np.ndarray) -> bool:
    """Whether a mask uint8 [H, W] in {0, 255} is noise. An empty one is not."""
    opened = cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    return cv2.countNonZero(mask) - cv2.countNonZero(opened) > NOISE * mask.size


def gated(mask: np.ndarray, precision: str) -> bool:
    """Whether the gate of `precision` counts the golden input with this mask."""
    return precision != "int8" or not is_noise(mask)
