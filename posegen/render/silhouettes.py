"""Exact silhouettes: a pixel is 255 where its centre lies on the object."""

import numpy as np

from posegen.render.camera import View
from posegen.render.model import Bytes, Floats, Ints
from posegen.render.offscreen import Window, surface


class SilhouetteRenderer:
    """Silhouettes of one mesh after another, all of one image size."""

    def __init__(self, width: int, height: int) -> None:
        import pyvista

        self.window = Window(width, height)
        self.window.plotter.set_background("black")
        self.actor = self.window.plotter.add_mesh(
            pyvista.Sphere(), color="white", lighting=False, reset_camera=False
        )

    def load(self, vertices: Floats, faces: Ints) -> None:
        """Take a mesh: vertices [V, 3] in any unit, faces [F, 3]."""
        self._vertices = vertices
        self.actor.GetMapper().SetInputData(surface(vertices, faces))

    def render(self, view: View) -> Bytes:
        """The silhouette, uint8 [H, W] in {0, 255}, of the mesh in the view's units."""
        depths = view.to_camera(self._vertices)[:, 2]
        far = float(depths.max())
        near = max(0.98 * float(depths.min()), 1e-3 * far)
        self.window.look(view, near, 1.02 * far)
        return np.where(self.window.pixels()[..., 0] > 127, 255, 0).astype(np.uint8)

    def render_whole(self, view: View) -> Bytes:
        """The silhouette on a canvas of three times the image's size with the image in its middle,
        uint8 [3H, 3W]: what BOP takes for an object that the border cuts."""
        width, height = view.width, view.height
        rows = [
            np.hstack([self.render(view.shifted(x, y)) for x in (-width, 0, width)])
            for y in (-height, 0, height)
        ]
        return np.vstack(rows)

    def close(self) -> None:
        self.window.close()
