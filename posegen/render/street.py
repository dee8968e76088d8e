"""Streets: what stands around an object, as numbers. `posegen.render.scenery` paints them.

The world is in metres, z up, the ground at z = 0, the object above the origin facing +x. The street
runs at an angle to it.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from posegen.render.camera import View
from posegen.render.ground_plan import GroundPlan, draw_ground
from posegen.render.model import Floats
from posegen.render.roadside import draw_roadside
from posegen.render.sky import Weather, draw_weather
from posegen.render.things import Thing

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


def draw_street(rng: np.random.Generator) -> Street:
    """A random street with its light and weather."""
    ground = draw_ground(rng)
    things: list[Thing] = []
    for side, start in ((-1, ground.sides[0]), (1, ground.sides[1])):
        things += draw_roadside(rng, side, start)
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
