"""Structural similarity (SSIM) of two images, pixel by pixel."""

import cv2
import numpy as np
import numpy.typing as npt

WINDOW, SIGMA = 11, 1.5
"""The Gaussian under which means and variances are taken, in pixels."""
C1, C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
"""The constants of the original definition, for levels."""

Values = npt.NDArray[np.float64]


def ssim_maps(images: npt.NDArray[np.uint8], reference: npt.NDArray[np.uint8]) -> Values:
    """SSIM at every pixel, [N, H, W] in [-1, 1], of two uint8 [N, H, W, 3].

    The mean of the three channels; at the border the image is mirrored.
    """
    return np.stack([_ssim_map(x, y) for x, y in zip(images, reference, strict=True)])


def _ssim_map(image: npt.NDArray[np.uint8], target: npt.NDArray[np.uint8]) -> Values:
    x, y = image.astype(np.float64), target.astype(np.float64)
    mean_x, mean_y = _blurred(x), _blurred(y)
    squares, product = mean_x**2 + mean_y**2, mean_x * mean_y
    variances = _blurred(x * x + y * y) - squares
    covariance = _blurred(x * y) - product
    luminance = (2 * product + C1) / (squares + C1)
    structure = (2 * covariance + C2) / (variances + C2)
    return np.asarray((luminance * structure).mean(axis=2))


def _blurred(image: Values) -> Values:
    blurred = cv2.GaussianBlur(image, (WINDOW, WINDOW), SIGMA, borderType=cv2.BORDER_REFLECT)
    return np.asarray(blurred, np.float64)
