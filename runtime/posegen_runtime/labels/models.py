"""The model files of a BOP data set, in millimetres."""

from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt

from posegen_runtime.meshfile import Mesh

Floats = npt.NDArray[np.float64]
GREY = 160
FOLDER = "models"


def write_models(folder: Path, mesh: Mesh, number: int) -> None:
    """Write `models/` of a data set whose one object has this number. Raises `OSError`."""
    models = folder / FOLDER
    models.mkdir()
    (models / f"obj_{number:06}.ply").write_bytes(ply(mesh))
    infos = {str(number): model_info(1000 * mesh.vertices)}
    text = msgspec.json.format(msgspec.json.encode(infos), indent=2)
    (models / "models_info.json").write_bytes(text + b"\n")


def model_info(vertices: Floats) -> dict[str, float]:
    """The model's entry of models_info.json. Vertices [V, 3] in millimetres."""
    low, size = vertices.min(axis=0), np.ptp(vertices, axis=0)
    entry = {"diameter": diameter(vertices)}
    for axis, name in enumerate("xyz"):
        entry[f"min_{name}"] = float(low[axis])
    for axis, name in enumerate("xyz"):
        entry[f"size_{name}"] = float(size[axis])
    return entry


def diameter(vertices: Floats, directions: int = 4096) -> float:
    """Largest distance between two vertices. Large meshes are first reduced to their extreme
    vertices in many directions, which costs less than 0.1 % of the result."""
    if len(vertices) > directions:
        turn = np.arange(directions) * np.pi * (3 - np.sqrt(5))
        z = np.linspace(1, 0, directions)
        radius = np.sqrt(1 - z**2)
        ways = np.c_[radius * np.cos(turn), radius * np.sin(turn), z]
        extremes, rows = set(), np.ascontiguousarray(vertices.T)
        for some in np.array_split(ways, 64):
            along = some @ rows  # a row for a direction: fast to go through
            extremes |= {*along.argmin(axis=1).tolist(), *along.argmax(axis=1).tolist()}
        vertices = vertices[sorted(extremes)]
    ends = vertices[_longest(vertices - vertices.mean(axis=0))]
    return float(max(np.sqrt(((vertices - end) ** 2).sum(axis=-1)).max() for end in ends))


def _longest(vertices: Floats) -> npt.NDArray[np.bool_]:
    """Which vertices, near the origin, have one about as far away as any pair is: to rounding."""
    squares = (vertices**2).sum(axis=1)
    parts = np.array_split(np.arange(len(vertices)), len(vertices) // 64 + 1)
    reach = np.concatenate(
        [(squares - 2 * vertices[part] @ vertices.T).max(axis=1) + squares[part] for part in parts]
    )
    return np.asarray(reach >= (1 - 1e-9) * reach.max())


def ply(mesh: Mesh) -> bytes:
    """A binary PLY file in millimetres of a mesh in metres, with its colours or grey ones."""
    colors = mesh.colors
    if colors is None:
        colors = np.full((len(mesh.vertices), 3), GREY, np.uint8)
    vertices = np.zeros(len(mesh.vertices), [("xyz", "<f4", 3), ("rgb", "u1", 3)])
    vertices["xyz"], vertices["rgb"] = 1000 * mesh.vertices, colors
    faces = np.zeros(len(mesh.faces), [("count", "u1"), ("index", "<i4", 3)])
    faces["count"], faces["index"] = 3, mesh.faces
    lines = ["ply", "format binary_little_endian 1.0", f"element vertex {len(vertices)}"]
    lines += [f"property float {axis}" for axis in "xyz"]
    lines += [f"property uchar {color}" for color in ("red", "green", "blue")]
    lines += [f"element face {len(faces)}", "property list uchar int vertex_indices", "end_header"]
    return "\n".join(lines).encode() + b"\n" + vertices.tobytes() + faces.tobytes()
