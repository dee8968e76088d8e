"""What stands in a street darkens the ground: its cast shadow, and softly all round its foot."""

import cv2
import numpy as np

from posegen.render.model import Bytes, Floats
from posegen.render.street import Street

_STEP = 4
"""Pixels of a sheet, along each side, for one of the shadows': they are soft."""


class GroundShadows:
    """Outlines on the ground of all that stands in a street, in its frame, metres.

    Args:
        sun: unit vector towards the light, street frame.
    """

    def __init__(self, street: Street, sun: Floats) -> None:
        self._weather = street.weather
        slope = sun[:2] / sun[2]
        self._outlines: list[Floats] = []
        self._is_cast: list[bool] = []
        places = []  # middle, and how far from a sheet's reach it still counts

        def add(points: Floats, is_cast: bool, place: tuple[float, float, float]) -> None:
            self._outlines.append(points)
            self._is_cast.append(is_cast)
            places.append(place)

        for thing in street.things:
            place = thing.x, thing.y, 3 * thing.height + thing.half_x
            for low, high in thing.solids():  # corner points [N, 3] at its foot and its top
                ends = np.concatenate([low, high])
                add(ends[:, :2] - ends[:, 2:] * slope, True, place)
                if low[0, 2] < 0.1:
                    add(low[:, :2], False, place)
        for car in street.cars:
            if car is not None:
                low, place = car.corners(), (car.x, car.y, np.inf)
                roof = np.concatenate([low, 0.85 * low + 0.15 * low.mean(axis=0)])
                add(roof - np.repeat([0.3, 1.3], 4)[:, None] * slope, True, place)
                add(low, False, place)
        self._places = np.reshape(places, (-1, 3))
        self._boxes = np.reshape(
            [(points.min(axis=0), points.max(axis=0)) for points in self._outlines], (-1, 2, 2)
        )

    def light(self, low: Floats, pixel: float, size: int) -> Bytes:
        """Share of light, 255: all, on a sheet of `size` pixels of `pixel` metres along each side,
        whose first corner is `low`: uint8 [size, size]."""
        small = size // _STEP
        cast, foot = np.zeros((2, small, small), np.uint8)
        middle, reach = low + size * pixel / 2, size * pixel * 0.75
        x, y = self._places[:, 0] - middle[0], self._places[:, 1] - middle[1]
        boxes = (self._boxes - low) / (_STEP * pixel)
        near = np.hypot(x, y) <= reach + self._places[:, 2]
        seen = near & (boxes[:, 1] >= 0).all(axis=1) & (boxes[:, 0] <= small).all(axis=1)
        for index in np.flatnonzero(seen):
            pixels = (self._outlines[index] - low) / (_STEP * pixel)
            hull = cv2.convexHull(np.round(np.clip(pixels, -4e3, 4e3) * 16).astype(np.int32))
            mask = cast if self._is_cast[index] else foot
            cv2.fillConvexPoly(mask, hull, 255, cv2.LINE_8, 4)
        blur = max(self._weather.shadow_blur / pixel / _STEP, 0.6)
        shade = cv2.GaussianBlur(cast, (0, 0), min(blur, 20))
        dark = cv2.GaussianBlur(foot, (0, 0), max(0.3 / pixel / _STEP, 0.8))
        light = (1 - self._weather.shadow * shade / 255.0) * (1 - 0.5 * dark / 255.0)
        level = np.round(255 * light).astype(np.uint8)
        wide = cv2.resize(level, (size, size), interpolation=cv2.INTER_LINEAR)
        return np.asarray(wide, np.uint8)
