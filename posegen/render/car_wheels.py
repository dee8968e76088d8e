"""Wheels: tyre, rim, spokes."""

import numpy as np

from posegen.render.car_body import Body
from posegen.render.model import Finish, Floats, Part
from posegen.render.primitives import Color, disc_stack, loft

RUBBER = (26, 26, 28)
_WIDTH = 0.22


def build_wheels(body: Body) -> list[Part]:
    """The four wheels, flush with the arches."""
    shape, parts = body.shape, []
    for axle in (shape.front_axle, shape.rear_axle):
        at = np.array([axle])
        side = float(body.side(at, np.array([shape.wheel_radius * 1.6]))[0]) - 0.015
        for sign in (1, -1):
            parts += _wheel(body, axle, side, sign)
    return parts


def _wheel(body: Body, axle: float, side: float, sign: int) -> list[Part]:
    """A wheel whose outer face lies at y = sign * side."""
    shape, r = body.shape, body.shape.wheel_radius
    at = (axle, 0.0, r)

    def turned(
        radii: list[float], depths: list[float], color: Color, finish: Finish, segments: int = 30
    ) -> Part:
        """A body of revolution; depths count inwards from the outer face."""
        order = -sign  # a stack is built along +y
        offsets = [sign * (side - depth) for depth in depths][::order]
        return disc_stack(at, [r * b for b in radii[::order]], offsets, color, finish, segments)

    tyre = turned(
        [0.70, 0.73, 0.86, 0.95, 0.99, 1.0, 1.0, 0.97, 0.80],
        [0.016, 0.004, 0.0, 0.008, 0.024, 0.045, _WIDTH - 0.04, _WIDTH - 0.02, _WIDTH],
        RUBBER, Finish.MATTE,
    )  # fmt: skip
    metal = Finish.METALLIC
    lip = turned([0.66, 0.665, 0.735, 0.73], [0.012, 0.001, 0.002, 0.02], shape.rim, metal)
    well = turned([0.665, 0.665], [0.0115, 0.02], (16, 16, 18), Finish.MATTE)
    hub = turned([0.10, 0.15, 0.15], [-0.004, 0.0, 0.02], shape.rim, metal, 14)
    return [tyre, lip, well, hub, *_spokes(shape.spokes, shape.rim, axle, r, side, sign)]


def _spokes(count: int, rim: Color, axle: float, r: float, side: float, sign: int) -> list[Part]:
    parts = []
    wide = 0.62 / count
    for turn in 2 * np.pi * np.arange(count) / count + 0.2:
        out, across = (
            np.array([np.cos(turn), np.sin(turn)]),
            np.array([-np.sin(turn), np.cos(turn)]),
        )
        sections = []
        for radius, half, depth in ((0.10, wide * 0.8, 0.0), (0.40, wide * 0.7, 0.004),
                                    (0.69, wide * 0.95, 0.006)):  # fmt: skip
            sections.append(_bar(axle, r, side, sign, radius * out, half * across, depth))
        stack = np.stack(sections)
        parts.append(loft(stack if sign > 0 else stack[::-1], rim, Finish.METALLIC))
    return parts


def _bar(
    axle: float, r: float, side: float, sign: int, at: Floats, half: Floats, depth: float
) -> Floats:
    """A spoke's cross-section [4, 3]."""
    points = []
    for width, deep in ((-1.0, depth + 0.02), (-0.7, depth), (0.7, depth), (1.0, depth + 0.02)):
        x, z = r * (at + width * half)
        points.append((axle + x, sign * (side - deep), r + z))
    return np.array(points)
