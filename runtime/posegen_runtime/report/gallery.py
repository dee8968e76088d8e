"""Pictures for the gallery: small JPEGs, with the mask's outline as a path to draw over them."""

import base64
import math
from collections.abc import Callable, Iterable, Sequence

import cv2
import msgspec
import numpy as np
import numpy.typing as npt

from posegen_runtime.errors import PoseGenError
from posegen_runtime.imagefile import decode, read_header
from posegen_runtime.labels.coco import decode_mask
from posegen_runtime.report.axes import Line, axes
from posegen_runtime.report.rows import ReportRow
from posegen_runtime.report.verified import silhouette

Image = npt.NDArray[np.uint8]
Read = Callable[[str], bytes]

SHOWN = 32
SIDE = 320
"""Pixels of a picture's longer side at most."""
QUALITIES = (85, 70, 50, 30, 10)
MAX_BYTES = 48_000
"""Of one JPEG: 32 of them in base64 are 2 MB, even of pure noise."""
MAX_POINTS = 800
"""Of one outline, about 8 kB."""
LEAST_POINTS = 20
"""Of the outline of one object of many."""
MAX_CONTOURS = 100
TOLERANCE = 0.4
"""Pixels of the mask by which an outline may be simplified."""


class Picture(msgspec.Struct, frozen=True):
    """One image of the gallery, `width` × `height` pixels, and where its row is in the run."""

    row: ReportRow
    place: int
    width: int
    height: int
    jpeg: str
    """base64."""
    outline: str | None
    """SVG path in the picture's pixels; None where the mask's file cannot be read."""
    found: str = ""
    """The same of what a segmenter found in the image."""
    axes: Sequence[Line] = ()
    """x, y and z of each object; none without a pose."""


class Size(msgspec.Struct, frozen=True):
    """Of a gallery: how many pictures, pixels of the longer side, bytes of a JPEG at most."""

    count: int = SHOWN
    side: int = SIDE
    bytes: int = MAX_BYTES
    judged: bool = False
    """Pictures show the part of an image that was judged."""


USUAL = Size()


class Gallery(msgspec.Struct, frozen=True):
    """`missing` counts images that were looked for and could not be read."""

    pictures: list[Picture]
    missing: int


def gather(
    rows: Iterable[tuple[int, ReportRow]], read: Read, size: Size = USUAL, *, sort: bool = True
) -> Gallery:
    """The first of `rows` (with their places) whose image can be read, `size.count` of them: in
    run order with `sort`, else as they come."""
    pictures: list[Picture] = []
    missing = 0
    for place, row in rows:
        picture = _picture(place, row, read, size)
        if picture is None:
            missing += 1
            continue
        pictures.append(picture)
        if len(pictures) == size.count:
            break
    if sort:
        pictures.sort(key=lambda picture: picture.place)
    return Gallery(pictures, missing)


def _picture(place: int, row: ReportRow, read: Read, size: Size) -> Picture | None:
    image = _decoded(row.image, read, cv2.IMREAD_COLOR)
    if image is None:
        return None
    if not size.judged and (row.others or row.visible):
        return _frame(place, row, image, read, size)
    mask = _decoded(row.mask_file, read, cv2.IMREAD_GRAYSCALE) if row.mask_file else None
    lines = np.array(axes(row.pose, mask) if row.pose and mask is not None else [])
    if size.judged and row.window:
        image, mask = _cut(image, row.window), None if mask is None else _cut(mask, row.window)
        lines = lines.reshape(-1, 2, 2) - row.window[:2]
    scale, small = _shrunk(image, size)
    height, width = small.shape[:2]
    outline = None if mask is None else outline_path(mask, width, height)
    return Picture(
        row,
        place,
        width,
        height,
        jpeg(small, size.bytes),
        outline,
        _found(row, width, height),
        [(x0, y0, x1, y1) for x0, y0, x1, y1 in (lines.reshape(-1, 4) * scale).tolist()],
    )


def _frame(place: int, row: ReportRow, image: Image, read: Read, size: Size) -> Picture:
    """All objects of one image, as far as nearer ones leave them to be seen."""
    scale, small = _shrunk(image, size)
    height, width = small.shape[:2]
    rows = (row, *row.others)
    outlines: list[str] = []
    lines: list[Line] = []
    for one in rows:
        mask = _decoded(one.mask_file, read, cv2.IMREAD_GRAYSCALE) if one.mask_file else None
        if mask is None:
            continue
        seen = decode_mask(one.visible) if one.visible else mask
        if seen.any():
            lines += axes(one.pose, mask) if one.pose else ()
            most = max(LEAST_POINTS, MAX_POINTS // len(rows))
            outlines.append(outline_path(seen, width, height, most))
    return Picture(
        row,
        place,
        width,
        height,
        jpeg(small, size.bytes),
        "".join(outlines) if outlines else None,
        axes=[(scale * x0, scale * y0, scale * x1, scale * y1) for x0, y0, x1, y1 in lines],
    )


def _shrunk(image: Image, size: Size) -> tuple[float, Image]:
    """The scale, and the image."""
    scale = min(1.0, size.side / max(image.shape[:2]))
    height, width = (max(1, round(scale * side)) for side in image.shape[:2])
    small = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
    return scale, np.asarray(small, np.uint8)


def _cut(image: Image, window: tuple[int, int, int, int]) -> Image:
    """Black where the window reaches outside."""
    height, width = image.shape[:2]
    x0, y0, x1, y1 = window
    inside = image[max(y0, 0) : min(y1, height), max(x0, 0) : min(x1, width)]
    sides = max(-y0, 0), max(y1 - height, 0), max(-x0, 0), max(x1 - width, 0)
    return np.asarray(cv2.copyMakeBorder(inside, *sides, cv2.BORDER_CONSTANT), np.uint8)


def _found(row: ReportRow, width: int, height: int) -> str:
    seen = row.verdict and row.verdict.seen
    return outline_path(silhouette(seen.found, seen.size), width, height) if seen else ""


def _decoded(path: str, read: Read, flags: int) -> Image | None:
    try:
        data = read(path)
        read_header(path, data)
        return np.asarray(decode(path, data, flags), np.uint8)
    except (PoseGenError, OSError, ValueError):
        return None  # deleted, moved or damaged since: the report lives without it


def jpeg(image: Image, most: int) -> str:
    """base64 of a JPEG of BGR or gray pixels, of `most` bytes where a low quality gets there."""
    for quality in QUALITIES:
        data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()
        if len(data) <= most:
            break
    return base64.b64encode(data).decode()


def outline_path(mask: Image, width: int, height: int, most: int = MAX_POINTS) -> str:
    """The border of `mask`, uint8 [H, W] with 255 on the object, as an SVG path in a picture of
    `width` × `height`. Through the border pixels' middles, the longest contours first, up to
    `most` points."""
    if mask.shape[1] > width:
        mask = np.asarray(cv2.resize(mask, (width, height), interpolation=cv2.INTER_AREA))
    binary = np.asarray(mask > 127, np.uint8)
    contours, _ = cv2.findContours(binary, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    scale = np.array([width / mask.shape[1], height / mask.shape[0]])
    left = most
    parts: list[str] = []
    for contour in sorted(contours, key=len, reverse=True)[:MAX_CONTOURS]:
        points = cv2.approxPolyDP(contour, TOLERANCE, True)[:, 0]
        points = points[:: math.ceil(len(points) / left)]
        corners = (points + 0.5) * scale
        parts.append("M" + "L".join(f"{x:.4g} {y:.4g}" for x, y in corners) + "Z")
        left -= len(points)
        if left <= 0:
            break
    return "".join(parts)
