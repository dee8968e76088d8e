"""Whether a mesh, the poses and the silhouettes belong together, told before work starts.

The mesh's silhouette is drawn by the poses of a sample of the masks: the right one all but covers
them, and a focal length or a size that is 10% off shows. Which convention is wrong (unit, axes,
camera frame) is told with points of the surface, which would meet the masks better if that one
thing were otherwise.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import permutations, product
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from posegen_runtime.errors import PoseGenError
from posegen_runtime.inputs import Inputs
from posegen_runtime.labels.opencv import Floats, View, opencv_view
from posegen_runtime.labels.outline import Window, outline_iou, project
from posegen_runtime.labels.sampled import Sampled, sampled
from posegen_runtime.meshfile import Mesh

POINTS = 6_000
GRID = 64
"""Cells along the longer side of what is compared: a point each few hundredths of an object."""
FITS, CLEAR = 0.88, 0.96
"""IoU of drawn mesh and silhouette. True poses of rendered masks have 0.99; a focal length 10% off
has 0.82, a car moved by 0.4 m of its 4.9 m 0.82, its front taken for its rear up to 0.84."""
SAME = 0.6
"""Below this IoU another convention's points have little in common with the silhouettes, too."""
BETTER = 0.02
MOSTLY = 0.7
"""By so much IoU, in the mean and on this share of the masks at all, another convention must fit
better: a car's front and rear differ by little, and its two sides by nothing but chance."""
_OPENGL = np.diag([1.0, -1.0, -1.0])


class Seen(NamedTuple):
    """One silhouette on the grid, and the camera that has it."""

    view: View
    mask: np.ndarray
    """bool [rows, columns]"""
    origin: tuple[float, float]
    """Of the grid, in pixels of the half convention."""
    scale: float
    """Cells a pixel."""
    limits: Window
    """What lies beyond is cut off."""


class _Slip(NamedTuple):
    """What could be otherwise than declared."""

    words: str
    points: Callable[[Floats], Floats] = lambda points: points
    view: Callable[[View], View] = lambda view: view


class Fit(NamedTuple):
    """How a mesh falls on the masks looked at."""

    median: float
    masks: int
    misfits: dict[str, float]
    """IoU of those that are too low to be of that pose, by the masks' names."""

    def lines(self) -> list[str]:
        lines = [
            f"mesh: falls on the silhouettes of {self.masks} masks looked at "
            f"(median IoU {self.median:.2f})"
        ]
        if self.misfits:
            named = ", ".join(f"{name} (IoU {iou:.2f})" for name, iou in self.misfits.items())
            lines.append(
                f"warning: mesh: poses of {len(self.misfits)} of {self.masks} masks looked at do "
                f"not fit them: {named}; BOP and KITTI leave such out"
            )
        if self.median < CLEAR:
            lines.append(
                f"warning: mesh: a median IoU of {self.median:.2f} is low: true poses mostly have "
                f"{CLEAR} or more; check cam_K, the size of the mesh and its origin"
            )
        return lines


def check_mesh(file: Path, mesh: Mesh, inputs: Inputs) -> Fit:
    """How the mesh falls on a sample of the silhouettes.

    Raises `PoseGenError` where it mostly does not, or would do so better in another convention: it
    says in which.
    """
    looked_at = list(sampled(inputs))
    if not looked_at:
        raise PoseGenError(f"--mesh {file}: no mask with a pose could be read to compare it with")
    ious = np.array([_drawn_iou(mesh, one) for one in looked_at])
    seen = [on_grid(one.mask, opencv_view(one.pose), _whole(one)) for one in looked_at]
    points = surface_points(mesh, POINTS)
    declared = _overlaps(points, seen, _Slip(""))
    found = [(slip, _overlaps(points, seen, slip)) for slip in _slips()]
    best, other = max(found, key=lambda one: float(one[1].mean()))
    median, better = float(np.median(ious)), other - declared
    facts = (
        f"--mesh {file}: does not fall well on the silhouettes "
        f"(median IoU {median:.2f}, {len(seen)} masks)"
    )
    is_better = better.mean() >= BETTER and (better > 0).mean() >= MOSTLY
    if is_better and np.median(other) >= SAME:
        raise PoseGenError(f"{facts}; it would (IoU {np.median(other):.2f}) {best.words}")
    if median < FITS:
        raise PoseGenError(
            f"{facts}; true poses mostly have {CLEAR} or more: check that mesh, poses and masks "
            "belong together, cam_K, the mesh's size and origin, and that masks are whole "
            "silhouettes"
        )
    names = (one.name for one in looked_at)
    return Fit(
        median,
        len(seen),
        {name: iou for name, iou in zip(names, ious.tolist(), strict=True) if iou < FITS},
    )


