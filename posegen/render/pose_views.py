"""From a pose in any convention to the view that the renderer draws."""

import numpy as np

from posegen.render.camera import View
from posegen_runtime.poses import Pose

METRES = {"m": 1.0, "mm": 0.001}
_OPENGL = np.diag([1.0, -1.0, -1.0])


def view_of(pose: Pose) -> View:
    """The pose's camera in OpenCV's frame with integer pixel centres, in the pose's unit."""
    R, t = np.reshape(pose.R_m2c, (3, 3)), np.asarray(pose.t_m2c, np.float64)
    if pose.camera_frame == "opengl":
        R, t = _OPENGL @ R, _OPENGL @ t
    K = np.array(pose.cam_K, np.float64).reshape(3, 3)
    if pose.pixel_center == "half":
        K[:2, 2] -= 0.5
    return View(R, t, K, *pose.image_size)
