"""Building blocks of parametric objects: lofts, turned bodies, sheets, patches. In metres."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

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


def sheet(
    points: Floats, cells: npt.NDArray[np.bool_], color: Color, finish: Finish, closed: bool = False
) -> Part:
    """Some cells of a surface through points [R, C, 3]; its outside is where rows x columns point.

    Args:
        cells: which cells exist, bool [R - 1, C - 1], or [R - 1, C] when the columns are closed.
        closed: whether the last column meets the first.
    """
    rows, columns, _ = points.shape
    index = np.arange(rows * columns).reshape(rows, columns)
    if closed:
        index = np.concatenate([index, index[:, :1]], axis=1)
    a, b, c, d = index[:-1, :-1], index[:-1, 1:], index[1:, 1:], index[1:, :-1]
    corners = np.stack([a, d, c, a, c, b], axis=-1)[cells].reshape(-1, 3)
    flat = points.reshape(-1, 3)
    sides = flat[corners]
    area = np.linalg.norm(np.cross(sides[:, 1] - sides[:, 0], sides[:, 2] - sides[:, 0]), axis=1)
    used, faces = np.unique(corners[area > 1e-9], return_inverse=True)
    return part(flat[used], faces.reshape(-1, 3).tolist(), color, finish)


def grid(points: Floats, lift: float, color: Color, finish: Finish) -> Part:
    """A patch through points [R, C, 3], moved outwards by `lift`. Seen from outside the rows go
    up and the columns to the right."""
    across, upwards = np.gradient(points, axis=1), np.gradient(points, axis=0)
    outwards = np.cross(across, upwards)
    length = np.linalg.norm(outwards, axis=-1, keepdims=True)
    moved = points + lift * outwards / np.maximum(length, 1e-12)
    rows, columns, _ = points.shape
    # `sheet` looks at rows x columns, which is inwards here.
    return sheet(moved[::-1], np.ones((rows - 1, columns - 1), bool), color, finish)
