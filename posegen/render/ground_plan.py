"""What lies on the ground: bands of material along the street, and paint."""

from dataclasses import dataclass

import numpy as np

from posegen.render.model import Floats

REACH = 75.0
"""Half the length of the painted ground, metres."""


@dataclass(frozen=True)
class Band:
    """Ground from y = low to high (metres, street frame) along the whole street."""

    low: float
    high: float
    material: str
    color: Floats


@dataclass(frozen=True)
class Mark:
    """Paint on the ground: a closed polygon or a line of `width` metres, points [N, 2]."""

    points: Floats
    width: float
    """0: a filled polygon."""
    color: Floats


@dataclass(frozen=True)
class GroundPlan:
    bands: tuple[Band, ...]
    marks: tuple[Mark, ...]
    sides: tuple[float, float]
    """y beyond which, on the left and right, buildings may stand."""
    parking: tuple[tuple[float, bool], ...]
    """Rows of parked cars: y of their middle, and whether they stand across the street."""
    wear: float
    """0..1, how much of the paint is gone."""
    offset: Floats
    """[2]: where the tiles begin, metres."""
    stains: float
    """Strength of broad light and dark areas."""


_COLORS = {
    "asphalt": ((0.36, 0.36, 0.37), (0.26, 0.27, 0.29), (0.45, 0.44, 0.43), (0.19, 0.20, 0.22)),
    "cobbles": ((0.42, 0.41, 0.40), (0.50, 0.44, 0.40)),
    "gravel": ((0.56, 0.53, 0.48), (0.62, 0.56, 0.46)),
    "grass": ((0.27, 0.36, 0.15), (0.34, 0.38, 0.18), (0.20, 0.31, 0.12), (0.46, 0.43, 0.24)),
    "concrete": ((0.62, 0.61, 0.58), (0.54, 0.54, 0.53), (0.68, 0.65, 0.60)),
    "slabs": ((0.58, 0.57, 0.54), (0.52, 0.48, 0.45)),
}


def tint(rng: np.random.Generator, base: Floats, spread: float) -> Floats:
    """`base` RGB, lighter or darker, its hue nearly kept."""
    color = np.asarray(base) + rng.normal(0, spread) + rng.normal(0, spread / 6, 3)
    return np.minimum(np.maximum(color, 0.03), 1)  # faster than clip


def material(rng: np.random.Generator, *names: str) -> tuple[str, Floats]:
    name = names[rng.integers(len(names))]
    palette = _COLORS.get(name, _COLORS["asphalt"])
    return name, tint(rng, np.array(palette[rng.integers(len(palette))]), 0.035)


_ROADS = ("asphalt", "asphalt", "worn", "worn", "patched", "patched", "tarred", "concrete",
          "cobbles")  # fmt: skip


def draw_ground(rng: np.random.Generator) -> GroundPlan:
    """A road between pavements, or an open yard with or without bays."""
    marks: list[Mark] = []
    paint = tint(rng, np.array((0.88, 0.88, 0.86)), 0.03)
    line = rng.uniform(0.09, 0.16)
    if rng.random() < 0.62:
        bands, sides, (near, far) = _street(rng)
        _lines(rng, marks, near, far, line, paint)
        parking = [(near + 1.1, False), (far - 1.1, False)]
    else:
        bands, sides, _ = _yard(rng)
        parking = [(sides[0] + 3, True), (sides[1] - 3, True)]
        if rng.random() < 0.75:
            depth, wide = rng.uniform(4.8, 5.6), rng.uniform(2.3, 2.9)
            start = rng.uniform(-depth, 0) if rng.random() < 0.7 else rng.uniform(2, 8)
            slant = rng.choice([0.0, 0.0, rng.uniform(-2, 2)])
            for row in range(-1, 3):
                y = start + row * (depth + (rng.uniform(5.5, 7) if row % 2 else 0.0))
                if sides[0] < y and y + depth < sides[1]:
                    _bays(marks, y, depth, wide, slant, line, paint, 0.0)
                    parking.append((y + depth / 2, True))
    return GroundPlan(
        tuple(bands),
        tuple(marks),
        sides,
        tuple(parking),
        wear=float(rng.uniform(0.0, 0.75)),
        offset=rng.uniform(0, 12, 2),
        stains=float(rng.uniform(0.2, 1.2)),
    )


_Plan = tuple[list[Band], tuple[float, float], tuple[float, float]]


