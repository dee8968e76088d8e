"""The files of a BOP data set: millimetres, OpenCV frame, integer pixel centres.

Definitions follow the BOP toolkit: boxes are [x, y, w, h] with w = x_max - x_min of the pixels.
"""

from typing import Any

import numpy as np

from posegen.render.camera import View
from posegen.render.model import Bytes, Part
from posegen_runtime.labels import models
from posegen_runtime.labels.models import diameter, model_info
from posegen_runtime.meshfile import Mesh

__all__ = ["box_of", "diameter", "model_info", "ply", "scene_camera", "scene_gt", "scene_gt_info"]


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


def ply(part: Part) -> bytes:
    """A binary PLY file in millimetres of a part in metres, with vertex colours."""
    return models.ply(Mesh(part.vertices, part.faces, part.colors))
