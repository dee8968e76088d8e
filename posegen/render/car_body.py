"""The painted body below the windows: an analytic surface, its skin, and patches laid on it.

The body is a stack of cross-sections along x. A section is the plan's half width and the deck's
height at x, filled by one profile; both close like superellipses at nose and tail. Because it is
analytic, lamps, plates and shut lines are projected on it exactly.
"""

from functools import cached_property

import numpy as np

from posegen.render.car_shapes import DARK, CarShape
from posegen.render.model import Finish, Floats, Part
from posegen.render.primitives import Color, grid, sheet

SHOULDER = 0.86
"""Share of a section's height where its side turns into its top."""
_TURN = 0.955
"""Share of the half width at the shoulder."""
_CROWN = 3.0


def _closing(x: Floats, end: float, depth: float, power: float) -> Floats:
    """1 inside, falling to 0 at `end` over the last `depth`, as a superellipse does."""
    share = np.clip((np.abs(x) - (abs(end) - depth)) / depth, 0, 1)
    share = np.where(np.sign(x) == np.sign(end), share, 0)
    return np.asarray((1 - share**power) ** (1 / power))


class Body:
    """The surface. Lengths in metres, x from the car's middle, z from the ground."""

    def __init__(self, shape: CarShape) -> None:
        self.shape = shape
        self.end = shape.length / 2
        self.arch = shape.wheel_radius * shape.arch

    def half(self, x: Floats) -> Floats:
        """Half width of the plan."""
        s = self.shape
        mid = s.width / 2 * (1 - 0.035 * (x / self.end) ** 2)
        front = _closing(x, self.end, s.nose_depth, s.nose_power)
        return mid * front * _closing(x, -self.end, s.tail_depth, s.tail_power)

    def deck(self, x: Floats) -> Floats:
        """Height of bonnet, belt and boot lid on the middle plane, ends not closed."""
        s = self.shape
        front = np.clip((x - s.screen_base) / (self.end - s.screen_base), 0, 1)
        rear = np.clip((s.back_base - x) / (self.end + s.back_base), 0, 1)
        wedge = s.wedge * (s.screen_base - x) / s.length
        level = s.belt + np.where(x < s.screen_base, wedge, 0)
        return np.asarray(
            level - (s.belt - s.nose) * front**1.9 - (s.belt - s.boot + s.wedge) * rear**2
        )

    def span(self, x: Floats) -> tuple[Floats, Floats]:
        """Heights of the section's lower and upper end."""
        s = self.shape
        middle = s.clearance + 0.5 * (s.nose - s.clearance)
        close = _closing(x, self.end, s.nose_round, 3.2) * _closing(x, -self.end, 0.10, 3.2)
        under = _closing(x, self.end, 0.14, 3.2) * _closing(x, -self.end, 0.14, 3.6)
        return middle - (middle - s.clearance) * under, middle + (self.deck(x) - middle) * close

    def side(self, x: Floats, z: Floats) -> Floats:
        """y of the left side at height z; negative above and below the section."""
        low, high = self.span(x)
        share = (z - low) / np.maximum(high - low, 1e-9)
        below, above = np.clip((0.45 - share) / 0.45, 0, 1), np.clip((share - 0.45) / 0.41, 0, 1)
        wall = 1 - 0.055 * below**2 - (1 - _TURN) * above**2
        crease = self.shape.crease * np.clip(1 - np.abs(share - 0.70) / 0.14, 0, 1)
        crown = np.clip((share - SHOULDER) / (1 - SHOULDER), 0, 1)
        top = _TURN * (1 - crown**_CROWN) ** (1 / _CROWN)
        y = self.half(x) * np.where(share > SHOULDER, top, wall + crease)
        for axle in (self.shape.front_axle, self.shape.rear_axle):
            away = np.hypot(x - axle, z - self.shape.wheel_radius) - self.arch
            y = y + self.shape.flare * np.exp(-((away / 0.07) ** 2)) * (share < SHOULDER)
        return np.asarray(np.where((share < 0) | (share > 1), -1.0, y))

    def top(self, x: Floats, y: Floats) -> Floats:
        """z of the bonnet or boot lid."""
        low, high = self.span(x)
        across = np.clip(np.abs(y) / np.maximum(_TURN * self.half(x), 1e-9), 0, 1)
        crown = (1 - across**_CROWN) ** (1 / _CROWN)
        return np.asarray(low + (high - low) * (SHOULDER + (1 - SHOULDER) * crown))

    def face(self, y: Floats, z: Floats, front: bool) -> Floats:
        """x of the front or rear at (y, z), by bisection between the middle and the end."""
        sign = 1.0 if front else -1.0
        inner, outer = np.full(np.shape(y), self.end - 0.5), np.full(np.shape(y), self.end)
        for _ in range(22):
            x = (inner + outer) / 2
            inside = np.abs(y) <= self.side(sign * x, z)
            inner, outer = np.where(inside, x, inner), np.where(inside, outer, x)
        return np.asarray(sign * inner)

    def edge(self, x: Floats) -> Floats:
        """Height of the side's lower edge: sill or wheel arch."""
        low, high = self.span(x)
        edge = low.copy()
        for axle in (self.shape.front_axle, self.shape.rear_axle):
            away = np.abs(x - axle)
            rise = np.sqrt(np.clip(self.arch**2 - away**2, 0, None)) + self.shape.wheel_radius
            edge = np.where(away < self.arch, np.maximum(edge, rise), edge)
        return np.asarray(np.minimum(edge, low + (SHOULDER - 0.06) * (high - low)))

    @cached_property
    def stations(self) -> tuple[Floats, Floats]:
        """x of the sections, and whether each is lowered to the bed of a pickup."""
        s = self.shape
        near = 1 - (1 - np.linspace(0, 0.985, 15)) ** 2.6
        xs = [self.end - s.nose_depth + s.nose_depth * near,
              -self.end + s.tail_depth - s.tail_depth * near,
              np.linspace(-self.end + s.tail_depth, self.end - s.nose_depth, 34)]  # fmt: skip
        turn = np.cos(np.linspace(0, np.pi, 19))
        for axle in (s.front_axle, s.rear_axle):
            xs += [axle + self.arch * 0.9999 * turn, axle + (self.arch + 0.004) * np.array([-1, 1])]
        x = np.sort(np.concatenate(xs))
        x = x[np.concatenate([[True], np.diff(x) > 0.0015])]
        bed = np.zeros(len(x))
        if s.bed is not None:
            start, stop = s.bed
            x = np.concatenate([x, [start, start + 0.002, stop - 0.002, stop]])
            order = np.argsort(x)
            x = x[order]
            bed = ((x > start + 0.001) & (x < stop - 0.001)).astype(np.float64)
        return x, bed

    def skin(self) -> list[Part]:
        """The skin with its wheel wells and underside, closed."""
        s, (x, bed) = self.shape, self.stations
        low, high = self.span(x)
        edge = self.edge(x)
        turn = np.linspace(0, np.pi / 2, 11)
        rows_y = [_TURN * self.half(x) * t for t in np.sin(turn) ** (2 / _CROWN)]
        rows_z = [
            low + (high - low) * (SHOULDER + (1 - SHOULDER) * t)
            for t in np.cos(turn) ** (2 / _CROWN)
        ]
        lower, sink = s.bed_depth * bed, int(np.searchsorted(turn, 0.95))
        inner = 0.80 * self.half(x)
        for row in range(sink):  # a pickup's bed: the top's middle sinks
            rows_z[row] = rows_z[row] - lower
            rows_y[row] = np.where(bed > 0, inner * row / (sink - 1), rows_y[row])
        shoulder = rows_z[-1]
        for share in np.linspace(0, 1, 17)[1:]:
            z = shoulder + (edge - shoulder) * share
            rows_z.append(z)
            rows_y.append(self.side(x, np.clip(z, low + 1e-6, high)))
        clad = len(rows_y) - 4
        skin = len(rows_y)
        outer = rows_y[-1]
        deep = outer - np.minimum(0.30, 0.6 * outer)
        bumper = np.abs(x) > self.end - 0.15  # its underside belongs to the painted face
        floor = low + np.where(bumper, 0.004, 0.03)
        rows_y += [outer - np.minimum(0.025, 0.1 * outer), deep, deep, 0 * x]
        rows_z += [edge + 0.004, edge + 0.004, floor, floor]
        y, z = np.stack(rows_y, axis=1), np.stack(rows_z, axis=1)
        left = np.stack([np.broadcast_to(x[:, None], y.shape), y, z], axis=-1)
        right = left[:, -2:0:-1] * (1, -1, 1)
        points = np.concatenate([left, right], axis=1)
        kinds = np.zeros((len(x) - 1, y.shape[1] - 1), int)
        between = ~(bumper[1:] & bumper[:-1])
        kinds[between, clad if s.clad else skin :] = 1
        kinds[:, :sink][(bed[1:] > 0) & (bed[:-1] > 0)] = 1
        full = np.concatenate([kinds, kinds[:, ::-1]], axis=1)
        surfaces = [(s.paint, s.finish), (DARK, Finish.MATTE)]
        parts = [
            sheet(points, full == kind, color, finish, closed=True)
            for kind, (color, finish) in enumerate(surfaces)
        ]
        return [*parts, *self._caps(points)]

    def _caps(self, points: Floats) -> list[Part]:
        """The little that is open at both ends."""
        caps = []
        for ring in (points[0, ::-1], points[-1]):
            middle = np.broadcast_to(ring.mean(axis=0), ring.shape)
            every = np.ones((1, len(ring)), bool)
            pair = np.stack([ring, middle])
            caps.append(sheet(pair, every, self.shape.paint, self.shape.finish, closed=True))
        return caps

    def on_side(
        self, x: Floats, z: Floats, left: bool, lift: float, color: Color, finish: Finish
    ) -> Part:
        """A patch on a side through x, z [R, C]; rows upwards, columns towards -x."""
        y = np.maximum(self.side(x, z), 0) * (1 if left else -1)
        points = np.stack([x, y, z], axis=-1)
        return grid(points if left else points[:, ::-1], lift, color, finish)
