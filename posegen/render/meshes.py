"""The user's own meshes, read through trimesh."""

from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path

import numpy as np

from posegen.render.model import Finish, Floats, Model, Part
from posegen.render.primitives import Color
from posegen_runtime.choices import MeshUnit
from posegen_runtime.meshfile import SUFFIXES, read_mesh


class Up(str, Enum):
    """The axis of the mesh's own frame that points up; `AUTO` goes by the file format."""

    AUTO = "auto"
    X = "x"
    Y = "y"
    Z = "z"
    MINUS_X = "-x"
    MINUS_Y = "-y"
    MINUS_Z = "-z"

    def rotation(self, path: Path) -> Floats:
        """R with R @ up = z, a proper rotation; identity for z.

        A GLB is y-up because glTF says so; other formats say nothing and are taken as z-up.
        """
        axis = ("y" if path.suffix.lower() == ".glb" else "z") if self is Up.AUTO else self.value
        x, y, z = np.eye(3)
        rows = {
            "x": (y, z, x),
            "y": (z, x, y),
            "z": (x, y, z),
            "-x": (z, y, -x),
            "-y": (x, z, -y),
            "-z": (x, -y, -z),
        }
        return np.stack(rows[axis])


__all__ = ["SUFFIXES", "MeshSource", "MeshUnit", "Up"]


@dataclass(frozen=True)
class MeshSource:
    """A mesh file and how to read it."""

    path: Path
    unit: MeshUnit = MeshUnit.METRE
    up: Up = Up.AUTO

    @property
    def upright(self) -> Floats:
        """Rotation from the mesh's own frame to one with z up."""
        return self.up.rotation(self.path)

    def read(self, paint: Color = (160, 160, 165)) -> Part:
        """The mesh in metres, in its own frame. `paint` colours what has no colour of its own.

        Raises:
            PoseGenError: no such file, unknown format, unreadable, no triangles, no extent.
        """
        mesh = read_mesh(self.path, self.unit)
        finish = Finish.PAINT if mesh.colors is None else Finish.MATTE
        colors = mesh.colors
        if colors is None:
            colors = np.tile(np.asarray(paint, np.uint8), (len(mesh.vertices), 1))
        return Part(mesh.vertices, mesh.faces, colors, finish)

    def model(self, paint: Color) -> Model:
        """The mesh as an object to render: z up, origin at the centre of its box."""
        part = self.read(paint)
        return Model.centred([replace(part, vertices=part.vertices @ self.upright.T)])
