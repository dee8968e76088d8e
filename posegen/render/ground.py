"""The picture of the ground: painted from above on two sheets, then seen by the camera."""

from dataclasses import replace

import cv2
import numpy as np

from posegen.render import textures
from posegen.render.canvas import Canvas
from posegen.render.ground_plan import Mark
from posegen.render.ground_seen import Piece, around, seen_pieces
from posegen.render.ground_shadows import GroundShadows
from posegen.render.model import Bytes, Floats
from posegen.render.street import Street

_NEAR, _FAR = 896, 576
"""Pixels along the side of the sheet about the object and of the sheet of everything."""
_FAR_HALF = 50.0
"""Metres; what lies beyond goes on as at the edge."""


class Sheet:
    """A square of ground seen from above, uint8 [size, size, 3]; rows run along y. Painted only
    where the canvas's camera sees it.

    Args:
        endless: whether the ground goes on as at the sheet's edge.
    """

    def __init__(
        self, street: Street, canvas: Canvas, shadows: GroundShadows,
        middle: Floats, half: float, size: int, endless: bool,
    ) -> None:  # fmt: skip
        self.low, self.size = middle - half, size
        self.pixel = 2 * half / size
        self._plan = plan = street.ground
        self._light = canvas.light(np.array([0, 0, 1.0]))
        self._start = np.round((self.low + plan.offset) / self.pixel).astype(int)
        self.image: Bytes = np.zeros((size, size, 3), np.uint8)
        to_sheet = np.asarray(np.linalg.inv(canvas.plane() @ self.to_ground), np.float64)
        pieces = seen_pieces(to_sheet, canvas.width, canvas.height, size, endless)
        if not pieces:
            return
        self.seen = around(pieces)
        shade = shadows.light(self.low, self.pixel, size, self.seen)
        bands, marks = self._bands(), self._marks()
        limit = textures.MEAN - 40 + 45 * plan.wear
        levels = np.clip((np.arange(256) - limit) / 30 + 0.5, 0.12, 0.93) * 255
        self._left = np.round(levels).astype(np.uint8)
        for piece in pieces:
            part = self._ground(piece, bands)
            for color, mask in marks:
                self._paint(part, piece, color, mask[piece.slices])
            grey = cv2.cvtColor(shade[piece.slices], cv2.COLOR_GRAY2RGB)
            self.image[piece.slices] = cv2.multiply(part, grey, scale=1 / 255)

    @property
    def to_ground(self) -> Floats:
        """[3, 3]: from this sheet's pixels to metres."""
        return np.array(
            [[self.pixel, 0, self.low[0] + self.pixel / 2],
             [0, self.pixel, self.low[1] + self.pixel / 2], [0, 0, 1]]
        )  # fmt: skip

    def _side(self, metres: float) -> int:
        return max(round(metres / self.pixel), 8)

    def _tile(self, material: str) -> Bytes:
        return textures.scaled(material, self._side(textures.TILE_METRES))

    def _window(self, tile: Bytes, piece: Piece) -> Bytes:
        """The part of the sheet under a repeated tile."""
        side = len(tile)
        top, left = (self._start[1] + piece.top) % side, (self._start[0] + piece.left) % side
        bottom, right = top + piece.bottom - piece.top, left + piece.right - piece.left
        if bottom <= side:
            rows = tile[top:bottom]
        else:
            rows = tile.take(np.arange(top, bottom) % side, axis=0)
        if right <= side:
            return rows[:, left:right]
        return rows.take(np.arange(left, right) % side, axis=1)

    def _bands(self) -> list[tuple[int, int, Bytes, Bytes]]:
        """The first row of every band in sight, the one after its last, its tile and tones."""
        limits = np.array([(band.low, band.high) for band in self._plan.bands])
        rows = np.round((limits - self.low[1]) / self.pixel)
        rows = np.clip(rows, self.seen.top, self.seen.bottom).astype(int)
        return [
            (top, bottom, self._tile(band.material), textures.tones(band.color * self._light))
            for band, (top, bottom) in zip(self._plan.bands, rows.tolist(), strict=True)
            if top < bottom
        ]

    def _ground(self, piece: Piece, bands: list[tuple[int, int, Bytes, Bytes]]) -> Bytes:
        """The ground's materials, uint8 [bottom - top, right - left, 3]."""
        image = np.zeros((piece.bottom - piece.top, piece.right - piece.left, 3), np.uint8)
        stains = self._window(textures.stains(self._side(5 * textures.TILE_METRES)), piece)
        strength = 0.35 * self._plan.stains
        for top, bottom, tile, tones in bands:
            top, bottom = max(top, piece.top), min(bottom, piece.bottom)
            if top < bottom:
                rows = slice(top - piece.top, bottom - piece.top)
                grey = self._window(tile, replace(piece, top=top, bottom=bottom))
                worn = cv2.addWeighted(grey, 1, stains[rows], strength, -128 * strength)
                image[rows] = textures.toned(np.asarray(worn, np.uint8), tones)
        return image

    def _marks(self) -> list[tuple[Floats, Bytes]]:
        """Colours, and how much of every pixel their marks take, uint8 [size, size]."""
        marks = self._plan.marks
        if not marks:
            return []
        points = np.concatenate([mark.points for mark in marks])
        starts = np.cumsum([0] + [len(mark.points) for mark in marks[:-1]])
        margin = np.array([mark.width for mark in marks])[:, None] + 2 * self.pixel
        low = np.minimum.reduceat(points, starts, axis=0) - margin
        high = np.maximum.reduceat(points, starts, axis=0) + margin
        seen = self.seen
        first = self.low + self.pixel * np.array([seen.left, seen.top])
        last = self.low + self.pixel * np.array([seen.right, seen.bottom])
        masks: dict[tuple[float, ...], Bytes | None] = {tuple(mark.color): None for mark in marks}
        for index in np.flatnonzero(((high >= first) & (low <= last)).all(axis=1)):
            color = tuple(marks[index].color)
            mask = masks[color]
            if mask is None:
                mask = masks[color] = np.zeros((self.size, self.size), np.uint8)
            self._outline(marks[index], mask)
        return [(np.array(color), mask) for color, mask in masks.items() if mask is not None]

    def _outline(self, mark: Mark, mask: Bytes) -> None:
        points = (mark.points - self.low) / self.pixel
        level = 255.0
        if mark.width:
            along = points[-1] - points[0]
            across = np.array([-along[1], along[0]]) / np.linalg.norm(along)
            wide = mark.width / self.pixel
            across *= max(wide, 1) / 2
            level *= min(wide, 1)
            points = np.stack([points[0] - across, points[-1] - across, points[-1] + across,
                               points[0] + across])  # fmt: skip
        cv2.fillPoly(mask, [np.round(points * 16).astype(np.int32)], level, cv2.LINE_AA, 4)

    def _paint(self, part: Bytes, piece: Piece, color: Floats, mask: Bytes) -> None:
        """Marks of one colour, worn where the ground is rough."""
        x, y, wide, high = cv2.boundingRect(mask)
        if not wide:
            return
        box = slice(y, y + high), slice(x, x + wide)
        own = Piece(piece.top + y, piece.top + y + high, piece.left + x, piece.left + x + wide)
        left = cv2.LUT(self._window(self._tile("worn"), own), self._left)
        keep = left.astype(np.float32) * mask[box] / 255**2
        flat = np.empty((high, wide, 3), np.uint8)
        flat[:] = np.clip(color * self._light * 255, 0, 255)
        part[box] = cv2.blendLinear(flat, np.ascontiguousarray(part[box]), keep, 1 - keep)


