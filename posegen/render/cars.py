"""Parametric cars built from lofts and patches."""

from itertools import pairwise

import numpy as np

from posegen.render.car_shapes import DARK, CarShape
from posegen.render.model import Finish, Floats, Model, Part
from posegen.render.primitives import box, disc_stack, ellipsoid, loft, patch

RUBBER = (28, 28, 30)
WHITE_PLATE = (225, 225, 220)


def build_car(shape: CarShape) -> Model:
    """The car's triangles, about 2,500 of them."""
    return Model.centred(
        [_body(shape), *_cabin(shape), *_wheels(shape), *_front(shape), *_rear(shape)]
    )


_RING = np.array(  # half of the body's cross-section: share of half width, share of height
    [(0.0, 0.0), (0.84, 0.0), (0.95, 0.06), (0.99, 0.2), (1.0, 0.42), (0.985, 0.66), (0.955, 0.84),
     (0.90, 0.95), (0.78, 1.0), (0.0, 1.02)]
)  # fmt: skip


def _body(shape: CarShape) -> Part:
    stations = np.array(
        [0, 0.008, 0.025, 0.06, 0.12, 0.2, 0.3, 0.45, 0.6, 0.7, 0.8, 0.88, 0.94, 0.975, 0.992, 1]
    )
    bonnet = shape.screen_base / shape.length + 0.5
    tops = np.interp(
        stations,
        [0, 0.012, 0.05, 0.15, bonnet, 0.955, 0.985, 1],
        np.array([0.86, 0.94, 0.985, 1, 1, shape.nose / shape.belt, 0.0, 0.0]) * shape.belt
        + np.array([0, 0, 0, 0, 0, 0, 0.96, 0.87]) * shape.nose,
    )
    bottoms = shape.clearance + np.interp(
        stations, [0, 0.02, 0.12, 0.85, 0.98, 1], [0.16, 0.1, 0, 0, 0.04, 0.1]
    )
    ends = np.clip(np.abs(stations - 0.5) - 0.25, 0, None) / 0.25
    halves = shape.width / 2 * (1 - 0.17 * ends**3 - 0.04 * (np.abs(stations - 0.5) > 0.495))
    y = np.concatenate([_RING[:, 0], -_RING[-2:0:-1, 0]])
    z = np.concatenate([_RING[:, 1], _RING[-2:0:-1, 1]])
    sections = [
        np.c_[np.full(len(y), (s - 0.5) * shape.length), half * y, low + (high - low) * z]
        for s, half, low, high in zip(stations, halves, bottoms, tops, strict=True)
    ]
    return loft(np.stack(sections), shape.paint, Finish.PAINT)


def _cabin(shape: CarShape) -> list[Part]:
    base, roof = shape.belt - 0.04, shape.height
    half = shape.width / 2 * 0.93
    low = (shape.back_base, shape.screen_base, half)
    high = (shape.back_base + shape.back_rake, shape.screen_base - shape.screen_rake,
            half - shape.tumblehome)  # fmt: skip

    def ring(share: float, z: float, inset: float = 0.0) -> Floats:
        rear, front, side = ((1 - share) * a + share * b for a, b in zip(low, high, strict=True))
        rear, front, side, cut = rear + inset * 2, front - inset * 2, side - inset, 0.05
        plan = [(front - cut, -side), (front, -side + cut), (front, side - cut),
                (front - cut, side), (rear + cut, side), (rear, side - cut), (rear, -side + cut),
                (rear + cut, -side)]  # fmt: skip
        return np.array([(x, y, z) for x, y in plan])

    edge = base + 0.94 * (roof - base)
    parts = [
        loft(np.stack([ring(0, base), ring(0.94, edge)]), shape.paint, Finish.PAINT),
        loft(
            np.stack([ring(0.94, edge), ring(1, roof - 0.015, 0.03), ring(1, roof, 0.14)]),
            shape.roof,
            Finish.PAINT,
        ),
    ]
    bottom, top = ring(0, base), ring(0.94, edge)

    def window(first: int, second: int, u: tuple[float, float]) -> Part:
        face = np.stack([bottom[first], bottom[second], top[second], top[first]])
        return patch(face, u, (0.14, 0.93), 0.006, shape.glass, Finish.GLASS)

    parts += [window(1, 2, (0.04, 0.96)), window(5, 6, (0.06, 0.94))]
    panes = np.linspace(0.04, 0.96, shape.side_windows + 1)
    if shape.side_windows == 1:  # a panel van has glass at the front doors only
        panes = np.array([0.04, 0.30])
    for start, end in pairwise(panes):
        pane = (float(start) + 0.012, float(end) - 0.012)
        parts.append(window(3, 4, pane))
        parts.append(window(7, 0, (1 - pane[1], 1 - pane[0])))
    mirror_x = shape.screen_base - 0.25
    for side in (-1, 1):
        center = (mirror_x, side * (half + 0.1), shape.belt + 0.06)
        parts.append(ellipsoid(center, (0.07, 0.11, 0.075), shape.trim, Finish.PAINT))
    return parts


