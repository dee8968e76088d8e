"""A picture that is painted from far to near: quadrilaterals with textures, polygons, sprites.

Everything in a street stands behind the object (`street.clear_of_view`), so that a painted backdrop
needs no depths; and OpenCV warps textures faster than a software rasteriser fills a scene.
"""

import cv2
import numpy as np
import numpy.typing as npt

from posegen.render.camera import View
from posegen.render.model import Bytes, Floats
from posegen.render.sky import Weather

_SUBPIXEL = 4
"""Bits of OpenCV's fixed-point coordinates."""


def rotation(angle: float) -> Floats:
    """[3, 3]: a turn about z."""
    return np.array(
        [[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1.0]]
    )


def upwards(height: float) -> Floats:
    return np.array([0.0, 0.0, height])


class Canvas:
    """An image [H, W, 3] and the camera that it is seen with, in the street's frame and metres.

    Args:
        angle: direction of the street in the world, radians.
        view: the camera in the world.
        scale: length of the street's metre in the world.
        samples: pixels of the canvas for a pixel of the view, along each side.
    """

    def __init__(
        self, weather: Weather, angle: float, view: View, scale: float, samples: int
    ) -> None:
        self.weather = weather
        self.width, self.height = view.width * samples, view.height * samples
        turn = rotation(angle)
        self.K = view.K.copy()
        self.K[:2] *= samples
        self.K[:2, 2] += (samples - 1) / 2
        self.R, self.t = view.R @ turn, view.t / scale
        self.eye = -self.R.T @ self.t
        self.sun = turn.T @ weather.sun
        self.haze = np.round(weather.sky[0] * 0.94 * 255)
        self.image: Bytes = np.zeros((self.height, self.width, 3), np.uint8)

    def rays(self, step: int) -> Floats:
        """Directions [H / step, W / step, 3] in the street's frame, depth 1."""
        x = np.arange(self.width // step) * step + (step - 1) / 2
        y = np.arange(self.height // step) * step + (step - 1) / 2
        inverse = self.R.T @ np.linalg.inv(self.K)
        return x[None, :, None] * inverse[:, 0] + y[:, None, None] * inverse[:, 1] + inverse[:, 2]

    def upward(self) -> Floats:
        """Sine of every pixel's angle above the horizon, float32 [H, W]."""
        inverse = np.linalg.inv(self.K)
        x, y = (np.arange(size, dtype=np.float32) for size in (self.width, self.height))
        z = (self.R.T @ inverse)[2].astype(np.float32)
        right, down = inverse[0, 0] * x + inverse[0, 2], inverse[1, 1] * y + inverse[1, 2]
        length = np.sqrt((1 + right**2)[None] + (down**2)[:, None])
        return np.asarray(((z[0] * x + z[2])[None] + (z[1] * y)[:, None]) / length, np.float32)

    def sees(self, points: Floats) -> bool:
        """Whether more than a speck of points [N, 3] can be inside the image."""
        pixels, depths = self.project(points)
        low, high = pixels.min(axis=0), pixels.max(axis=0)
        inside = (high > 0).all() and (low < (self.width, self.height)).all()
        return bool(depths.min() > 0.1 and inside and (high - low).max() > 2)

    def project(self, points: Floats) -> tuple[Floats, Floats]:
        """Pixels [N, 2] and depths [N] of points [N, 3]."""
        camera = points @ self.R.T + self.t
        pixels = camera @ self.K.T
        return pixels[:, :2] / pixels[:, 2:], camera[:, 2]

    def plane(self) -> Floats:
        """[3, 3]: from (x, y, 1) on the ground to pixels."""
        return self.K @ np.column_stack([self.R[:, :2], self.t])

    def clear(self, distance: npt.ArrayLike) -> Floats:
        """Share of contrast that haze leaves at this distance in metres."""
        return np.exp(-np.asarray(distance) / self.weather.visibility)

    def light(self, normal: Floats) -> Floats:
        """What a matte face with this normal (street frame) reflects, RGB."""
        sun = max(float(normal @ self.sun), 0.0) * self.weather.sun_color
        return 1.1 * sun + self.weather.fill * (0.95 + 0.4 * float(normal[2]))

    def _through_air(self, image: Bytes, distance: float, light: Floats) -> Bytes:
        """Picture under this light behind `distance` metres of air; alpha, if any, stays."""
        clear = float(self.clear(distance))
        ramp = np.arange(256)[:, None] * light * clear + self.haze * (1 - clear)
        table = np.clip(np.round(ramp), 0, 255)
        if image.shape[2] == 4:
            table = np.concatenate([table, np.arange(256)[:, None]], axis=1)
        return np.asarray(cv2.LUT(image, table.astype(np.uint8)[None]), np.uint8)

    def quad(self, corners: Floats, picture: Bytes, light: Floats) -> None:
        """A picture, uint8 [h, w, 3 or 4], on corners [4, 3]: lower left, lower right, upper right,
        upper left."""
        pixels, depths = self.project(corners)
        if depths.min() <= 0.1:
            return
        low = np.floor(np.maximum(pixels.min(axis=0) - 1, 0)).astype(int)
        high = np.ceil(np.minimum(pixels.max(axis=0) + 2, (self.width, self.height))).astype(int)
        if (high - low).min() < 1:
            return
        sides = np.linalg.norm(pixels - np.roll(pixels, 1, axis=0), axis=1)
        wide, tall = max(sides[1], sides[3]), max(sides[0], sides[2])
        h, w = picture.shape[:2]
        size = max(1, min(w, int(wide) + 1)), max(1, min(h, int(tall) + 1))
        if size != (w, h):
            picture = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)
        distance = float(np.linalg.norm(corners.mean(axis=0) - self.eye))
        picture = self._through_air(picture, distance, light)
        w, h = size
        edges = np.array([(0, h), (w, h), (w, 0), (0, 0)], np.float32) - 0.5
        matrix = cv2.getPerspectiveTransform(edges, (pixels - low).astype(np.float32))
        part = self.image[low[1] : high[1], low[0] : high[0]]
        box = (part.shape[1], part.shape[0])
        drawn = cv2.warpPerspective(
            picture, matrix, box, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        inside = np.zeros(part.shape[:2], np.uint8)
        outline = np.round((pixels - low) * 2**_SUBPIXEL).astype(np.int32)
        cv2.fillConvexPoly(inside, outline, 255, cv2.LINE_AA, _SUBPIXEL)
        _blend(part, np.asarray(drawn, np.uint8), inside)

    def polygon(self, points: Floats, color: Floats, light: Floats) -> None:
        """A convex face of one colour, RGB 0..1, corners [N, 3]."""
        pixels, depths = self.project(points)
        if depths.min() <= 0.1:
            return
        clear = float(self.clear(np.linalg.norm(points.mean(axis=0) - self.eye)))
        shade = np.minimum(
            np.maximum(255 * color * light * clear + self.haze * (1 - clear), 0), 255
        )
        outline = np.round(np.clip(pixels, -4000, 4000) * 2**_SUBPIXEL).astype(np.int32)
        cv2.fillConvexPoly(self.image, outline, shade.tolist(), cv2.LINE_AA, _SUBPIXEL)

    def sprite(self, base: Floats, size: tuple[float, float], picture: Bytes, tint: Floats) -> None:
        """A picture with alpha that faces the camera: `base` [3] is the middle of its lower edge,
        `size` its width and height in metres."""
        ends = np.stack([base, base + upwards(size[1])])
        pixels, depths = self.project(ends)
        if depths.min() <= 0.1:
            return
        tall = round(float(abs(pixels[0, 1] - pixels[1, 1])))
        wide = round(float(size[0] * self.K[0, 0] / depths.mean()))
        if min(tall, wide) < 2 or max(tall, wide) > 6 * max(self.width, self.height):
            return
        x0, y0 = round(float(pixels[:, 0].mean() - wide / 2)), round(float(pixels[1, 1]))
        xs, ys = slice(max(x0, 0), min(x0 + wide, self.width)), slice(max(y0, 0), y0 + tall)
        if xs.start >= xs.stop or ys.start >= min(ys.stop, self.height):
            return
        picture = self._through_air(picture, float(np.linalg.norm(base - self.eye)), tint)
        shrinks = tall < picture.shape[0]
        drawn = cv2.resize(
            picture, (wide, tall), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
        )
        part = self.image[ys, xs]
        drawn = drawn[ys.start - y0 :, xs.start - x0 :][: part.shape[0], : part.shape[1]]
        _blend(part, np.asarray(drawn, np.uint8), None)


def _blend(part: Bytes, drawn: Bytes, inside: Bytes | None) -> None:
    """Lay `drawn` [H, W, 3 or 4] over `part` where its alpha and `inside` say so."""
    alpha = inside
    if drawn.shape[2] == 4:
        own = np.ascontiguousarray(drawn[..., 3])
        alpha = own if inside is None else np.asarray(cv2.multiply(own, inside, scale=1 / 255))
        drawn = np.ascontiguousarray(drawn[..., :3])
    assert alpha is not None
    weight = alpha.astype(np.float32) / 255
    part[:] = cv2.blendLinear(drawn, np.ascontiguousarray(part), weight, 1 - weight)