def draw_ground_picture(street: Street, canvas: Canvas, up: Floats) -> None:
    """Lay the ground over the lower part of the canvas. `up` [H, W]: the rays' upward part."""
    eye = canvas.eye
    distance = float(np.linalg.norm(eye[:2]))
    made_of = street, canvas, GroundShadows(street, canvas.sun)
    half = min(max(8.0, 0.75 * distance), 60.0)
    near = Sheet(*made_of, 0.28 * eye[:2], half, _NEAR, endless=False)
    far = Sheet(*made_of, np.zeros(2), _FAR_HALF, _FAR, endless=True)
    size = (canvas.width, canvas.height)

    def seen(image: Bytes, sheet: Sheet, factor: int, under: Bytes | None) -> Bytes:
        shrink = np.array([[factor, 0, (factor - 1) / 2], [0, factor, (factor - 1) / 2], [0, 0, 1]])
        matrix = canvas.plane() @ sheet.to_ground @ shrink
        border = cv2.BORDER_REPLICATE if under is None else cv2.BORDER_TRANSPARENT
        target = None if under is None else under.copy()
        return np.asarray(
            cv2.warpPerspective(
                image, matrix, size, dst=target, flags=cv2.INTER_LINEAR, borderMode=border
            ), np.uint8,
        )  # fmt: skip

    distant = seen(far.image, far, 1, None)
    soft = np.asarray(cv2.pyrDown(cv2.pyrDown(near.image)), np.uint8)
    coarse, fine = seen(soft, near, 4, distant), seen(near.image, near, 1, distant)
    # Size of a pixel's footprint, the geometric mean of along and across the line of sight.
    size4 = (canvas.width // 4, canvas.height // 4)
    down = np.maximum(-cv2.resize(up, size4, interpolation=cv2.INTER_LINEAR), 1e-4)
    reach = eye[2] / down
    footprint = reach * np.sqrt(reach / eye[2]) / canvas.K[0, 0]
    weight = cv2.resize(np.clip(1.4 - footprint / near.pixel / 3, 0, 1).astype(np.float32), size)
    ground = cv2.blendLinear(fine, coarse, weight, 1 - weight)
    clear = cv2.resize(canvas.clear(reach).astype(np.float32), size)
    air = np.empty_like(canvas.image)
    air[:] = canvas.haze
    ground = cv2.blendLinear(ground, air, clear, 1 - clear)
    cv2.copyTo(ground, (up < 0).astype(np.uint8), canvas.image)
