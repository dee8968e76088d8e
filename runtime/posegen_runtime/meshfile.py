"""The user's own meshes, read through trimesh."""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from posegen_runtime.choices import MeshUnit
from posegen_runtime.errors import PoseGenError

SUFFIXES = (".obj", ".glb", ".ply", ".stl")


class Mesh(NamedTuple):
    """In metres, in the file's own frame; every vertex belongs to a triangle."""

    vertices: npt.NDArray[np.float64]
    """[V, 3]"""
    faces: npt.NDArray[np.int32]
    """[F, 3]"""
    colors: npt.NDArray[np.uint8] | None
    """[V, 3] RGB; None where the file has none."""


def read_mesh(path: Path, unit: MeshUnit) -> Mesh:
    """Raises `PoseGenError`: no such file, unknown format, unreadable, no triangles, no extent."""
    mesh = _load(path)
    faces = np.asarray(getattr(mesh, "faces", ()), np.int32)  # a point cloud has none
    if len(faces) == 0:
        raise PoseGenError(f"{path}: has no triangles; export a surface mesh")
    vertices = np.asarray(mesh.vertices, np.float64) * unit.metres
    if not np.isfinite(vertices).all():
        raise PoseGenError(f"{path}: has vertices that are not finite; repair the mesh")
    if np.linalg.norm(np.ptp(vertices[faces.ravel()], axis=0)) < 1e-9:
        raise PoseGenError(f"{path}: all vertices are one point; check the mesh")
    colors = _colors(mesh)
    # Those that no triangle has would move the box's centre.
    used, renumbered = np.unique(faces, return_inverse=True)
    return Mesh(
        vertices[used],
        renumbered.reshape(-1, 3).astype(np.int32),
        None if colors is None else colors[used],
    )


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


def _colors(mesh: Any) -> npt.NDArray[np.uint8] | None:
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
