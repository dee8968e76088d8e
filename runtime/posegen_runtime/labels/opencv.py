"""A pose in the convention that BOP and KITTI share: OpenCV's camera, integer pixel centres."""

import functools
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from posegen_runtime.poses import Pose

Floats = NDArray[np.float64]
METRES = {"m": 1.0, "mm": 0.001}
_OPENGL = np.diag([1.0, -1.0, -1.0])


class View(NamedTuple):
    """Model to camera: x right, y down, z forward."""

    R: Floats
    """[3, 3]"""
    t: Floats
    """[3], metres."""
    K: Floats
    """[3, 3] in pixels; the centre of the first one is (0, 0)."""


@functools.lru_cache(maxsize=64)  # several formats ask for the same few
def opencv_view(pose: Pose) -> View:
    """The pose, in whatever convention it came; the arrays are shared and cannot be written."""
    R, t = np.reshape(pose.R_m2c, (3, 3)), np.array(pose.t_m2c) * METRES[pose.t_unit]
    if pose.camera_frame == "opengl":
        R, t = _OPENGL @ R, _OPENGL @ t
    K = np.array(pose.cam_K, np.float64).reshape(3, 3)
    if pose.pixel_center == "half":
        K[:2, 2] -= 0.5
    for array in (R, t, K):
        array.flags.writeable = False
    return View(R, t, K)
