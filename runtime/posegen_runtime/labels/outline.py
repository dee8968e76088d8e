"""The silhouette of a mesh before a camera, drawn triangle by triangle, and how it fits a mask."""

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from posegen_runtime.labels.opencv import Floats, View
from posegen_runtime.meshfile import Mesh

CELLS = 512
"""Along the longer side of what is drawn: what a triangle touches is covered, half a cell more."""
SMALL = 1.0
"""Triangles that reach over fewer cells are drawn as their corners."""
SLIM = 3.0
"""The outlines of triangles of fewer cells fill them; this is faster."""
_BITS = 4
"""Binary places of coordinates that OpenCV draws with."""
_NEAR = 1e-9


class Window(NamedTuple):
    """Part of an image, in pixels of the half convention."""

    left: float
    top: float
    right: float
    bottom: float


def project(points: Floats, view: View) -> Floats | None:
    """Points [N, 3] in metres as pixels [N, 2] of the half convention; None where one is behind
    the camera."""
    camera = points @ view.R.T + view.t
    if (camera[:, 2] <= _NEAR).any():
        return None
    image = camera @ view.K.T
    return np.asarray(image[:, :2] / image[:, 2:] + 0.5)


def outline_iou(mesh: Mesh, view: View, mask: NDArray[np.uint8], limits: Window) -> float:
    """IoU of the mesh's silhouette with a mask, uint8 [H, W] in {0, 255}, inside the limits that
    cut both; 0 where the mesh reaches behind the camera."""
    pixels = project(mesh.vertices, view)
    x, y, width, height = cv2.boundingRect(mask)
    if pixels is None or not width:
        return 0.0
    low = np.maximum(pixels.min(axis=0), limits[:2])
    high = np.minimum(pixels.max(axis=0), limits[2:])
    if (high <= low).any():
        return 0.0
    reach = 3 * max(width, height)  # an object far larger than its mask needs no more to be seen
    x0, y0 = (max(0, int(a), b - reach) for a, b in zip(np.floor(low), (x, y), strict=True))
    x1, y1 = np.ceil(high).astype(int).tolist()
    x0, y0 = min(x0, x), min(y0, y)
    x1 = max(min(x1, x + width + reach, mask.shape[1]), x + width)
    y1 = max(min(y1, y + height + reach, mask.shape[0]), y + height)
    part = mask[y0:y1, x0:x1] > 127
    drawn = _draw(pixels, mesh.faces, (x0, y0), (part.shape[0], part.shape[1]))
    columns, rows = np.arange(x0, x1) + 0.5, np.arange(y0, y1) + 0.5
    drawn[(rows < limits.top) | (rows > limits.bottom)] = False
    drawn[:, (columns < limits.left) | (columns > limits.right)] = False
    common = np.count_nonzero(part & drawn)
    return float(common / np.count_nonzero(part | drawn))


def _draw(
    pixels: Floats, faces: NDArray[np.int32], origin: tuple[int, int], size: tuple[int, int]
) -> NDArray[np.bool_]:
    """bool [size]: which pixels' centres are covered."""
    scale = CELLS / max(size)
    shape = np.ceil(np.array(size) * scale).astype(int)
    canvas = np.zeros(shape, np.uint8)
    far = 4.0 * CELLS  # fixed-point numbers end somewhere
    cells = np.clip((pixels - origin) * scale - 0.5, -far, far)
    corners = cells[faces]
    extent = np.ptp(corners, axis=1).max(axis=1)
    dots = np.rint(corners[extent < SMALL]).astype(np.int64).reshape(-1, 2)
    dots = dots[((dots >= 0) & (dots < shape[::-1])).all(axis=1)]
    canvas[dots[:, 1], dots[:, 0]] = 1
    fixed = np.rint(corners * 2**_BITS).astype(np.int32)
    slim = (extent >= SMALL) & (extent < SLIM)
    if slim.any():
        cv2.polylines(canvas, list(fixed[slim]), True, 1, shift=_BITS)
    for triangle in fixed[extent >= SLIM]:
        cv2.fillConvexPoly(canvas, triangle, 1, shift=_BITS)
    rows, columns = (
        np.minimum(((np.arange(length) + 0.5) * scale).astype(int), end - 1)
        for length, end in zip(size, shape.tolist(), strict=True)
    )
    return np.asarray(canvas[np.ix_(rows, columns)] > 0)
