"""What stands in a street darkens the ground: its cast shadow, and softly all round its foot."""

import cv2
import numpy as np

from posegen.render.ground_seen import Piece
from posegen.render.model import Bytes, Floats
from posegen.render.street import Street
from posegen.render.things import boxes

_STEP = 4
"""Pixels of a sheet, along each side, for one of the shadows': they are soft."""
_BEYOND = 2.0
"""Metres that what casts a shadow may reach beyond its thing's box."""


class GroundShadows:
    """Outlines on the ground of all that stands in a street, in its frame, metres.

    Args:
        sun: unit vector towards the light, street frame.
    """

    def __init__(self, street: Street, sun: Floats) -> None:
        self._weather = street.weather
        self._slope = slope = sun[:2] / sun[2]
        self._things = street.things
        self._of_things: dict[int, list[tuple[Floats, bool]]] = {}
        x, y, half_x, half_y, height = boxes(self._things)
        self._middles = np.stack([x, y], axis=1)
        self._reach = 3 * height + half_x  # from a sheet's middle: within it, it counts
        tips = self._middles - height[:, None] * slope
        around = np.stack([half_x, half_y], axis=1) + _BEYOND
        self._low = np.minimum(self._middles, tips) - around
        self._high = np.maximum(self._middles, tips) + around
        self._of_cars: list[tuple[Floats, bool]] = []
        for car in street.cars:
            if car is not None:
                low = car.corners()
                roof = np.concatenate([low, 0.85 * low + 0.15 * low.mean(axis=0)])
                cast = roof - np.repeat([0.3, 1.3], 4)[:, None] * slope
                self._of_cars += [(cast, True), (low, False)]

    def _outlines(self, index: int) -> list[tuple[Floats, bool]]:
        """Corner points [N, 2] of a thing's shadows and feet, and whether it is a shadow."""
        if index not in self._of_things:
            self._of_things[index] = outlines = []
            for low, high in self._things[index].solids():  # corners [N, 3] at its foot and its top
                ends = np.concatenate([low, high])
                outlines.append((ends[:, :2] - ends[:, 2:] * self._slope, True))
                if low[0, 2] < 0.1:
                    outlines.append((low[:, :2], False))
        return self._of_things[index]

    def light(self, low: Floats, pixel: float, size: int, seen: Piece | None = None) -> Bytes:
        """Share of light, 255: all, on a sheet of `size` pixels of `pixel` metres along each side,
        whose first corner is `low`: uint8 [size, size]. Right only where it is `seen`."""
        small = size // _STEP
        blur = min(max(self._weather.shadow_blur / pixel / _STEP, 0.6), 20)
        spread = max(0.3 / pixel / _STEP, 0.8)
        seen = seen or Piece(0, size, 0, size)
        margin = int(4 * max(blur, spread)) + 4
        top, left = (max(first // _STEP - margin, 0) for first in (seen.top, seen.left))
        bottom, right = (min(last // _STEP + margin, small) for last in (seen.bottom, seen.right))
        window = slice(top, bottom), slice(left, right)
        first, last = (
            low + _STEP * pixel * np.array(end) for end in ((left, top), (right, bottom))
        )
        middle, reach = low + size * pixel / 2, size * pixel * 0.75
        x, y = (self._middles - middle).T
        near = np.hypot(x, y) <= reach + self._reach
        near &= ((self._high >= first) & (self._low <= last)).all(axis=1)
        outlines = [one for index in np.flatnonzero(near) for one in self._outlines(int(index))]
        cast, foot = np.zeros((2, small, small), np.uint8)
        for points, is_cast in outlines + self._of_cars:
            pixels = (points - low) / (_STEP * pixel)
            if (pixels.max(axis=0) >= 0).all() and (pixels.min(axis=0) <= small).all():
                hull = cv2.convexHull(np.round(np.clip(pixels, -4e3, 4e3) * 16).astype(np.int32))
                cv2.fillConvexPoly(cast if is_cast else foot, hull, 255, cv2.LINE_8, 4)
        shade = cv2.GaussianBlur(cast[window], (0, 0), blur)
        dark = cv2.GaussianBlur(foot[window], (0, 0), spread)
        light = (1 - self._weather.shadow * shade / 255.0) * (1 - 0.5 * dark / 255.0)
        level = np.round(255 * light).astype(np.uint8)
        wide = np.zeros((size, size), np.uint8)
        wide[_STEP * top : _STEP * bottom, _STEP * left : _STEP * right] = cv2.resize(
            level, None, fx=_STEP, fy=_STEP, interpolation=cv2.INTER_LINEAR
        )
        return wide
