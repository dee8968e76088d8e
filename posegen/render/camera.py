"""Pinhole cameras: projection, orbits, distances that make an object fill its share of the image.

Frames are OpenCV's (x right, y down, z forward). Pixel coordinates have integer centres: the centre
of the first pixel is (0, 0).
"""

from dataclasses import dataclass, replace

import numpy as np

from posegen.render.model import Floats


@dataclass(frozen=True)
class View:
    """A camera and where it stands: X_camera = R X + t, in the units of the points it looks at."""

    R: Floats
    t: Floats
    K: Floats
    width: int
    height: int

    def to_camera(self, points: Floats) -> Floats:
        """Points [N, 3] in the camera frame."""
        return points @ self.R.T + self.t

    def project(self, points: Floats) -> Floats:
        """Pixel coordinates [N, 2] of points [N, 3] in front of the camera."""
        image = self.to_camera(points) @ self.K.T
        return image[:, :2] / image[:, 2:]

    @property
    def position(self) -> Floats:
        return -self.R.T @ self.t

    def of_model(self, origin: Floats) -> "View":
        """The same camera for points given relative to `origin`."""
        return replace(self, t=self.t + self.R @ origin)

    def shifted(self, columns: int, rows: int) -> "View":
        """The view onto the tile that lies `columns` and `rows` whole pixels away."""
        K = self.K.copy()
        K[:2, 2] -= (columns, rows)
        return replace(self, K=K)


def intrinsics(width: int, height: int, fov_degrees: float) -> Floats:
    """Camera matrix with square pixels whose shorter side spans `fov_degrees`, principal point at
    the image's centre."""
    focal = min(width, height) / 2 / np.tan(np.radians(fov_degrees) / 2)
    return np.array([[focal, 0, (width - 1) / 2], [0, focal, (height - 1) / 2], [0, 0, 1.0]])


def orbit(
    target: Floats, yaw: float, elevation: float, distance: float, roll: float = 0.0
) -> tuple[Floats, Floats]:
    """(R, t) of a camera that looks at `target` from `distance`, `yaw` radians round the z axis
    from +x and `elevation` radians above the horizontal, rolled about its axis."""
    away = np.array(
        [np.cos(yaw) * np.cos(elevation), np.sin(yaw) * np.cos(elevation), np.sin(elevation)]
    )
    right = np.array([-np.sin(yaw), np.cos(yaw), 0.0])
    down = np.cross(-away, right)
    turn = np.array([[np.cos(roll), np.sin(roll), 0], [-np.sin(roll), np.cos(roll), 0], [0, 0, 1]])
    R = turn @ np.stack([right, down, -away])
    return R, -R @ (target + distance * away)


def span(view: View, points: Floats) -> Floats:
    """Box [x0, y0, x1, y1] of the projected points in pixels."""
    x, y, depth = np.ascontiguousarray((view.to_camera(points) @ view.K.T).T)  # fast to go through
    x, y = x / depth, y / depth
    return np.array([x.min(), y.min(), x.max(), y.max()])


def at_share(view: View, points: Floats, target: Floats, share: float) -> View:
    """The view moved along its line of sight to `target` until the larger side of the points'
    projected box is `share` of the image's side (each side measured against its own)."""
    away = view.position - target
    radius = float(np.linalg.norm(points - target, axis=1).max())
    distance = float(np.linalg.norm(away))
    for _ in range(6):
        position = target + away / np.linalg.norm(away) * distance
        view = replace(view, t=-view.R @ position)
        x0, y0, x1, y1 = span(view, points)
        distance *= max((x1 - x0) / view.width, (y1 - y0) / view.height) / share
        distance = max(distance, 1.3 * radius)
    return replace(view, t=-view.R @ (target + away / np.linalg.norm(away) * distance))


def pointed(view: View, target: Floats, pixel: Floats) -> View:
    """The view turned about its own centre so that `target` falls on `pixel`."""
    now = view.to_camera(target[None])[0]
    wanted = np.linalg.solve(view.K, np.array([pixel[0], pixel[1], 1.0]))
    a, b = now / np.linalg.norm(now), wanted / np.linalg.norm(wanted)
    axis, cosine = np.cross(a, b), float(a @ b)
    cross = np.array([[0, -axis[2], axis[1]], [axis[2], 0, -axis[0]], [-axis[1], axis[0], 0]])
    turn = np.eye(3) + cross + cross @ cross / (1 + cosine)
    return replace(view, R=turn @ view.R, t=turn @ view.t)
