"""Where a pose puts its object's axes in the picture."""

import cv2
import numpy as np
import numpy.typing as npt

from posegen_runtime.poses import Pose

Line = tuple[float, float, float, float]
SHARE = 0.45
"""Of the silhouette's box diagonal, for an axis that is seen from the side."""


def axes(pose: Pose, mask: npt.NDArray[np.uint8]) -> tuple[Line, ...]:
    """x, y and z of the model as lines (x0, y0, x1, y1) in pixels of its silhouette `mask`,
    uint8 [H, W]. None where one of them does not end before the camera."""
    _, _, across, down = cv2.boundingRect(np.asarray(mask > 127, np.uint8))
    camera = np.reshape(pose.cam_K, (3, 3))
    depth = abs(pose.t_m2c[2])
    length = SHARE * float(np.hypot(across, down)) * depth / camera[0, 0]
    points = np.concatenate([np.zeros((1, 3)), length * np.eye(3)])
    seen = points @ np.reshape(pose.R_m2c, (3, 3)).T + np.array(pose.t_m2c)
    if pose.camera_frame == "opengl":
        seen = seen * [1, -1, -1]
    if (seen[:, 2] <= 0).any():
        return ()
    pixels = seen @ camera.T
    placed = pixels[:, :2] / pixels[:, 2:] + (0.5 if pose.pixel_center == "integer" else 0.0)
    origin, *ends = placed.tolist()
    return tuple((*origin, *end) for end in ends)
