"""Parked cars: a fixed pool of shapes, painted and placed anew in every street."""

from typing import Any

import numpy as np

from posegen.render.camera import View
from posegen.render.canvas import rotation
from posegen.render.car_shapes import draw_car
from posegen.render.cars import build_car
from posegen.render.model import Bytes, Finish, Floats
from posegen.render.offscreen import smooth_surface
from posegen.render.shading import shade
from posegen.render.street import POOL, ParkedCar, Street

_PAINTED = (Finish.PAINT, Finish.METALLIC)


class Parked:
    """One car of the pool, the same shape at every start."""

    def __init__(self, plotter: Any, number: int) -> None:
        shape = draw_car(np.random.default_rng([78, number]))
        model = build_car(shape)
        self.shown = False
        self._lift = float(model.size[2] / 2)
        self._parts = []
        for part in model.parts:
            mesh = smooth_surface(part.vertices, part.faces, part.colors)
            actor = plotter.add_mesh(
                mesh, scalars="rgb", rgb=True, lighting=False, reset_camera=False
            )
            colors: Bytes = np.array(mesh.point_data["rgb"])
            own = np.abs(colors.astype(int) - np.array(shape.paint)).max(axis=1) < 6
            # Plain arrays: a mesh's own are slow to calculate with.
            points = np.array(mesh.points, np.float64), np.array(mesh.point_normals, np.float64)
            self._parts.append((part.finish, mesh, actor, points, colors, own))

    def update(self, car: ParkedCar | None, street: Street, view: View, scale: float) -> None:
        self.shown = shown = car is not None and _in_frame(car, street, view, scale)
        for finish, mesh, actor, (points, normals), colors, own in self._parts:
            actor.SetVisibility(shown)
            if car is None or not shown:
                continue
            turn = rotation(street.angle + car.heading)
            place: Floats = rotation(street.angle) @ np.array([car.x, car.y, self._lift])
            painted = colors.copy()
            if finish in _PAINTED:
                painted[own] = np.round(255 * car.paint)
            mesh.point_data["rgb"][:] = shade(
                points @ turn.T + place, normals @ turn.T,
                painted, finish, street, view.position / scale,
            )  # fmt: skip
            mesh.point_data["rgb"].VTKObject.Modified()
            mesh.Modified()
            actor.SetPosition(*(scale * place))
            actor.SetOrientation(0, 0, float(np.degrees(street.angle + car.heading)))
            actor.SetScale(scale)


def _in_frame(car: ParkedCar, street: Street, view: View, scale: float) -> bool:
    """Whether the image can show any of it."""
    foot = np.c_[car.corners(), np.zeros(4)]
    ends = np.concatenate([foot, foot + np.array([0, 0, 2.2])])
    pixels = view.project(scale * ends @ rotation(street.angle).T)
    size = (view.width, view.height)
    return bool((pixels.max(axis=0) > 0).all() and (pixels.min(axis=0) < size).all())


def parked_cars(plotter: Any) -> list[Parked]:
    return [Parked(plotter, number) for number in range(POOL)]
