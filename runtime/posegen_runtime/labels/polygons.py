"""One polygon for one object, whatever its shape: holes and separate parts are bridged.

A YOLO-seg row is one polygon and one instance. Readers draw it with OpenCV's `fillPoly`, which
fills by the even-odd rule and draws every edge one pixel wide. So a contour through the centres of
the border pixels comes back exact, and a bridge that is walked there and back costs the pixels it
crosses and nothing else.
"""

import math
from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

Contour = npt.NDArray[np.int32]
"""Pixel coordinates x, y; [P, 2]."""

PARENT = 3
"""Column of OpenCV's contour hierarchy that holds the contour around this one, or -1."""

MAX_PARTS = 32
MAX_HOLES = 128
"""No more parts of a silhouette than this are bridged, and no more holes of a part, the longest
first: with more of them a mask is noise, and bridges would take seconds."""

MAX_DISTANCES = 1_000_000
"""Between points of two contours, at once: 8 MB."""

SPECKS = 0.01
"""The smallest parts are left out, up to this share of the pixels."""

MIN_IOU = 0.98
"""A polygon whose drawing overlaps the silhouette less than this is given up for one for each
separate part."""


def mask_to_polygons(mask: npt.NDArray[np.uint8]) -> list[Contour]:
    """Polygons of a silhouette, uint8 [H, W] with 255 on the object; none for an empty one.

    One polygon, as long as its drawing keeps an IoU of `MIN_IOU` with the silhouette. Specks, and
    parts whose bridge would be longer than they are large, are left out within that limit. Where
    parts lie too far apart, one polygon for each, largest first.
    """
    binary = cv2.threshold(mask, 127, 255, cv2.THRESH_BINARY)[1]
    corners = cv2.findContours(binary, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)[0]
    if len(corners) == 1:  # mostly: one part without a hole, and nothing to bridge or weigh
        return [corners[0].reshape(-1, 2).astype(np.int32)]
    parts = _parts(binary.astype(np.uint8))
    if len(parts) > 1:
        parts = _join(_without_specks(parts, mask.shape[:2]), mask)
    return [_simplify(polygon) for polygon in parts]


def _join(parts: list[Contour], mask: npt.NDArray[np.uint8]) -> list[Contour]:
    """Bridge the parts into one polygon where that keeps `MIN_IOU`."""
    if len(parts) > MAX_PARTS:
        return parts
    whole, overlap = parts[0], _overlap(parts[0], mask)
    for part in parts[1:]:
        joined = _bridge(whole, part)
        gained = _overlap(joined, mask)
        if gained > overlap:
            whole, overlap = joined, gained
    return [whole] if overlap >= MIN_IOU else parts


def draw(polygons: Sequence[Contour], size: tuple[int, int]) -> npt.NDArray[np.uint8]:
    """The polygons drawn together as uint8 [H, W] in {0, 255}."""
    mask = np.zeros(size, np.uint8)
    for polygon in polygons:
        cv2.fillPoly(mask, [polygon], 255)
    return mask


def _parts(binary: npt.NDArray[np.uint8]) -> list[Contour]:
    """One polygon for each connected part, its holes bridged. `binary`: 0 is not object."""
    contours, hierarchy = cv2.findContours(binary, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    if not contours:
        return []
    flat = [contour.reshape(-1, 2).astype(np.int32) for contour in contours]
    tree = hierarchy.reshape(-1, 4)
    parts = []
    for index in np.flatnonzero(tree[:, PARENT] < 0):
        polygon = flat[index]
        holes = [flat[hole] for hole in np.flatnonzero(tree[:, PARENT] == index)]
        holes = sorted(holes, key=len, reverse=True)[:MAX_HOLES]
        # Nearest hole first, so that a bridge seldom crosses another hole.
        distances = [_closest(polygon, hole)[2] for hole in holes]
        for nearest in np.argsort(distances, kind="stable"):
            polygon = _bridge(polygon, holes[nearest])
        parts.append(polygon)
    return parts


def _without_specks(parts: list[Contour], size: tuple[int, int]) -> list[Contour]:
    """The parts by falling number of pixels, up to all but `SPECKS` of the pixels."""
    pixels = np.array([np.count_nonzero(draw([part], size)) for part in parts], np.int64)
    order = np.argsort(-pixels, kind="stable")
    before = np.cumsum(pixels[order]) - pixels[order]
    return [parts[i] for i in order[before < (1 - SPECKS) * pixels.sum()]]


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
    """Indices of the two nearest points, and their squared distance; of very long contours only
    every few points are looked at."""
    step = math.ceil(math.sqrt(len(first) * len(second) / MAX_DISTANCES))
    a, b = first[::step], second[::step]
    apart = (a[:, :1] - b[:, 0]) ** 2 + (a[:, 1:] - b[:, 1]) ** 2
    i, j = np.unravel_index(int(apart.argmin()), apart.shape)
    return int(i) * step, int(j) * step, int(apart[i, j])


def _overlap(polygon: Contour, mask: npt.NDArray[np.uint8]) -> float:
    drawn, wanted = draw([polygon], mask.shape[:2]) > 0, mask > 127
    return float((drawn & wanted).sum() / (drawn | wanted).sum())
