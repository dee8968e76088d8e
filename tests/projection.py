"""Projects points of posed objects and rasterises them, by the definitions and nothing else.

Tests hold cameras, poses and silhouettes against this, so it uses no code of the packages but the
fields of a pose.
"""

import cv2
import numpy as np

from posegen_runtime.poses import Pose


def box_points(height: float, width: float, length: float) -> np.ndarray:
    """The 8 corners [8, 3] of a box around the origin."""
    signs = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)])
    return signs * np.array([length, width, height]) / 2


def project(points: np.ndarray, pose: Pose) -> np.ndarray:
    """Model points [n, 3], in the unit of the pose, → pixels [n, 2] in the half convention."""
    camera_points = points @ np.reshape(pose.R_m2c, (3, 3)).T + pose.t_m2c
    if pose.camera_frame == "opengl":
        camera_points = camera_points * (1, -1, -1)
    assert (camera_points[:, 2] > 0).all()
    homogeneous = camera_points @ np.reshape(pose.cam_K, (3, 3)).T
    pixels = homogeneous[:, :2] / homogeneous[:, 2:]
    return pixels + (0.5 if pose.pixel_center == "integer" else 0.0)


def hull(points: np.ndarray) -> np.ndarray:
    """Convex hull [k, 2] of pixels [n, 2]: the outline of a convex object."""
    return cv2.convexHull(points.astype(np.float32))[:, 0].astype(float)


def rasterise(points: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Convex hull of pixels [n, 2] → uint8 {0, 255} of (height, width): set where a pixel's centre
    lies inside."""
    corners = hull(points)
    y, x = np.mgrid[0 : size[0], 0 : size[1]] + 0.5
    inside = np.ones(size, bool)
    for a, b in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        inside &= (b[0] - a[0]) * (y - a[1]) - (b[1] - a[1]) * (x - a[0]) >= 0
    return inside.astype(np.uint8) * 255


def offset(mask: np.ndarray, points: np.ndarray) -> np.ndarray:
    """How far (x, y) a silhouette's centroid lies from that of the points' convex hull, in pixels.

    Exact to a few hundredths of a pixel for shapes of 50 pixels or more that the frame does not
    cut, so a shift of a quarter of a pixel shows.
    """
    y, x = np.nonzero(mask)
    moments = cv2.moments(hull(points).astype(np.float32))
    centre = np.array([moments["m10"], moments["m01"]]) / moments["m00"]
    return np.array([x.mean() + 0.5, y.mean() + 0.5]) - centre


def overlap(mask: np.ndarray, points: np.ndarray) -> float:
    """IoU of a silhouette and the points' convex hull."""
    expected = rasterise(points, (mask.shape[0], mask.shape[1])) > 0
    given = mask > 0
    return float((expected & given).sum() / (expected | given).sum())