def _wheels(shape: CarShape) -> list[Part]:
    parts = []
    radius, side = shape.wheel_radius, shape.width / 2
    for axle in (shape.front_axle, shape.rear_axle):
        for sign in (-1, 1):
            center = (axle, sign * (side - 0.1), radius)
            parts.append(
                disc_stack(
                    center,
                    (radius * 0.9, radius, radius, radius * 0.9),
                    (-0.1, -0.07, 0.07, 0.105),
                    RUBBER,
                    Finish.MATTE,
                )
            )
            hub = (0.112, 0.116) if sign > 0 else (-0.116, -0.112)
            parts.append(disc_stack(center, (radius * 0.66,) * 2, hub, shape.rim, Finish.PAINT))
            hub = (0.117, 0.12) if sign > 0 else (-0.12, -0.117)
            for turn in np.arange(5) * 2 * np.pi / 5 + 0.3:
                x, z = axle + 0.42 * radius * np.cos(turn), radius * (1 + 0.42 * np.sin(turn))
                hole = (x, center[1], z)
                parts.append(disc_stack(hole, (radius * 0.14,) * 2, hub, DARK, Finish.MATTE, 8))
            parts.append(_arch(shape, axle, sign))
    return parts


def _arch(shape: CarShape, axle: float, sign: int) -> Part:
    """The dark gap between wheel and body, as the upper half of a drum."""
    radius = shape.wheel_radius * 1.14
    turn = np.linspace(-0.12, np.pi + 0.12, 16)
    ring = np.c_[axle + radius * np.cos(turn), shape.wheel_radius + radius * np.sin(turn)]
    outer = shape.width / 2 + 0.004
    sections = [
        np.c_[ring[:, 0], np.full(len(ring), sign * y), ring[:, 1]] for y in (outer - 0.15, outer)
    ]
    return loft(np.stack(sections), DARK, Finish.MATTE)


def _front(shape: CarShape) -> list[Part]:
    x, half, nose = shape.length / 2, shape.width / 2, shape.nose
    parts = [
        box(
            (x - 0.03, 0, 0.32 + shape.clearance * 0.4),
            (0.1, half * 1.25, 0.14),
            DARK,
            Finish.MATTE,
        ),
        box((x - 0.01, 0, nose * 0.70), (0.05, half * 0.8, nose * 0.13), DARK, Finish.MATTE),
        box((x + 0.01, 0, nose * 0.55), (0.03, 0.5, 0.11), WHITE_PLATE, Finish.MATTE),
    ]
    for side in (-1, 1):
        lamp = (x - 0.085, side * half * 0.66, nose * 0.78)
        parts.append(ellipsoid(lamp, (0.12, 0.17, 0.075), (250, 248, 225), Finish.LAMP))
        signal = (x - 0.15, side * half * 0.84, nose * 0.66)
        parts.append(ellipsoid(signal, (0.13, 0.09, 0.04), (250, 140, 20), Finish.LAMP))
    return parts


def _rear(shape: CarShape) -> list[Part]:
    """Bumper, plate, and on the right side only the exhaust and the fuel flap."""
    x, half, belt = -shape.length / 2, shape.width / 2, shape.belt
    bumper = (x + 0.02, 0, 0.28 + shape.clearance * 0.6)
    exhaust = (x + 0.03, -half * 0.55, shape.clearance + 0.06)
    flap = (x + 0.75, -half * 0.985, belt * 0.8)
    plate = (x - 0.005, 0, belt * 0.62)
    parts = [
        box(bumper, (0.1, half * 1.5, 0.16), shape.trim, Finish.MATTE),
        box(plate, (0.03, 0.52, 0.12), shape.rear_plate, Finish.MATTE),
        box(exhaust, (0.16, 0.09, 0.07), (150, 150, 150), Finish.PAINT),
        box(flap, (0.16, 0.02, 0.14), DARK, Finish.MATTE),
    ]
    for side in (-1, 1):
        lamp = (x + 0.06, side * half * 0.68, belt * 0.77)
        parts.append(ellipsoid(lamp, (0.13, 0.19, 0.11), (215, 14, 20), Finish.LAMP))
    return parts
