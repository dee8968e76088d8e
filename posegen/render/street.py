"""Streets: what stands around an object, as numbers. `posegen.render.scenery` paints them.

The world is in metres, z up, the ground at z = 0, the object above the origin facing +x. The street
runs at an angle to it.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from posegen.render import facades, foliage
from posegen.render.camera import View
from posegen.render.ground_plan import GroundPlan, draw_ground, tint
from posegen.render.model import Floats
from posegen.render.sky import Weather, draw_weather
from posegen.render.things import Block, Building, Hedge, Post, Thing, Tree, Wall

POOL = 6
"""Different parked cars; a street has each of them once at most."""


@dataclass(frozen=True)
class ParkedCar:
    """Middle on the ground and heading in the street's frame (metres, radians), paint RGB 0..1."""

    x: float
    y: float
    heading: float
    paint: Floats

    def corners(self) -> Floats:
        """Outline on the ground, [4, 2]."""
        ahead = np.array([np.cos(self.heading), np.sin(self.heading)])
        aside = np.array([-ahead[1], ahead[0]])
        return np.array([self.x, self.y]) + np.stack(
            [2.1 * a * ahead + 0.85 * b * aside for a, b in ((1, 1), (1, -1), (-1, -1), (-1, 1))]
        )


@dataclass(frozen=True)
class Street:
    """Colours are floats 0..1 [..., 3] RGB."""

    angle: float
    """Direction of the street against the object's +x, radians."""
    weather: Weather
    ground: GroundPlan
    things: tuple[Thing, ...]
    cars: tuple[ParkedCar | None, ...]
    """[POOL]: where each car of the pool stands."""
    gain: Floats
    """[3]: exposure and white balance, factors of the finished image's R, G, B."""
    gamma: float
    """Exponent of the finished image's tone curve."""

    @property
    def sky(self) -> Floats:
        """[2, 3]: colour at the horizon and overhead."""
        return self.weather.sky

    @property
    def sun(self) -> Floats:
        """Unit vector towards the light, world frame."""
        return self.weather.sun

    @property
    def sun_color(self) -> Floats:
        return self.weather.sun_color

    @property
    def fill(self) -> float:
        """Brightness of the light from the sky."""
        return self.weather.fill

    @property
    def shadow(self) -> float:
        """Opacity of the shadow, 0..1."""
        return self.weather.shadow

    @property
    def shadow_blur(self) -> float:
        """Blur of the shadow's edge in metres."""
        return self.weather.shadow_blur

    @property
    def ground_color(self) -> Floats:
        """RGB of the ground about the object."""
        under = [band for band in self.ground.bands if band.low < 2 and band.high > -2]
        return np.mean([band.color for band in under], axis=0)

    @property
    def wall_color(self) -> Floats:
        """Mean RGB of what stands round about."""
        return np.mean([thing.color for thing in self.things] or [self.ground_color], axis=0)

    @property
    def skyline(self) -> float:
        """A phase, radians: skylines of different streets differ."""
        return float(10 * self.ground.sides[0])


def draw_street(rng: np.random.Generator) -> Street:
    """A random street with its light and weather."""
    ground = draw_ground(rng)
    things: list[Thing] = []
    for side, start in ((-1, ground.sides[0]), (1, ground.sides[1])):
        things += _row(rng, side, start)
    warm = rng.normal(0, 0.035)
    weather = draw_weather(rng)
    bright = 1.1 * weather.sun[2] * weather.sun_color.mean() + 1.35 * weather.fill
    metered = np.clip((1.2 / bright) ** 0.7, 0.75, 1.7)  # the camera evens out dark and bright days
    exposure = float(metered * np.exp(rng.normal(0, 0.13)))
    return Street(
        angle=float(rng.choice([0, np.pi]) + rng.normal(0, 0.12))
        if rng.random() < 0.6
        else float(rng.uniform(0, 2 * np.pi)),
        weather=weather,
        ground=ground,
        things=tuple(things),
        cars=_cars(rng, ground),
        gain=exposure * np.array([1 + warm, 1 + rng.normal(0, 0.012), 1 - warm]),
        gamma=float(np.exp(rng.normal(0, 0.09))),
    )


# fmt: off
_WALLS = ((0.76, 0.72, 0.62), (0.60, 0.36, 0.28), (0.58, 0.58, 0.60), (0.84, 0.81, 0.74),
          (0.50, 0.46, 0.42), (0.72, 0.58, 0.42), (0.62, 0.66, 0.68), (0.78, 0.66, 0.58))
_GREENS = ((0.22, 0.34, 0.12), (0.30, 0.40, 0.14), (0.16, 0.28, 0.13), (0.48, 0.42, 0.12),
           (0.34, 0.38, 0.20))
# fmt: on


