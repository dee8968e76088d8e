"""How far a silhouette leaves the heading open: its IoU with those of the object turned.

From afar and at its own height, a car at yaw α and at 180° − α has nearly one outline. Only turns
about the axis that points up are looked at; a camera knows which way is down.
"""

import msgspec
import numpy as np
from numpy.typing import NDArray

from posegen.render.camera import View
from posegen.render.meshes import MeshSource
from posegen.render.model import Bytes, Floats, Part
from posegen.render.pose_views import METRES, view_of
from posegen.render.silhouettes import SilhouetteRenderer
from posegen_runtime.poses import Pose

LEAST_TURN = 45
"""Degrees: a heading that is further off is another one."""

STEP = 5
"""Degrees between the turns of the search; the best is rendered half a step to each side, too."""

SIDE = 128
"""Pixels of the window that the object fills, so that an image of any size costs the same."""

SEARCH_SIDE, POINTS = 32, 4_000
"""The search draws points of the surface: all turns together cost less than one rendering, and a
large mesh no more than a small one. What it finds is then rendered."""


class Turned:
    """An object that is turned in place; every pose of it gets its ambiguity.

    Args:
        part: the mesh as `source` reads it, in metres.
    """

    def __init__(self, source: MeshSource, part: Part) -> None:
        upright = part.vertices @ source.upright.T
        low, high = upright.min(axis=0), upright.max(axis=0)
        self._upright, self._centre = source.upright, (low + high) / 2
        self._vertices = upright - self._centre
        self._points = _surface_points(self._vertices, part.faces)
        self._outside = _ring(self._vertices)
        self._turns = np.arange(LEAST_TURN, 360 - LEAST_TURN + 1, STEP, dtype=np.float64)
        self._renderer = SilhouetteRenderer(SIDE, SIDE)
        self._renderer.load(self._vertices, part.faces)

    def marked(self, pose: Pose) -> Pose:
        """The pose with its `ambiguity`."""
        return msgspec.structs.replace(pose, ambiguity=self.ambiguity(pose))

    def ambiguity(self, pose: Pose) -> float | None:
        """Highest IoU of the silhouette in the image with one of the object turned by 45° or more,
        to about 0.01; None when the object covers no pixel, or would turn into the camera."""
        given = self._view(pose)
        if (given.to_camera(self._outside)[:, 2] <= 0).any():
            return None
        view = _close_up(given, self._outside)
        inside = _inside(view, given)
        own = self._renderer.render(view) & inside
        if np.count_nonzero(own) < (view.K[0, 0] / given.K[0, 0]) ** 2:
            return None
        overlaps = self._search(view, inside)
        best, at = max(
            (self._overlap(view, inside, own, turn), turn)
            for turn in self._turns[_two_peaks(overlaps)]
        )
        for turn in (at - STEP / 2, at + STEP / 2):
            if LEAST_TURN <= turn <= 360 - LEAST_TURN:
                best = max(best, self._overlap(view, inside, own, turn))
        return round(best, 4)

    def close(self) -> None:
        self._renderer.close()

    def _view(self, pose: Pose) -> View:
        """The pose's view of the upright, centred mesh, in metres."""
        view = view_of(pose)
        R = view.R @ self._upright.T
        t = view.t * METRES[pose.t_unit] + R @ self._centre
        return View(R, t, view.K, view.width, view.height)

    def _overlap(self, view: View, inside: Bytes, own: Bytes, turn: float) -> float:
        turned = View(view.R @ _about_z(turn), view.t, view.K, SIDE, SIDE)
        other = self._renderer.render(turned) & inside
        return float(np.count_nonzero(own & other) / np.count_nonzero(own | other))

    def _search(self, view: View, inside: Bytes) -> NDArray[np.float32]:
        """About the IoU of the object as it is with each of its turns [T], from drawn points."""
        turns = np.stack([_about_z(turn) for turn in (0.0, *self._turns)])
        shrink = np.diag([SEARCH_SIDE / SIDE] * 2 + [1.0])
        K = shrink @ view.K
        K[:2, 2] += (SEARCH_SIDE / SIDE) / 2  # pixel i covers [i, i + 1), as truncation needs
        x, y, depth = np.moveaxis(
            (K @ view.R @ turns).astype(np.float32) @ self._points
            + (K @ view.t).astype(np.float32)[:, None],
            1,
            0,
        )
        with np.errstate(divide="ignore", invalid="ignore"):
            x, y = x / depth, y / depth
            seen = (depth > 0) & (x >= 0) & (x < SEARCH_SIDE) & (y >= 0) & (y < SEARCH_SIDE)
        layer = np.broadcast_to(np.arange(len(turns))[:, None], seen.shape)[seen]
        pixel = y[seen].astype(np.int64) * SEARCH_SIDE + x[seen].astype(np.int64)
        drawn = np.zeros((len(turns), SEARCH_SIDE**2), np.float32)
        drawn[layer, pixel] = 1
        step = SIDE // SEARCH_SIDE
        drawn *= (inside[::step, ::step] > 0).ravel()
        both, areas = drawn[1:] @ drawn[0], drawn.sum(axis=1)
        return both / np.maximum(areas[1:] + areas[0] - both, 1)


