"""What is fixed to the sides: shut lines, handles, indicators, fuel flap, mirrors."""

import numpy as np

from posegen.render.car_body import Body
from posegen.render.car_cabin import Cabin
from posegen.render.car_shapes import CHROME, DARK
from posegen.render.model import Finish, Part
from posegen.render.primitives import Color, ellipsoid


def build_sides(body: Body) -> list[Part]:
    """Shut lines, handles, side indicators, the sill, and the fuel flap on the right."""
    s, parts = body.shape, []
    base = np.array([s.screen_base])
    start = s.screen_base - 0.05
    doors = [start - 0.08, *_door_ends(body)]
    dark: Color = tuple(int(0.35 * value) for value in s.paint)  # type: ignore[assignment]
    low = s.clearance + 0.12
    for left in (True, False):
        for door in doors:
            high = float(body.deck(np.array([door]))[0]) - 0.04
            bottom = float(body.edge(np.array([door]))[0]) + 0.09
            z = np.linspace(max(low, bottom), high, 12)[:, None] + np.zeros((1, 2))
            xs = door + np.array([[0.007, -0.007]]) + 0 * z
            parts.append(body.on_side(xs, z, left, 0.003, dark, Finish.MATTE))
        x = np.linspace(doors[0], doors[-1], 20)[None] + np.zeros((2, 1))
        z = low + np.array([[-0.007], [0.007]]) + 0 * x
        parts.append(body.on_side(x, z, left, 0.003, dark, Finish.MATTE))
        for x0 in doors[1:]:
            z0 = s.belt - 0.14
            at = np.array([x0 + 0.13]), np.array([z0])
            y = float(body.side(*at)[0]) * (1 if left else -1)
            color, finish = (CHROME, Finish.CHROME) if s.bright_trim else (s.paint, s.finish)
            parts.append(ellipsoid((x0 + 0.13, y, z0), (0.10, 0.022, 0.018), color, finish))
        x = np.linspace(0.06, -0.06, 4)[None] + np.zeros((3, 1)) + base[0] + 0.12
        z = s.wheel_radius + body.arch + 0.06 + np.linspace(-0.018, 0.018, 3)[:, None] + 0 * x
        parts.append(body.on_side(x, z, left, 0.006, (235, 130, 25), Finish.LAMP))
    u, v = np.meshgrid(np.linspace(0, 2 * np.pi, 15), np.linspace(0.05, 1, 3))
    for scale, color, finish, lift in (
        (1.0, dark, Finish.MATTE, 0.004),
        (0.86, s.paint, s.finish, 0.007),
    ):
        x = s.rear_axle - 0.12 + 0.09 * scale * v * np.cos(u)
        z = min(s.wheel_radius + body.arch + 0.13, s.belt - 0.15) + 0.085 * scale * v * np.sin(u)
        parts.append(body.on_side(x, z, False, lift, color, finish))
    return parts


def _door_ends(body: Body) -> list[float]:
    """x of the rear edges of the doors."""
    s = body.shape
    start, stop = s.screen_base - 0.17, s.back_base + 0.17
    ends = [start + share * (stop - start) for share in s.pillars[:2]] or [start - 1.35]
    if s.style in ("sedan", "hatchback", "pickup"):
        ends.append(start + s.last_window * (stop - start) - 0.12)
    clear = s.rear_axle + body.arch * 0.72
    return [max(end, clear) for end in ends]


def build_mirrors(body: Body, cabin: Cabin) -> list[Part]:
    """Housings on arms, their glass to the rear."""
    s, parts = body.shape, []
    x, z = s.screen_base - 0.42, s.belt + 0.09
    for sign in (1, -1):
        y = sign * (s.width / 2 + 0.06)
        parts.append(
            ellipsoid(
                (x, y, z),
                (0.085, 0.115, 0.075),
                s.trim,
                s.finish if s.trim == s.paint else Finish.MATTE,
            )
        )
        arm = sign * (cabin.half + 0.01)
        parts.append(ellipsoid((x, arm, z - 0.05), (0.05, 0.10, 0.025), DARK, Finish.MATTE))
        glass = (x - 0.062, y, z)
        parts.append(ellipsoid(glass, (0.028, 0.10, 0.062), (150, 155, 160), Finish.CHROME))
    return parts
