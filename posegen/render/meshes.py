"""The user's own meshes, read through trimesh."""

from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path
from typing import Any

import numpy as np

from posegen.render.model import Bytes, Finish, Floats, Model, Part
from posegen.render.primitives import Color
from posegen_runtime.errors import PoseGenError

SUFFIXES = (".obj", ".glb", ".ply", ".stl")


class MeshUnit(str, Enum):
    MILLIMETRE = "mm"
    CENTIMETRE = "cm"
    METRE = "m"
    INCH = "in"

    @property
    def metres(self) -> float:
        return {"mm": 0.001, "cm": 0.01, "m": 1.0, "in": 0.0254}[self.value]


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
        mesh = _load(self.path)
        faces = np.asarray(getattr(mesh, "faces", ()), np.int32)  # a point cloud has none
        if len(faces) == 0:
            raise PoseGenError(f"{self.path}: has no triangles; export a surface mesh")
        vertices = np.asarray(mesh.vertices, np.float64) * self.unit.metres
        if not np.isfinite(vertices).all():
            raise PoseGenError(f"{self.path}: has vertices that are not finite; repair the mesh")
        if np.linalg.norm(np.ptp(vertices[faces.ravel()], axis=0)) < 1e-9:
            raise PoseGenError(f"{self.path}: all vertices are one point; check the mesh")
        colors = _colors(mesh)
        finish = Finish.MATTE if colors is not None else Finish.PAINT
        if colors is None:
            colors = np.tile(np.asarray(paint, np.uint8), (len(vertices), 1))
        return _used(Part(vertices, faces, colors, finish))

    def model(self, paint: Color) -> Model:
        """The mesh as an object to render: z up, origin at the centre of its box."""
        part = self.read(paint)
        return Model.centred([replace(part, vertices=part.vertices @ self.upright.T)])


def _load(path: Path) -> Any:
    import trimesh

    if path.suffix.lower() not in SUFFIXES:
        raise PoseGenError(
            f"{path}: unknown mesh format; convert it to one of {', '.join(SUFFIXES)}"
        )
    if not path.is_file():
        raise PoseGenError(f"{path}: no such mesh file")
    try:
        loaded = trimesh.load(path, process=True)
        return loaded.to_geometry() if isinstance(loaded, trimesh.Scene) else loaded
    except Exception as error:  # trimesh's readers raise whatever their parsing meets
        reason = " ".join(str(error).split()) or type(error).__name__
        raise PoseGenError(f"{path}: cannot be read as a mesh: {reason[:200]}") from None


def _colors(mesh: Any) -> Bytes | None:
    """Vertex colours from vertex colours, face colours, material or texture; None without any."""
    visual = mesh.visual
    if visual.kind == "texture":
        try:
            return np.asarray(visual.to_color().vertex_colors)[:, :3].astype(np.uint8)
        except (AttributeError, IndexError, TypeError, ValueError):
            return None  # a material without a usable image: painted like a bare mesh
    if visual.kind in ("vertex", "face"):
        return np.asarray(visual.vertex_colors)[:, :3].astype(np.uint8)
    return None


def _used(part: Part) -> Part:
    """Without the vertices that no triangle has: they would move the box's centre."""
    used, faces = np.unique(part.faces, return_inverse=True)
    return replace(
        part,
        vertices=part.vertices[used],
        colors=part.colors[used],
        faces=faces.reshape(-1, 3).astype(np.int32),
    )