def _street(rng: np.random.Generator) -> _Plan:
    road, walk = rng.uniform(6, 11), rng.uniform(1.5, 4)
    near = -rng.uniform(1.3, road - 1.3)  # where the road's near edge lies from the object
    far, kerb = near + road, rng.uniform(0.12, 0.25)
    surface, verge, paving = material(rng, *_ROADS), _verge(rng), material(rng, "slabs", "concrete",
                                                                           "asphalt")  # fmt: skip
    stone = "concrete", tint(rng, np.array((0.66, 0.65, 0.62)), 0.05)
    face = "concrete", stone[1] * 0.55
    edges = [-REACH, near - kerb - walk, near - kerb, near - 0.05, near, far, far + 0.05,
             far + kerb, far + kerb + walk, REACH]  # fmt: skip
    strip = _verge(rng) if rng.random() < 0.3 else paving
    kinds = [verge, paving, stone, face, surface, face, stone, strip, _verge(rng)]
    bands = [
        Band(a, b, *kind) for a, b, kind in zip(edges[:-1], edges[1:], kinds, strict=True) if a < b
    ]
    if rng.random() < 0.4:  # parking strip or gutter of another material
        wide, side = rng.choice([0.35, 2.2]), rng.integers(2)
        low = near if side else far - wide
        bands.append(Band(low, low + wide, *material(rng, "cobbles", "concrete", "asphalt")))
    return bands, (near - kerb - walk, far + kerb + walk), (near, far)


def _yard(rng: np.random.Generator) -> _Plan:
    low, high = -rng.uniform(6, 22), rng.uniform(6, 22)
    surface = material(rng, *_ROADS, "gravel", "slabs", "concrete", "asphalt", "grass")
    stone = "concrete", tint(rng, np.array((0.64, 0.63, 0.60)), 0.05)
    kinds = [_verge(rng), stone, surface, stone, _verge(rng)]
    edges = [-REACH, low - 0.2, low, high, high + 0.2, REACH]
    bands = [Band(a, b, *kind) for a, b, kind in zip(edges[:-1], edges[1:], kinds, strict=True)]
    return bands, (low - 0.3, high + 0.3), (low, high)


def _verge(rng: np.random.Generator) -> tuple[str, Floats]:
    return material(rng, "grass", "grass", "grass", "gravel", "slabs", "concrete", "asphalt")


def _lines(
    rng: np.random.Generator, marks: list[Mark], near: float, far: float, line: float, paint: Floats
) -> None:
    """Edge and middle lines, a crossing, an arrow, bays along the kerb."""
    yellow = tint(rng, np.array((0.86, 0.66, 0.16)), 0.03)
    middle_paint = yellow if rng.random() < 0.3 else paint
    middle, shift = (near + far) / 2, rng.uniform(0, 9)
    kind = rng.integers(5)  # none, solid, dashed, dashed, double
    if kind in (1, 4):
        for y in (middle - line, middle + line) if kind == 4 else (middle,):
            marks.append(Mark(np.array([(-REACH, y), (REACH, y)]), line, middle_paint))
    elif kind:
        on, off = rng.uniform(1.5, 3.5), rng.uniform(2, 5)
        for x in np.arange(-REACH + shift, REACH, on + off):
            marks.append(Mark(np.array([(x, middle), (x + on, middle)]), line, middle_paint))
    if rng.random() < 0.45:
        for y in (near + 0.35, far - 0.35):
            marks.append(Mark(np.array([(-REACH, y), (REACH, y)]), line, paint))
    elif rng.random() < 0.5:
        deep, wide = rng.uniform(1.9, 2.4), rng.uniform(5, 6.5)
        for y in (near + deep, far - deep):
            if rng.random() < 0.6:
                _bays(marks, min(y, near if y < middle else far), deep, wide, 0, line, paint, shift)
    if rng.random() < 0.3:
        x0 = rng.choice([-1, 1]) * rng.uniform(1, 14)
        for y in np.arange(near + 0.3, far - 0.5, 1.0):
            stripe = [(x0, y), (x0 + 3, y), (x0 + 3, y + 0.5), (x0, y + 0.5)]
            marks.append(Mark(np.array(stripe), 0, paint))
    if rng.random() < 0.35:
        x, y = rng.uniform(-9, 9), (middle + (near if rng.random() < 0.5 else far)) / 2
        shape = [
            (0, 0.08),
            (2.4, 0.08),
            (2.4, 0.35),
            (4, 0),
            (2.4, -0.35),
            (2.4, -0.08),
            (0, -0.08),
        ]
        sign = 1 if y < middle else -1
        marks.append(Mark(np.array(shape)[:2].repeat(1, 0) * sign + (x, y), 0.16, paint))
        marks.append(Mark(np.array(shape)[2:5] * sign + (x, y), 0, paint))


def _bays(
    marks: list[Mark], y: float, depth: float, wide: float, slant: float, line: float,
    paint: Floats, shift: float,
) -> None:  # fmt: skip
    """Parking bays from y to y + depth."""
    for x in np.arange(-30 + shift, 30, wide):
        marks.append(Mark(np.array([(x, y), (x + slant, y + depth)]), line, paint))
    marks.append(Mark(np.array([(-30, y), (30, y)]), line, paint))
