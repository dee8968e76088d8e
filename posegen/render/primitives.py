"""Building blocks of parametric objects: boxes, cylinders, lofts. Lengths in metres."""

from collections.abc import Sequence

import numpy as np

from posegen.render.model import Finish, Floats, Part

Color = tuple[int, int, int]


def part(vertices: Floats, faces: Sequence[Sequence[int]], color: Color, finish: Finish) -> Part:
    colors = np.tile(np.asarray(color, dtype=np.uint8), (len(vertices), 1))
    triangles = np.asarray(faces, dtype=np.int32).reshape(-1, 3)
    return Part(np.asarray(vertices, dtype=np.float64), triangles, colors, finish)


def loft(sections: Floats, color: Color, finish: Finish) -> Part:
    """A closed skin through sections [S, P, 3], each a closed ring of P points, with flat ends."""
    count, ring, _ = sections.shape
    faces: list[tuple[int, int, int]] = []
    for row in range(count - 1):
        for column in range(ring):
            a, b = row * ring + column, row * ring + (column + 1) % ring
            faces += [(a, b, b + ring), (a, b + ring, a + ring)]
    vertices = np.concatenate(
        [sections.reshape(-1, 3), sections[0].mean(0, keepdims=True), sections[-1].mean(0)[None]]
    )
    first, last = count * ring, count * ring + 1
    for column in range(ring):
        following = (column + 1) % ring
        faces.append((first, following, column))
        faces.append((last, (count - 1) * ring + column, (count - 1) * ring + following))
    return part(vertices, faces, color, finish)


def box(center: Sequence[float], size: Sequence[float], color: Color, finish: Finish) -> Part:
    x, y = size[0] / 2, size[1] / 2
    ring = np.array([[-x, -y], [x, -y], [x, y], [-x, y]])
    sections = [np.c_[ring, np.full(4, z)] for z in (-size[2] / 2, size[2] / 2)]
    return loft(np.stack(sections) + np.asarray(center), color, finish)


def disc_stack(
    center: Sequence[float],
    radii: Sequence[float],
    offsets: Sequence[float],
    color: Color,
    finish: Finish,
    segments: int = 24,
) -> Part:
    """A body of revolution about the y axis: one ring of radius radii[i] at y = offsets[i]."""
    turn = np.linspace(0, 2 * np.pi, segments, endpoint=False)
    sections = [
        np.c_[radius * np.cos(turn), np.full(segments, offset), radius * np.sin(turn)]
        for radius, offset in zip(radii, offsets, strict=True)
    ]
    return loft(np.stack(sections) + np.asarray(center), color, finish)


def ellipsoid(
    center: Sequence[float], radii: Sequence[float], color: Color, finish: Finish
) -> Part:
    angles = np.linspace(-np.pi / 2, np.pi / 2, 7)[1:-1]
    unit = disc_stack(
        (0, 0, 0), np.cos(angles).tolist(), np.sin(angles).tolist(), color, finish, 12
    )
    return Part(
        unit.vertices * np.asarray(radii) + np.asarray(center), unit.faces, unit.colors, finish
    )


def patch(
    corners: Floats,
    u: tuple[float, float],
    v: tuple[float, float],
    lift: float,
    color: Color,
    finish: Finish,
) -> Part:
    """A rectangle on the quadrilateral corners [4, 3] (lower left, lower right, upper right,
    upper left, seen from outside), from u to v in its own coordinates 0..1, lifted off it."""
    lower_left, lower_right, upper_right, upper_left = corners

    def at(s: float, t: float) -> Floats:
        low = lower_left + s * (lower_right - lower_left)
        high = upper_left + s * (upper_right - upper_left)
        return low + t * (high - low)

    normal = np.cross(lower_right - lower_left, upper_left - lower_left)
    points = np.stack([at(u[0], v[0]), at(u[1], v[0]), at(u[1], v[1]), at(u[0], v[1])])
    points = points + lift * normal / np.linalg.norm(normal)
    return part(points, [(0, 1, 2), (0, 2, 3)], color, finish)
