"""The files of a BOP data set: millimetres, OpenCV frame, integer pixel centres.

Definitions follow the BOP toolkit: boxes are [x, y, w, h] with w = x_max - x_min of the pixels.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from posegen.render.camera import View
from posegen.render.model import Bytes, Floats, Part


def scene_gt(view: View, object_id: int) -> list[dict[str, Any]]:
    """The frame's entry of scene_gt.json; the view is of the model, in metres."""
    return [
        {
            "cam_R_m2c": view.R.ravel().tolist(),
            "cam_t_m2c": (1000 * view.t).tolist(),
            "obj_id": object_id,
        }
    ]


def scene_camera(view: View) -> dict[str, Any]:
    """The frame's entry of scene_camera.json."""
    return {"cam_K": view.K.ravel().tolist(), "depth_scale": 1.0}


def box_of(mask: Bytes, left: int = 0, top: int = 0) -> list[int]:
    """BOP's box of a mask whose first pixel stands for (left, top); -1s for an empty one."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if len(rows) == 0:
        return [-1, -1, -1, -1]
    return [
        int(columns[0] + left),
        int(rows[0] + top),
        int(columns[-1] - columns[0]),
        int(rows[-1] - rows[0]),
    ]


def scene_gt_info(mask: Bytes, whole: Bytes | None) -> list[dict[str, Any]]:
    """The frame's entry of scene_gt_info.json, for an object that nothing hides.

    Args:
        mask: silhouette within the image, uint8 [H, W].
        whole: silhouette on the canvas of three times the size [3H, 3W], where the border cuts
            the object; None where it does not.
    """
    height, width = mask.shape
    visible = int(np.count_nonzero(mask))
    everything = visible if whole is None else int(np.count_nonzero(whole))
    return [
        {
            "bbox_obj": box_of(mask) if whole is None else box_of(whole, -width, -height),
            "bbox_visib": box_of(mask),
            "px_count_all": everything,
            "px_count_valid": visible,
            "px_count_visib": visible,
            "visib_fract": visible / everything if everything else 0.0,
        }
    ]


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


def ply(part: Part) -> bytes:
    """A binary PLY file in millimetres of a part in metres, with vertex colours."""
    vertices = np.zeros(len(part.vertices), [("xyz", "<f4", 3), ("rgb", "u1", 3)])
    vertices["xyz"], vertices["rgb"] = 1000 * part.vertices, part.colors
    faces = np.zeros(len(part.faces), [("count", "u1"), ("index", "<i4", 3)])
    faces["count"], faces["index"] = 3, part.faces
    lines = ["ply", "format binary_little_endian 1.0", f"element vertex {len(vertices)}"]
    lines += [f"property float {axis}" for axis in "xyz"]
    lines += [f"property uchar {color}" for color in ("red", "green", "blue")]
    lines += [f"element face {len(faces)}", "property list uchar int vertex_indices", "end_header"]
    return "\n".join(lines).encode() + b"\n" + vertices.tobytes() + faces.tobytes()
