"""The stage: one window whose scene is edited in place; a new scene costs ten times more."""

from typing import Any

import cv2
import numpy as np

from posegen.render import textures
from posegen.render.camera import View
from posegen.render.model import Bytes, Finish, Model, Part
from posegen.render.offscreen import Window, surface
from posegen.render.scenery import Buildings, Ground, Trees
from posegen.render.shadow import Shadow
from posegen.render.street import REACH, Street

SUPERSAMPLING = 2
"""Samples along each side of a pixel; cheaper here than OpenGL's multisampling and better."""

_FINISHES = {  # ambient, diffuse, specular, specular power
    Finish.PAINT: (0.30, 0.68, 0.45, 40),
    Finish.GLASS: (0.30, 0.60, 0.90, 60),
    Finish.MATTE: (0.35, 0.80, 0.08, 8),
    Finish.LAMP: (0.75, 0.35, 0.60, 40),
}


def _smooth(part: Part, smooth: float = 38.0) -> Any:
    """A part with normals that stay smooth up to an angle of `smooth` degrees."""
    mesh = surface(part.vertices, part.faces)
    mesh.point_data["rgb"] = part.colors
    mesh = mesh.compute_normals(
        cell_normals=False,
        split_vertices=True,
        feature_angle=smooth,
        consistent_normals=False,
        auto_orient_normals=False,
    )
    mesh.set_active_scalars("rgb", preference="point")
    return mesh


class Stage:
    """Draws a model in a street. The model stands above the world's origin on the ground."""

    def __init__(self, width: int, height: int) -> None:
        import pyvista

        self.size = (width, height)
        self.window = Window(width * SUPERSAMPLING, height * SUPERSAMPLING)
        plotter = self.window.plotter
        plotter.remove_all_lights()
        self.sun, self.sky, self.front = (pyvista.Light() for _ in range(3))
        self.sun.set_scene_light()
        self.sky.set_scene_light()
        self.sky.position, self.sky.focal_point = (0, 0, 1), (0, 0, 0)
        self.front.set_headlight()
        for light in (self.sun, self.sky, self.front):
            light.positional = False
            plotter.add_light(light)
        self.ground = Ground(plotter)
        self.buildings = [Buildings(plotter, n, wall) for n, wall in enumerate(textures.facades())]
        self.trees = Trees(plotter)
        self.shadow = Shadow(plotter)
        self.parts = {}
        for finish, (ambient, diffuse, specular, power) in _FINISHES.items():
            actor = plotter.add_mesh(
                pyvista.Sphere(), ambient=ambient, diffuse=diffuse, specular=specular,
                specular_power=power, smooth_shading=True, reset_camera=False,
            )  # fmt: skip
            self.parts[finish] = actor
        self.show_model(None)

    def load(self, model: Model) -> None:
        """Make `model` the object that is drawn."""
        self.shadow.load(model)
        self.lift = float(model.size[2] / 2)
        self.radius = float(np.linalg.norm(model.size) / 2)
        self.scale = float(model.size.max() / 4.4)
        self._model = {part.finish: _smooth(part) for part in model.parts}
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
        self.ground.update(street, self.scale)
        for buildings in self.buildings:
            buildings.update(street, view, self.radius, self.scale)
        self.trees.update(street, view, self.radius, self.scale)
        self.shadow.update(street)
        renderer = self.window.plotter.renderer
        renderer.GradientBackgroundOn()
        renderer.SetBackground(*street.sky[0])
        renderer.SetBackground2(*street.sky[1])
        self.sun.position, self.sun.focal_point = tuple(street.sun), (0, 0, 0)
        self.sun.diffuse_color = self.sun.specular_color = tuple(street.sun_color)
        self.sky.intensity, self.front.intensity = 0.75 * street.fill, 0.85 * street.fill
        distance = float(np.linalg.norm(view.position))
        self.window.look(view, 0.1 * distance, 2.5 * REACH * self.scale + distance)

    def with_object(self) -> Bytes:
        """The dressed scene with the object, uint8 [H, W, 3]."""
        self.show_model(set(self._model))
        return self._image()

    def without_object(self) -> Bytes:
        """The dressed scene without the object and its shadow, uint8 [H, W, 3]."""
        self.show_model(None)
        return self._image()

    def _image(self) -> Bytes:
        return cv2.resize(self.window.pixels(), self.size, interpolation=cv2.INTER_AREA)  # type: ignore[return-value]