def _about_z(degrees: float) -> Floats:
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return np.array([[c, -s, 0], [s, c, 0], [0, 0, 1.0]])


def _surface_points(vertices: Floats, faces: NDArray[np.int32]) -> NDArray[np.float32]:
    """Random points [3, P], evenly spread over the triangles' area: the same ones every time."""
    corners = vertices[faces]
    edges = corners[:, 1:] - corners[:, :1]
    areas = np.linalg.norm(np.cross(edges[:, 0], edges[:, 1]), axis=1) + np.finfo(float).tiny
    rng = np.random.default_rng(0)
    chosen = rng.choice(len(faces), POINTS, p=areas / areas.sum())
    weights = rng.random((POINTS, 2, 1))
    weights = np.where(weights.sum(axis=1, keepdims=True) > 1, 1 - weights, weights)
    points = corners[chosen, 0] + (weights * edges[chosen]).sum(axis=1)
    return np.ascontiguousarray(points.T, np.float32)


def _ring(vertices: Floats, corners: int = 24) -> Floats:
    """Corners [2 × corners, 3] of a prism that holds the vertices however they are turned."""
    radius = np.linalg.norm(vertices[:, :2], axis=1).max() / np.cos(np.pi / corners)
    angles = np.linspace(0, 2 * np.pi, corners, endpoint=False)
    ends = (vertices[:, 2].min(), vertices[:, 2].max())
    return np.array([[radius * np.cos(a), radius * np.sin(a), z] for a in angles for z in ends])


def _close_up(view: View, points: Floats) -> View:
    """The same view in a square window of `SIDE` pixels around what the image shows of `points`."""
    pixels, size = view.project(points), (view.width, view.height)
    low = np.clip(pixels.min(axis=0), -0.5, np.subtract(size, 1.5))
    high = np.clip(pixels.max(axis=0), low + 1, np.subtract(size, 0.5))
    scale = SIDE / float((high - low).max())
    K = np.diag([scale, scale, 1.0]) @ view.K
    K[:2, 2] = scale * (view.K[:2, 2] - (low + high) / 2) + (SIDE - 1) / 2
    return View(view.R, view.t, K, SIDE, SIDE)


def _inside(window: View, image: View) -> Bytes:
    """The window's pixels that lie in the image, uint8 [SIDE, SIDE] in {0, 255}."""
    scale, at = image.K[0, 0] / window.K[0, 0], np.arange(SIDE)
    columns = (at - window.K[0, 2]) * scale + image.K[0, 2]
    rows = (at - window.K[1, 2]) * scale + image.K[1, 2]
    wide = (columns > -0.5) & (columns < image.width - 0.5)
    high = (rows > -0.5) & (rows < image.height - 0.5)
    return np.where(high[:, None] & wide, 255, 0).astype(np.uint8)


def _two_peaks(values: NDArray[np.float32]) -> list[int]:
    """Places of the two highest local maxima, ends included; one where there is only one."""
    padded = np.r_[-1, values, -1]
    peaks = np.flatnonzero((values >= padded[:-2]) & (values >= padded[2:]))
    return peaks[np.argsort(-values[peaks], kind="stable")][:2].tolist()
