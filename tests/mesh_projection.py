"""Projects and rasterises meshes by the definitions and nothing else.

Tests hold silhouettes, poses and cameras against this. Frames are OpenCV's, pixel centres integer:
the centre of the first pixel is (0, 0).
"""

import numpy as np


def project(points: np.ndarray, R: np.ndarray, t: np.ndarray, K: np.ndarray) -> np.ndarray:
    """Points [n, 3] → pixels [n, 2]."""
    image = (points @ np.reshape(R, (3, 3)).T + np.ravel(t)) @ np.reshape(K, (3, 3)).T
    return image[:, :2] / image[:, 2:]


def rasterise(
    vertices: np.ndarray,
    faces: np.ndarray,
    R: np.ndarray,
    t: np.ndarray,
    K: np.ndarray,
    size: tuple[int, int],
) -> np.ndarray:
    """Silhouette uint8 {0, 255} of (height, width): set where a pixel's centre lies in a
    triangle. All vertices must lie in front of the camera."""
    height, width = size
    mask = np.zeros(size, np.uint8)
    triangles = project(vertices, R, t, K)[faces]
    lows = np.maximum(np.ceil(triangles.min(axis=1)), 0).astype(int)
    highs = np.minimum(np.floor(triangles.max(axis=1)), (width - 1, height - 1)).astype(int)
    for index in np.flatnonzero((lows <= highs).all(axis=1)):
        corners, low, high = triangles[index], lows[index], highs[index]
        x, y = np.meshgrid(np.arange(low[0], high[0] + 1), np.arange(low[1], high[1] + 1))
        sides = [
            (b[0] - a[0]) * (y - a[1]) - (b[1] - a[1]) * (x - a[0])
            for a, b in zip(corners, np.roll(corners, -1, axis=0), strict=True)
        ]
        inside = np.all([s >= 0 for s in sides], axis=0) | np.all([s <= 0 for s in sides], axis=0)
        mask[low[1] : high[1] + 1, low[0] : high[0] + 1][inside] = 255
    return mask


def mismatch(mask: np.ndarray, raster: np.ndarray) -> float:
    """Pixels that differ as a share of the raster's outline: about half the length of a shift in
    pixels, 0 for the same camera. A raster that misses the image counts as 1."""
    inside = raster > 0
    if not inside.any():
        return 1.0
    padded = np.pad(inside, 1)
    core = padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
    return float(((mask > 0) != inside).sum() / (inside & ~core).sum())


def offset_between(mask: np.ndarray, raster: np.ndarray) -> np.ndarray:
    """How far (x, y) the mask's centroid lies from the raster's, in pixels."""
    centres = [np.array([index.mean() for index in np.nonzero(image)[::-1]])
               for image in (mask, raster)]  # fmt: skip
    return centres[0] - centres[1]


EXACT = 0.02
"""Largest mismatch of a silhouette that was made with the camera and pose given: OpenGL places
vertices on a grid of 1/256 pixel. A shift of a quarter pixel gives 0.1 and more."""
