"""Which cars there are: proportions and colours drawn at random."""

from dataclasses import dataclass

import numpy as np

from posegen.render.model import Floats
from posegen.render.primitives import Color

DARK = (22, 22, 24)


@dataclass(frozen=True)
class CarShape:
    """Proportions of one car. Lengths in metres; x positions are measured from its middle."""

    length: float
    width: float
    height: float
    clearance: float
    belt: float
    """Height of the body's shoulder, where the windows begin."""
    nose: float
    """Height of the bonnet's front edge."""
    wheel_radius: float
    front_axle: float
    rear_axle: float
    screen_base: float
    """x where the windscreen meets the bonnet."""
    screen_rake: float
    """Horizontal run of the windscreen from its base to the roof."""
    back_base: float
    """x where the rear window meets the boot lid."""
    back_rake: float
    tumblehome: float
    """How much narrower than its base the roof is, on each side."""
    side_windows: int
    paint: Color
    roof: Color
    rim: Color
    trim: Color
    glass: Color
    rear_plate: Color


BODIES = {  # height, bonnet share, boot share, windscreen rake, rear rake, side windows
    "saloon": ((1.40, 1.50), (0.25, 0.30), (0.14, 0.20), (0.55, 0.85), (0.45, 0.75), (2, 3)),
    "hatchback": ((1.42, 1.58), (0.21, 0.26), (0.01, 0.04), (0.50, 0.80), (0.15, 0.50), (2, 3)),
    "estate": ((1.42, 1.55), (0.23, 0.28), (0.01, 0.03), (0.55, 0.80), (0.10, 0.35), (3, 4)),
    "off-roader": ((1.62, 1.85), (0.22, 0.27), (0.01, 0.03), (0.35, 0.60), (0.05, 0.30), (2, 4)),
    "van": ((1.75, 2.05), (0.12, 0.18), (0.00, 0.01), (0.50, 0.90), (0.03, 0.12), (1, 4)),
}
PAINTS: tuple[Color, ...] = (
    (235, 235, 232), (188, 192, 196), (120, 124, 128), (52, 54, 58), (24, 25, 28), (172, 24, 28),
    (28, 62, 140), (92, 140, 190), (24, 84, 62), (196, 168, 120), (222, 172, 28), (206, 92, 28),
    (104, 40, 52), (120, 148, 110),
)  # fmt: skip


def draw_car(rng: np.random.Generator) -> CarShape:
    """One car of a random body type, size and colour."""
    body = list(BODIES)[rng.integers(len(BODIES))]
    heights, bonnets, boots, rakes, back_rakes, windows = BODIES[body]
    length, width = rng.uniform(3.7, 5.0), rng.uniform(1.66, 1.95)
    height = rng.uniform(*heights)
    off_road = body == "off-roader"
    radius = rng.uniform(0.34, 0.39) if off_road else rng.uniform(0.29, 0.34)
    belt = height * rng.uniform(0.56, 0.64)
    jitter = rng.normal(0, 10, 3)
    paint = _color(np.asarray(PAINTS[rng.integers(len(PAINTS))]) + jitter)
    silver = int(rng.integers(110, 215))
    return CarShape(
        length=length,
        width=width,
        height=height,
        clearance=rng.uniform(0.22, 0.28) if off_road else rng.uniform(0.15, 0.20),
        belt=belt,
        nose=belt * rng.uniform(0.76, 0.9),
        wheel_radius=radius,
        front_axle=length * rng.uniform(0.295, 0.33),
        rear_axle=-length * rng.uniform(0.28, 0.32),
        screen_base=length * (0.5 - rng.uniform(*bonnets)),
        screen_rake=rng.uniform(*rakes),
        back_base=-length * (0.485 - rng.uniform(*boots)),
        back_rake=rng.uniform(*back_rakes),
        tumblehome=rng.uniform(0.08, 0.18),
        side_windows=int(rng.integers(windows[0], windows[1] + 1)),
        paint=paint,
        roof=DARK if rng.random() < 0.12 else paint,
        rim=(silver, silver, silver + 4),
        trim=DARK if rng.random() < 0.4 else paint,
        glass=_color(rng.uniform(0.9, 1.1, 3) * rng.uniform(26, 74)),
        rear_plate=(228, 190, 40) if rng.random() < 0.5 else (225, 225, 220),
    )


def _color(values: Floats) -> Color:
    red, green, blue = (int(value) for value in np.clip(values, 8, 245))
    return red, green, blue
