"""The stage: one window whose scene is edited in place; a new scene costs ten times more."""

import cv2
import numpy as np

from posegen.render.camera import View
from posegen.render.model import Bytes, Finish, Floats, Model
from posegen.render.offscreen import Window, smooth_surface
from posegen.render.parked import parked_cars
from posegen.render.scenery import backdrop, seen_street
from posegen.render.shading import shade
from posegen.render.shadow import Shadow
from posegen.render.street import Street

SUPERSAMPLING = 2
"""Samples along each side of a pixel; cheaper here than OpenGL's multisampling and better."""


class Stage:
    """Draws a model in a street. The model stands above the world's origin on the ground."""

    def __init__(self, width: int, height: int) -> None:
        import pyvista

        self.size = (width, height)
        self.window = window = Window(width * SUPERSAMPLING, height * SUPERSAMPLING)
        plotter = window.plotter
        self._backdrop = pyvista.Texture(np.zeros((window.height, window.width, 3), np.uint8))
        self._backdrop.SetInterpolate(False)
        plotter.renderer.SetBackgroundTexture(self._backdrop)
        plotter.renderer.SetTexturedBackground(True)
        self.parked = parked_cars(plotter)
        self.shadow = Shadow(plotter)
        self.parts = {
            finish: plotter.add_mesh(pyvista.Sphere(), lighting=False, reset_camera=False)
            for finish in Finish
        }
        self.show_model(None)

    def load(self, model: Model) -> None:
        """Make `model` the object that is drawn."""
        self.shadow.load(model)
        self.lift = float(model.size[2] / 2)
        self.radius = float(np.linalg.norm(model.size) / 2)
        self.scale = float(model.size.max() / 4.4)
        self._model = {
            part.finish: smooth_surface(part.vertices, part.faces, part.colors)
            for part in model.parts
        }
        self._geometry = {
            finish: (
                np.asarray(mesh.points) + np.array([0, 0, self.lift]),
                np.array(mesh.point_normals),
            )
            for finish, mesh in self._model.items()
        }
        self._shown = {finish: mesh.point_data["rgb"] for finish, mesh in self._model.items()}
        self._colors = {finish: np.array(shown) for finish, shown in self._shown.items()}
        for finish, mesh in self._model.items():
            mapper = self.parts[finish].GetMapper()
            mapper.SetInputData(mesh)
            mapper.SetScalarModeToUsePointData()
            mapper.SetColorModeToDirectScalars()
            mapper.ScalarVisibilityOn()
            self.parts[finish].SetPosition(0, 0, self.lift)

    def show_model(self, finishes: set[Finish] | None) -> None:
        for finish, actor in self.parts.items():
            actor.SetVisibility(finishes is not None and finish in finishes)
        self.shadow.actor.SetVisibility(finishes is not None)

    def dress(self, street: Street, view: View) -> None:
        """Put the scene around the object and the camera in place."""
        street = seen_street(street, view, self.radius, self.scale)
        image = self._backdrop.to_image()
        self._painted = painted = backdrop(street, view, self.scale, SUPERSAMPLING)
        image.active_scalars[:] = painted[::-1].reshape(-1, 3)
        image.Modified()
        for parked, car in zip(self.parked, street.cars, strict=True):
            parked.update(car, street, view, self.scale)
        self.shadow.update(street)
        for finish, mesh in self._model.items():
            points, normals = self._geometry[finish]
            self._shown[finish][:] = shade(
                points, normals, self._colors[finish], finish, street, view.position
            )
            self._shown[finish].VTKObject.Modified()
            mesh.Modified()
        distance = float(np.linalg.norm(view.position))
        self.window.look(view, 0.1 * distance, 200 * self.scale + distance)
        levels = np.linspace(0, 1, 256)[:, None] ** street.gamma * street.gain
        self._tones = np.round(255 * _shoulder(levels)).astype(np.uint8)[None]

    def with_object(self) -> Bytes:
        """The dressed scene with the object, uint8 [H, W, 3]."""
        self.show_model(set(self._model))
        return self._image()

    def without_object(self) -> Bytes:
        """The dressed scene without the object and its shadow, uint8 [H, W, 3]."""
        if not any(car.shown for car in self.parked):
            return self._taken(self._painted)  # what the window would show
        self.show_model(None)
        return self._image()

    def _image(self) -> Bytes:
        return self._taken(self.window.pixels())

    def _taken(self, pixels: Bytes) -> Bytes:
        """The window's pixels in the image's size and the camera's tones."""
        seen = cv2.resize(pixels, self.size, interpolation=cv2.INTER_AREA)
        return np.asarray(cv2.LUT(seen, self._tones), np.uint8)


def _shoulder(levels: Floats) -> Floats:
    """Bright levels roll off towards 1 as a camera's tone curve has it."""
    return np.where(levels > 0.8, 0.8 + 0.2 * np.tanh((levels - 0.8) / 0.2), levels)
