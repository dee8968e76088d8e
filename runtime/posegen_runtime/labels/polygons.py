"""One polygon for one object, whatever its shape: holes and separate parts are bridged.

A YOLO-seg row is one polygon and one instance. Readers draw it with OpenCV's `fillPoly`, which
fills by the even-odd rule and draws every edge one pixel wide. So a contour through the centres of
the border pixels comes back exact, and a bridge that is walked there and back costs the pixels it
crosses and nothing else.
"""

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

Contour = npt.NDArray[np.int32]
"""Pixel coordinates x, y; [P, 2]."""

PARENT = 3
"""Column of OpenCV's contour hierarchy that holds the contour around this one, or -1."""

MAX_PIECES = 256
"""So many parts of a silhouette, and holes of a part, are bridged, the largest ones: with more of
them a mask is noise, and would take many seconds."""

MIN_IOU = 0.98
"""A polygon whose drawing overlaps the silhouette less than this is given up for one for each
separate part."""


def mask_to_polygons(mask: npt.NDArray[np.uint8]) -> list[Contour]:
    """Polygons of a silhouette, uint8 [H, W] with 255 on the object; none for an empty one.

    One polygon, as long as its drawing keeps an IoU of `MIN_IOU` with the silhouette. Specks whose
    bridge would be longer than they are large are left out within that limit. Where parts lie too
    far apart, one polygon for each, largest first.
    """
    parts = _parts(mask)
    if not parts:
        return []
    return [_simplify(polygon) for polygon in _join(parts, mask)]


def _join(parts: list[Contour], mask: npt.NDArray[np.uint8]) -> list[Contour]:
    whole = parts[0]
    for part in parts[1 : MAX_PIECES + 1]:
        joined = _bridge(whole, part)
        if _overlap(joined, mask) > _overlap(whole, mask):
            whole = joined
    return [whole] if _overlap(whole, mask) >= MIN_IOU else parts


def draw(polygons: Sequence[Contour], size: tuple[int, int]) -> npt.NDArray[np.uint8]:
    """The polygons drawn together as uint8 [H, W] in {0, 255}."""
    mask = np.zeros(size, np.uint8)
    for polygon in polygons:
        cv2.fillPoly(mask, [polygon], 255)
    return mask


def _parts(mask: npt.NDArray[np.uint8]) -> list[Contour]:
    """One polygon for each connected part, its holes bridged; the part with most pixels first."""
    binary = (mask > 127).astype(np.uint8)
    contours, hierarchy = cv2.findContours(binary, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    if not contours:
        return []
    flat = [contour.reshape(-1, 2).astype(np.int32) for contour in contours]
    tree = hierarchy.reshape(-1, 4)
    parts = []
    for index in np.flatnonzero(tree[:, PARENT] < 0):
        polygon = flat[index]
        holes = [flat[hole] for hole in np.flatnonzero(tree[:, PARENT] == index)]
        holes = sorted(holes, key=len, reverse=True)[:MAX_PIECES]
        # Nearest hole first, so that a bridge seldom crosses another hole.
        distances = [_closest(polygon, hole)[2] for hole in holes]
        for nearest in np.argsort(distances, kind="stable"):
            polygon = _bridge(polygon, holes[nearest])
        parts.append(polygon)
    return sorted(parts, key=lambda part: -np.count_nonzero(draw([part], mask.shape[:2])))


def _bridge(first: Contour, second: Contour) -> Contour:
    """Walk `first` to the point nearest to `second`, round `second`, back, and on."""
    i, j, _ = _closest(first, second)
    around = np.concatenate([second[j:], second[: j + 1]])
    return np.concatenate([first[: i + 1], around, first[i:]])


def _simplify(polygon: Contour) -> Contour:
    """Leave out the points that lie on the straight way between their neighbours."""
    first = polygon[:1]
    polygon = polygon[(polygon != np.roll(polygon, 1, axis=0)).any(axis=1)]
    if not len(polygon):
        return first
    before, after = polygon - np.roll(polygon, 1, axis=0), np.roll(polygon, -1, axis=0) - polygon
    turns = before[:, 0] * after[:, 1] != before[:, 1] * after[:, 0]
    returns = (before * after).sum(axis=1) < 0
    return polygon[turns | returns]


def _closest(first: Contour, second: Contour) -> tuple[int, int, int]:
    """Indices of the two nearest points, and their squared distance."""
    # |a - b|² = |a|² + |b|² - 2 a·b; whole numbers this small are exact in float64.
    a, b = first.astype(np.float64), second.astype(np.float64)
    apart = (a**2).sum(axis=1)[:, None] + (b**2).sum(axis=1) - 2 * (a @ b.T)
    i, j = np.unravel_index(int(apart.argmin()), apart.shape)
    return int(i), int(j), int(apart[i, j])


def _overlap(polygon: Contour, mask: npt.NDArray[np.uint8]) -> float:
    drawn, wanted = draw([polygon], mask.shape[:2]) > 0, mask > 127
    return float((drawn & wanted).sum() / (drawn | wanted).sum())
