"""The shadow of an object on the ground."""

from typing import Any

import cv2
import numpy as np

from posegen.render.model import Floats, Model
from posegen.render.street import Street


class Shadow:
    """The object flattened onto the ground along the light, and the darkness under it, as a soft
    picture on one rectangle: overlapping flattened triangles would darken each other."""

    SIZE = 128

    def __init__(self, plotter: Any) -> None:
        import pyvista

        self.quad = pyvista.Plane(i_resolution=1, j_resolution=1)
        self.texture = pyvista.Texture(np.zeros((self.SIZE, self.SIZE, 4), np.uint8))
        self.texture.SetInterpolate(True)
        self.actor = plotter.add_mesh(
            self.quad, texture=self.texture, lighting=False, reset_camera=False
        )
        self.actor.ForceTranslucentOn()

    def load(self, model: Model) -> None:
        whole = model.whole
        triangles = whole.vertices[whole.faces]
        areas = np.linalg.norm(
            np.cross(triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0]), axis=1
        )
        rng = np.random.default_rng(5)
        chosen = rng.choice(len(areas), 24_000, p=areas / areas.sum())
        a, b = rng.random((2, len(chosen), 1))
        a, b = np.where(a + b > 1, 1 - a, a), np.where(a + b > 1, 1 - b, b)
        corner = triangles[chosen]
        points = (
            corner[:, 0] + a * (corner[:, 1] - corner[:, 0]) + b * (corner[:, 2] - corner[:, 0])
        )
        self._points = points + np.array([0, 0, model.size[2] / 2])
        self._unit = float(model.size.max() / 4.4)

    def update(self, street: Street) -> None:
        points, unit = self._points, self._unit
        cast = points[:, :2] - points[:, 2:] * (street.sun[:2] / street.sun[2])
        margin = 1.2 * unit
        low = np.minimum(cast.min(axis=0), points[:, :2].min(axis=0)) - margin
        high = np.maximum(cast.max(axis=0), points[:, :2].max(axis=0)) + margin
        cell = (high - low) / self.SIZE

        def soft(flat: Floats, blur: float) -> Floats:
            index = ((flat - low) / cell).astype(int)
            image = np.zeros((self.SIZE, self.SIZE), np.float32)
            image[index[:, 1], index[:, 0]] = 1
            closed = cv2.morphologyEx(image, cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
            x, y = np.maximum(blur * unit / cell, 0.6)
            return np.asarray(cv2.GaussianBlur(closed, (0, 0), x, sigmaY=y), np.float64)

        light = (1 - street.shadow * soft(cast, street.shadow_blur)) * (
            1 - 0.45 * soft(points[:, :2], 0.22)
        )
        rgba = np.zeros((self.SIZE, self.SIZE, 4), np.uint8)
        rgba[..., 3] = np.round(255 * (1 - light))
        image = self.texture.to_image()
        image.active_scalars[:] = rgba.reshape(-1, 4)
        image.Modified()
        lift = 0.008 * unit
        self.quad.points = np.array(
            [[low[0], low[1], lift], [high[0], low[1], lift], [low[0], high[1], lift],
             [high[0], high[1], lift]]
        )  # fmt: skip
