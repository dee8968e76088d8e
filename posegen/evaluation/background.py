"""Background: is the scene outside the silhouette the one that was given?"""

import numpy as np
from numpy.typing import NDArray

from posegen.data.prepared import Pixels

LIMIT = 100.0
"""dB of an image without any difference, where the logarithm has no value."""


def psnr_outside(images: Pixels, backgrounds: Pixels, masks: Pixels) -> NDArray[np.float64]:
    """Peak signal-to-noise ratio in dB against the empty scene, over the pixels outside the mask.

    Images uint8 [N, S, S, 3], masks uint8 [N, S, S] in {0, 255}. Per image 10 log10(255² / MSE),
    MSE over pixels and channels, at most `LIMIT`; NaN where the mask covers everything.
    """
    outside = masks == 0
    difference = images.astype(np.float32) - backgrounds
    squares = (difference**2).mean(axis=3, dtype=np.float64)
    count = outside.sum(axis=(1, 2))
    error = (squares * outside).sum(axis=(1, 2)) / np.maximum(count, 1)
    ratio = 10 * np.log10(255**2 / np.maximum(error, 255**2 / 10 ** (LIMIT / 10)))
    return np.where(count > 0, ratio, np.nan)
