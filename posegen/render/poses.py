"""Random views of an object that stands on the ground."""

from dataclasses import dataclass, replace

import numpy as np

from posegen.render.camera import View, at_share, intrinsics, orbit, pointed, span
from posegen.render.model import Floats

MARGIN = 2
"""Pixels between an untruncated object and the border."""


@dataclass(frozen=True)
class PoseRange:
    """What the views of a data set are drawn from. Angles in degrees."""

    elevation: tuple[float, float] = (0.0, 35.0)
    fill: tuple[float, float] = (0.4, 0.92)
    """Larger side of the object's box as a share of the image's side."""
    fov: tuple[float, float] = (20.0, 50.0)
    roll: float = 2.0
    """Standard deviation."""
    truncated: float = 0.04
    """Share of the views in which the border cuts the object."""


def draw_view(
    rng: np.random.Generator,
    ranges: PoseRange,
    points: Floats,
    width: int,
    height: int,
    whole: bool = False,
) -> View:
    """A view of `points` [N, 3] (z up), from all round, at random places in the image.

    `whole` forbids truncation.
    """  # fmt: skip
    target = (points.min(axis=0) + points.max(axis=0)) / 2
    elevation = np.radians(rng.uniform(*ranges.elevation))
    roll = np.radians(rng.normal(0, ranges.roll))
    distance = 3 * float(np.linalg.norm(np.ptp(points, axis=0)))
    R, t = orbit(target, rng.uniform(0, 2 * np.pi), elevation, distance, roll)
    K = intrinsics(width, height, rng.uniform(*ranges.fov))
    view = at_share(View(R, t, K, width, height), points, target, rng.uniform(*ranges.fill))
    truncated = rng.random() < ranges.truncated
    place, edge, cut = rng.uniform(-1, 1, 2), rng.integers(4), rng.uniform(0.05, 0.2)
    if truncated and not whole:
        place[edge // 2] = np.sign(edge % 2 - 0.5) * (1 + 4 * cut)
    size = np.array([width, height])
    for _ in range(8):
        box = span(view, points).reshape(2, 2)
        free = np.clip((size - (box[1] - box[0])) / 2 - MARGIN, 0, None)
        offset = np.clip(place, -1, 1) * free + (np.abs(place) > 1) * (
            np.sign(place) * (np.abs(place) - 1) / 4 * (box[1] - box[0])
        )
        now = view.project(target[None])[0]
        moved = pointed(view, target, now + (size - 1) / 2 + offset - box.mean(axis=0))
        box = span(moved, points).reshape(2, 2)
        inside = (box[0] >= MARGIN - 1).all() and (box[1] <= size - MARGIN).all()
        if inside or (truncated and not whole):
            return moved
        place = place * 0.7
        depth = float(view.to_camera(target[None])[0, 2])
        view = replace(view, t=view.t + np.array([0, 0, 0.03 * depth]))
    return moved
