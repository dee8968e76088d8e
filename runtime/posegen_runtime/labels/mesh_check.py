"""Whether a mesh, the poses and the silhouettes belong together, told before work starts.

Points of the mesh's surface are projected by the poses onto a sample of the masks. A wrong unit, a
flipped axis or another camera frame shows in two ways: the points miss the silhouettes, or they
would meet them better if that one thing were otherwise.
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
from posegen_runtime.meshfile import Mesh

MASKS = 16
POINTS = 6_000
GRID = 64
"""Cells along the longer side of what is compared: a point each few hundredths of an object."""
FITS = 0.6
"""Below this IoU points and silhouettes have little in common; part of an object may be hidden."""
BETTER = 0.02
MOSTLY = 0.7
"""By so much IoU, in the mean and on this share of the masks at all, another convention must fit
better: a car's front and rear differ by little, and its two sides by nothing but chance."""
_OPENGL = np.diag([1.0, -1.0, -1.0])


class _Seen(NamedTuple):
    """One silhouette on the grid, and the camera that has it."""

    view: View
    mask: np.ndarray
    """bool [rows, columns]"""
    origin: tuple[float, float]
    """Of the grid, in pixels of the half convention."""
    scale: float
    """Cells a pixel."""
    size: tuple[int, int]
    """Of the image: height, width."""


class _Slip(NamedTuple):
    """What could be otherwise than declared."""

    words: str
    points: Callable[[Floats], Floats] = lambda points: points
    view: Callable[[View], View] = lambda view: view


def check_mesh(file: Path, mesh: Mesh, inputs: Inputs) -> tuple[float, int]:
    """The median IoU of the mesh's points with a sample of the silhouettes, and its size.

    Raises `PoseGenError` where they do not fall on each other, or would do so better in another
    convention: it says in which.
    """
    seen = list(_sample(inputs))
    if not seen:
        raise PoseGenError(f"--mesh {file}: no mask with a pose could be read to compare it with")
    points = surface_points(mesh, POINTS)
    declared = _overlaps(points, seen, _Slip(""))
    found = [(slip, _overlaps(points, seen, slip)) for slip in _slips()]
    best, other = max(found, key=lambda one: float(one[1].mean()))
    median, better = float(np.median(declared)), other - declared
    figures = f"IoU {median:.2f}, {len(seen)} masks"
    facts = f"--mesh {file}: does not fall well on the silhouettes ({figures})"
    is_better = better.mean() >= BETTER and (better > 0).mean() >= MOSTLY
    if is_better and np.median(other) >= FITS:
        raise PoseGenError(f"{facts}; it would (IoU {np.median(other):.2f}) {best.words}")
    if median < FITS:
        raise PoseGenError(f"{facts}; check that mesh, poses and masks belong together")
    return median, len(seen)


def surface_points(mesh: Mesh, count: int) -> Floats:
    """Points [count, 3] spread evenly over the triangles; always the same ones."""
    rng = np.random.default_rng(0)
    a, b, c = (mesh.vertices[mesh.faces[:, corner]] for corner in range(3))
    areas = np.linalg.norm(np.cross(b - a, c - a), axis=1)
    chosen = rng.choice(len(areas), count, p=areas / areas.sum())
    u, v = rng.random((2, count, 1))
    u, v = np.where(u + v > 1, 1 - u, u), np.where(u + v > 1, 1 - v, v)
    return np.asarray(a[chosen] + u * (b - a)[chosen] + v * (c - a)[chosen])


def _sample(inputs: Inputs) -> Iterator[_Seen]:
    """Silhouettes from all over the folder that can be read and have the size of their pose."""
    posed = [mask for mask in inputs.masks if mask.name in inputs.poses]
    step = max(1, len(posed) // MASKS)
    for source in posed[::step][:MASKS]:
        pose = inputs.poses[source.name]
        try:
            (silhouette,) = inputs.reading.silhouettes(source.path)
            pose.check_size((silhouette.mask.shape[0], silhouette.mask.shape[1]))
        except (PoseGenError, ValueError):
            continue  # its row will say why
        if silhouette.mask.any():
            yield _on_grid(silhouette.mask, opencv_view(pose))


def _on_grid(mask: np.ndarray, view: View) -> _Seen:
    x, y, width, height = cv2.boundingRect(mask)
    edge = max(2, max(width, height) // 4)
    x0, y0 = max(0, x - edge), max(0, y - edge)
    part = mask[y0 : y + height + edge, x0 : x + width + edge]
    scale = GRID / max(part.shape)
    columns, rows = (max(1, round(length * scale)) for length in part.shape[::-1])
    small = cv2.resize(part, (columns, rows), interpolation=cv2.INTER_AREA) > 127
    return _Seen(view, small, (x0, y0), scale, (mask.shape[0], mask.shape[1]))


def _overlaps(points: Floats, seen: Sequence[_Seen], slip: _Slip) -> Floats:
    """[masks]"""
    moved = slip.points(points)
    return np.array([_overlap(moved, slip.view(one.view), one) for one in seen])


def _overlap(points: Floats, view: View, seen: _Seen) -> float:
    """IoU of the points' cells with the silhouette's, less for points beside the grid."""
    camera = points @ view.R.T + view.t
    if (camera[:, 2] <= 1e-9).any():
        return 0.0
    image = camera @ view.K.T
    pixels = image[:, :2] / image[:, 2:] + 0.5
    height, width = seen.size
    inside = ((pixels >= 0) & (pixels < (width, height))).all(axis=1)
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