def _row(rng: np.random.Generator, side: int, start: float) -> list[Thing]:
    """One side of the street, from its edge outwards: furniture, fence or hedge, trees, houses."""
    things: list[Thing] = []

    def add(kind: type[Thing], x: float, away: float, size: tuple[float, float, float],
            color: Floats, style: int) -> None:  # fmt: skip
        y = start + side * (away + size[1] / 2)
        seed = int(rng.integers(1 << 20))
        things.append(kind(x, y, size[0] / 2, size[1] / 2, size[2], color, style, seed))

    green = tint(rng, np.array(_GREENS[rng.integers(len(_GREENS))]), 0.03)
    setback = 0.0
    kind, front = rng.integers(6), rng.uniform(0.1, 1.0)
    if kind < 4:  # hedge, masonry, boards, railings
        high, gap = (rng.uniform(0.7, 2.6), rng.uniform(0, 0.25))
        deep = rng.uniform(0.6, 1.4) if kind == 0 else 0.15
        color = green if kind == 0 else tint(rng, np.array(_WALLS[rng.integers(8)]), 0.05)
        for x in np.arange(-48, 48, 3.0):
            if rng.random() > gap:
                style = max(int(kind) - 1, 0)
                add(Hedge if kind == 0 else Wall, x, front, (3.0, deep, high), color, style)
        setback = front + deep
    _furniture(rng, add)
    density, species = rng.choice([0.0, 0.25, 0.6, 0.9]), rng.integers(0, 6, 2)
    for x in np.arange(-55, 55, 6.0):
        if rng.random() < density:
            style = int(species[rng.integers(2)])
            high = rng.uniform(4.5, 12) if foliage.KINDS[style] != "bush" else rng.uniform(0.8, 2.2)
            slim = {"cone": 0.42, "column": 0.26, "tall": 0.6, "bush": 1.3}
            wide = high * slim.get(foliage.KINDS[style], 0.85) * rng.uniform(0.85, 1.15)
            away = setback + rng.uniform(0.3, 4) - wide / 2
            shade = tint(rng, green, 0.03)
            add(Tree, x + rng.uniform(-2, 2), away, (wide, wide, high), shade, style)
    empty, houses = rng.choice([0.0, 0.3, 1.0], p=[0.45, 0.4, 0.15]), rng.random() < 0.4
    x, style, gap = -75 + rng.uniform(-8, 8), int(rng.integers(6)), rng.uniform(0, 8)
    away = setback + rng.uniform(1.0, 14)
    while x < 75:
        along, deep = rng.uniform(8, 13) if houses else rng.uniform(10, 30), rng.uniform(8, 14)
        high = 3.0 * rng.integers(1, 3) if houses else 3.0 * rng.integers(1, 8)
        if rng.random() > empty:
            color = tint(rng, np.array(_WALLS[rng.integers(8)]), 0.05)
            style = style if rng.random() < 0.5 else int(rng.integers(len(facades.STYLES)))
            add(Building, x + along / 2, away, (along, deep, high), color, style)
        x += along + gap * rng.random()
    # Far trees close the view at the horizon.
    for x in np.arange(-90, 91, 9.0):
        high = rng.uniform(6, 16)
        shade = tint(rng, np.array(_GREENS[rng.integers(4)]), 0.03) * 0.85
        add(Tree, x + rng.uniform(-4, 4), rng.uniform(42, 60), (high, high, high), shade,
            int(rng.integers(3)))  # fmt: skip
    return things


def _furniture(rng: np.random.Generator, add: Callable[..., None]) -> None:
    """Lamps, signs, bollards, bins along the edge."""
    metal = np.full(3, rng.choice([0.16, 0.3, 0.5]))
    high, every = rng.uniform(5, 9), rng.choice([18.0, 25.0, 999.0])
    for x in np.arange(-50 + rng.uniform(0, 18), 50, every):
        add(Post, x, -0.5, (0.14, 0.14, high), metal, 1)
    for _ in range(rng.integers(0, 4)):
        add(Post, rng.uniform(-25, 25), -0.4, (0.07, 0.07, rng.uniform(2, 2.8)), metal, 2)
    if rng.random() < 0.3:
        for x in np.arange(-14, 14, 1.8):
            add(Post, x, -0.9, (0.14, 0.14, 0.9), metal, 0)
    bins = np.array([(0.16, 0.32, 0.2), (0.2, 0.2, 0.22), (0.2, 0.28, 0.5), (0.5, 0.36, 0.2)])
    for _ in range(rng.integers(0, 5)):
        wide, tall = rng.uniform(0.5, 1.4), rng.uniform(0.6, 1.4)
        color = tint(rng, bins[rng.integers(4)], 0.03)
        add(Block, rng.uniform(-20, 20), -0.3, (wide, 0.7, tall), color, int(rng.integers(2)))


def _cars(rng: np.random.Generator, ground: GroundPlan) -> tuple[ParkedCar | None, ...]:
    """Cars in the ground's parking rows, no two in one place."""
    busy = rng.choice([0.0, 0.5, 0.9])
    taken: set[tuple[int, int]] = set()
    cars: list[ParkedCar | None] = []
    for _ in range(POOL):
        row, slot = int(rng.integers(len(ground.parking))), int(rng.integers(-4, 5))
        y, across = ground.parking[row]
        present = rng.random() < busy and (row, slot) not in taken and slot != 0
        taken.add((row, slot))
        heading = rng.choice([0, np.pi]) + (np.pi / 2 if across else 0) + rng.normal(0, 0.02)
        x = slot * (2.75 if across else 6.2) + rng.normal(0, 0.15)
        grey = rng.choice([0.08, 0.25, 0.55, 0.85])
        paint = np.full(3, grey) if rng.random() < 0.65 else rng.uniform(0.05, 0.6, 3)
        cars.append(ParkedCar(x, y, heading, paint) if present else None)
    return tuple(cars)


def clear_of_view(corners: Floats, view: View, radius: float) -> npt.NDArray[np.bool_]:
    """Which things [N] can hide nothing of an object of `radius` at the origin: all their corners
    [N, C, 3] lie behind it, seen from the camera. So every silhouette is wholly visible."""
    depths = view.to_camera(corners.reshape(-1, 3))[:, 2].reshape(corners.shape[:2])
    limit = view.to_camera(np.zeros((1, 3)))[0, 2] + radius
    return np.asarray(depths.min(axis=1) > limit)
