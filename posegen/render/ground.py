"""The picture of the ground: painted from above on two sheets, then seen by the camera."""

import cv2
import numpy as np

from posegen.render import textures
from posegen.render.canvas import Canvas
from posegen.render.ground_plan import Band, GroundPlan, Mark
from posegen.render.ground_shadows import GroundShadows
from posegen.render.model import Bytes, Floats
from posegen.render.street import Street

_NEAR, _FAR = 896, 576
"""Pixels along the side of the sheet about the object and of the sheet of everything."""
_FAR_HALF = 50.0
"""Metres; what lies beyond goes on as at the edge."""


class Sheet:
    """A square of ground seen from above, uint8 [size, size, 3]; rows run along y."""

    def __init__(
        self, plan: GroundPlan, light: Floats, shadows: GroundShadows,
        middle: Floats, half: float, size: int,
    ) -> None:  # fmt: skip
        self.low, self.size = middle - half, size
        self.pixel = 2 * half / size
        self._plan = plan
        self._tiles: dict[str, Bytes] = {}
        self.image: Bytes = np.zeros((size, size, 3), np.uint8)
        stains = self._tiled(textures.stains(), 5 * textures.TILE_METRES, 0, size)
        for band in self._plan.bands:
            self._band(band, light, stains)
        colors = {tuple(mark.color): mark for mark in self._plan.marks}
        for color in colors:
            self._paint([m for m in self._plan.marks if tuple(m.color) == color], light)
        level = shadows.light(self.low, self.pixel, size)
        self.image = np.asarray(
            cv2.multiply(self.image, cv2.merge([level, level, level]), scale=1 / 255), np.uint8
        )

    @property
    def to_ground(self) -> Floats:
        """[3, 3]: from this sheet's pixels to metres."""
        return np.array(
            [[self.pixel, 0, self.low[0] + self.pixel / 2],
             [0, self.pixel, self.low[1] + self.pixel / 2], [0, 0, 1]]
        )  # fmt: skip

    def _tiled(self, tile: Bytes, metres: float, first: int, rows: int) -> Bytes:
        """Rows of a repeated tile that is `metres` wide."""
        side = max(round(metres / self.pixel), 8)
        if side != len(tile):
            how = cv2.INTER_AREA if side < len(tile) else cv2.INTER_LINEAR
            tile = np.asarray(cv2.resize(tile, (side, side), interpolation=how), np.uint8)
        start = np.round((self.low + self._plan.offset) / self.pixel).astype(int)
        columns = (start[0] + np.arange(self.size)) % side
        lines = (start[1] + first + np.arange(rows)) % side
        return tile.take(lines, axis=0).take(columns, axis=1)

    def _material(self, name: str, first: int, rows: int) -> Bytes:
        side = max(round(textures.TILE_METRES / self.pixel), 8)
        if name not in self._tiles:
            tile = textures.halved(name, int(np.log2(max(textures.TILE / side, 1))))
            how = cv2.INTER_AREA if side < len(tile) else cv2.INTER_LINEAR
            resized = cv2.resize(tile, (side, side), interpolation=how)
            self._tiles[name] = np.asarray(resized, np.uint8)
        return self._tiled(self._tiles[name], textures.TILE_METRES, first, rows)

    def _band(self, band: Band, light: Floats, stains: Bytes) -> None:
        rows = (np.array([band.low, band.high]) - self.low[1]) / self.pixel
        first, last = (int(row) for row in np.clip(np.round(rows), 0, self.size))
        if first >= last:
            return
        grey = self._material(band.material, first, last - first)
        strength = 0.35 * self._plan.stains
        grey = np.asarray(
            cv2.addWeighted(grey, 1, stains[first:last], strength, -128 * strength), np.uint8
        )
        self.image[first:last] = textures.toned(grey, band.color * light)

    def _paint(self, marks: list[Mark], light: Floats) -> None:
        """Marks of one colour, worn where the ground is rough."""
        mask = np.zeros((self.size, self.size), np.uint8)
        for mark in marks:
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
            outline = np.round(points * 16).astype(np.int32)
            cv2.fillPoly(mask, [outline], level, cv2.LINE_AA, 4)
        rows, columns = np.nonzero(mask.max(axis=1))[0], np.nonzero(mask.max(axis=0))[0]
        if not len(rows):
            return
        first, last = int(rows[0]), int(rows[-1]) + 1
        span = slice(int(columns[0]), int(columns[-1]) + 1)
        worn = self._material("worn", first, last - first)[:, span]
        limit = textures.MEAN - 40 + 45 * self._plan.wear
        levels = np.clip((np.arange(256) - limit) / 30 + 0.5, 0.12, 0.93) * 255
        left = cv2.LUT(np.ascontiguousarray(worn), np.round(levels).astype(np.uint8))
        part = self.image[first:last, span]
        keep = left.astype(np.float32) * mask[first:last, span] / 255**2
        flat = np.empty_like(part)
        flat[:] = np.clip(marks[0].color * light * 255, 0, 255)
        part[:] = cv2.blendLinear(flat, np.ascontiguousarray(part), keep, 1 - keep)


def draw_ground_picture(street: Street, canvas: Canvas, up: Floats) -> None:
    """Lay the ground over the lower part of the canvas. `up` [H, W]: the rays' upward part."""
    eye = canvas.eye
    distance = float(np.linalg.norm(eye[:2]))
    made_of = street.ground, canvas.light(np.array([0, 0, 1.0])), GroundShadows(street, canvas.sun)
    near = Sheet(*made_of, 0.28 * eye[:2], min(max(8.0, 0.75 * distance), 60.0), _NEAR)
    far = Sheet(*made_of, np.zeros(2), _FAR_HALF, _FAR)
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
