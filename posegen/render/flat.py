"""Objects as a plain simulator shows them: one tone for each triangle, by its angle to the line of
sight. No sun, no reflections, no shadow, no surroundings."""

import cv2
import numpy as np

from posegen.render.camera import View
from posegen.render.model import Bytes, Model
from posegen.render.offscreen import Window, surface
from posegen.render.silhouettes import SilhouetteRenderer

SAMPLES = 2
"""Samples along each side of a pixel."""
_AMBIENT = 0.35


class FlatRenderer:
    """One model after another, all of one image size."""

    def __init__(self, width: int, height: int) -> None:
        import pyvista

        self.size = (width, height)
        self.window = Window(width * SAMPLES, height * SAMPLES)
        self.window.plotter.set_background("black")
        self.actor = self.window.plotter.add_mesh(
            pyvista.Sphere(), lighting=False, reset_camera=False
        )
        self.silhouettes = SilhouetteRenderer(width * SAMPLES, height * SAMPLES)

    def load(self, model: Model) -> None:
        """Take a model, in metres."""
        whole = model.whole
        corners = whole.vertices[whole.faces]
        normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
        lengths = np.linalg.norm(normals, axis=1, keepdims=True)
        self._normals = normals / np.maximum(lengths, 1e-12)
        self._centres = corners.mean(axis=1)
        self._colors = whole.colors[whole.faces].mean(axis=1)
        self._mesh = surface(whole.vertices, whole.faces)
        self._mesh.cell_data["rgb"] = np.zeros((len(whole.faces), 3), np.uint8)
        self._vertices = whole.vertices
        mapper = self.actor.GetMapper()
        mapper.SetInputData(self._mesh)
        mapper.SetScalarModeToUseCellFieldData()
        mapper.SelectColorArray("rgb")
        mapper.SetColorModeToDirectScalars()
        mapper.ScalarVisibilityOn()
        self.silhouettes.load(whole.vertices, whole.faces)

    def render(self, view: View) -> tuple[Bytes, Bytes]:
        """The model in its own frame, as the view sees it: its colours on black, uint8 [H, W, 3],
        and which share of each pixel it covers, uint8 [H, W]."""
        sight = view.position - self._centres
        sight /= np.linalg.norm(sight, axis=1, keepdims=True)
        # Meshes need not be oriented: a triangle is as bright from behind.
        facing = np.abs(np.einsum("ij,ij->i", self._normals, sight))
        tones = _AMBIENT + (1 - _AMBIENT) * facing
        shown = self._mesh.cell_data["rgb"]
        shown[:] = np.round(self._colors * tones[:, None])
        shown.VTKObject.Modified()
        self._mesh.Modified()
        depths = view.to_camera(self._vertices)[:, 2]
        far = float(depths.max())
        near = max(0.98 * float(depths.min()), 1e-3 * far)
        self.window.look(view, near, 1.02 * far)
        fine = self.window.pixels(), self.silhouettes.render(view)
        color, cover = (cv2.resize(one, self.size, interpolation=cv2.INTER_AREA) for one in fine)
        return np.asarray(color, np.uint8), np.asarray(cover, np.uint8)

    def close(self) -> None:
        self.window.close()
        self.silhouettes.close()