def _whole(one: Sampled) -> Window:
    height, width = one.mask.shape
    return Window(0, 0, width, height)


def _drawn_iou(mesh: Mesh, one: Sampled) -> float:
    return outline_iou(mesh, opencv_view(one.pose), one.mask, _whole(one))


def surface_points(mesh: Mesh, count: int) -> Floats:
    """Points [count, 3] spread evenly over the triangles; always the same ones."""
    rng = np.random.default_rng(0)
    a, b, c = (mesh.vertices[mesh.faces[:, corner]] for corner in range(3))
    areas = np.linalg.norm(np.cross(b - a, c - a), axis=1)
    chosen = rng.choice(len(areas), count, p=areas / areas.sum())
    u, v = rng.random((2, count, 1))
    u, v = np.where(u + v > 1, 1 - u, u), np.where(u + v > 1, 1 - v, v)
    return np.asarray(a[chosen] + u * (b - a)[chosen] + v * (c - a)[chosen])


def on_grid(mask: np.ndarray, view: View, limits: Window) -> Seen:
    """A mask uint8 [H, W] that is not empty, to be compared with points."""
    x, y, width, height = cv2.boundingRect(mask)
    edge = max(2, max(width, height) // 4)
    x0, y0 = max(0, x - edge), max(0, y - edge)
    part = mask[y0 : y + height + edge, x0 : x + width + edge]
    scale = GRID / max(part.shape)
    columns, rows = (max(1, round(length * scale)) for length in part.shape[::-1])
    small = cv2.resize(part, (columns, rows), interpolation=cv2.INTER_AREA) > 127
    return Seen(view, small, (x0, y0), scale, limits)


def _overlaps(points: Floats, seen: Sequence[Seen], slip: _Slip) -> Floats:
    """[masks]"""
    moved = slip.points(points)
    return np.array([points_iou(moved, slip.view(one.view), one) for one in seen])


def points_iou(points: Floats, view: View, seen: Seen) -> float:
    """IoU of the points' cells with the silhouette's, less for points beside the grid."""
    pixels = project(points, view)
    if pixels is None:
        return 0.0
    inside = ((pixels >= seen.limits[:2]) & (pixels < seen.limits[2:])).all(axis=1)
    if not inside.any():
        return 0.0
    cells = np.floor((pixels[inside] - seen.origin) * seen.scale).astype(np.int64)
    rows, columns = seen.mask.shape
    on_grid = ((cells >= 0) & (cells < (columns, rows))).all(axis=1)
    drawn = np.zeros(seen.mask.shape, np.uint8)
    drawn[cells[on_grid, 1], cells[on_grid, 0]] = 1
    closed = cv2.morphologyEx(np.pad(drawn, 2), cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
    covered = np.asarray(closed)[2:-2, 2:-2] > 0
    common = np.count_nonzero(seen.mask & covered)
    whole = np.count_nonzero(seen.mask | covered)
    return float(common / whole * on_grid.mean())


def _slips() -> Iterator[_Slip]:
    """One thing each."""
    for factor, words in ((1000.0, "1000 times larger"), (0.001, "1000 times smaller")):
        yield _Slip(
            f"if it were {words}: mend --mesh-unit, or t_unit of the poses",
            points=lambda points, factor=factor: points * factor,  # type: ignore[misc]
        )
    yield _Slip(
        "in the other camera frame: mend camera_frame of the poses",
        view=lambda view: View(_OPENGL @ view.R, _OPENGL @ view.t, view.K),
    )
    yield _Slip(
        "if R_m2c and t_m2c were those of camera to model: invert them",
        view=lambda view: View(view.R.T, -view.R.T @ view.t, view.K),
    )
    for order in permutations(range(3)):
        for signs in product((1, -1), repeat=3):
            turn = np.zeros((3, 3))
            turn[range(3), order] = signs
            if not np.array_equal(turn, np.eye(3)):
                axes = ", ".join(
                    f"{'-' if sign < 0 else ''}{'xyz'[axis]}"
                    for axis, sign in zip(order, signs, strict=True)
                )
                yield _Slip(
                    f"with its axes x, y, z taken from {axes}: export it in the poses' frame",
                    points=lambda points, turn=turn: points @ turn.T,  # type: ignore[misc]
                )
