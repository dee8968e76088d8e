"""Which cars there are: body styles, proportions and colours drawn at random."""

from dataclasses import dataclass

import numpy as np

from posegen.render.car_styles import PAINTS, SHARES, STYLES
from posegen.render.model import Finish, Floats
from posegen.render.primitives import Color

DARK = (22, 22, 24)
CHROME = (205, 207, 210)


@dataclass(frozen=True)
class CarShape:
    """One car. Lengths in metres; x from its middle, z from the ground."""

    style: str
    """A key of `STYLES`."""
    length: float
    width: float
    height: float
    clearance: float
    belt: float
    """Height of the body's shoulder, where the windows begin."""
    wedge: float
    """How much the belt rises towards the rear, over the car's length."""
    nose: float
    """Height of the bonnet's front edge."""
    boot: float
    """Height of the body's rear edge."""
    nose_depth: float
    """Length over which the plan rounds off in front."""
    nose_power: float
    nose_round: float
    """Length over which the bonnet turns into the front."""
    tail_depth: float
    tail_power: float
    crease: float
    """How far the line along the sides stands out, as a share of the half width."""
    flare: float
    """How far the wheel arches stand out."""
    clad: bool
    """Whether sills and arches are of bare plastic."""
    wheel_radius: float
    arch: float
    """Radius of a wheel arch in wheel radii."""
    spokes: int
    front_axle: float
    rear_axle: float
    screen_base: float
    """x where the windscreen meets the bonnet."""
    screen_rake: float
    """Horizontal run of the windscreen from its base to the roof."""
    back_base: float
    """x where the rear window meets the boot lid, the tail or the bed."""
    back_rake: float
    tumblehome: float
    """How much narrower than its base the roof is, on each side."""
    arc: float
    """How much lower than its middle the roof's ends are."""
    pillars: tuple[float, ...]
    """Where the pillars between the side windows stand, shares of the base from front to rear."""
    last_window: float
    """Where the side windows end, in the same shares."""
    panels: bool
    """Whether the body is closed behind the front doors, as a panel van's is."""
    bed: tuple[float, float] | None
    """x from where to where the open bed of a pickup reaches."""
    bed_depth: float
    rails: bool
    bright_trim: bool
    lamps: int
    """Which of three designs the head and tail lamps have."""
    grille: int
    """0: hardly any, 1: one, 2: a tall one."""
    paint: Color
    finish: Finish
    roof: Color
    rim: Color
    trim: Color
    glass: Color
    rear_plate: Color


def draw_car(rng: np.random.Generator, style: str | None = None) -> CarShape:
    """One car of a random body style (or the one named), size and colour."""
    chosen = list(STYLES)[rng.choice(len(STYLES), p=SHARES)]
    style = chosen if style is None else style
    of = STYLES[style]
    length, width, height = (rng.uniform(*r) for r in (of.length, of.width, of.height))
    belt, radius = height * rng.uniform(*of.belt), rng.uniform(*of.wheel)
    tall = style in ("suv", "pickup", "van")
    screen_base = length * (0.5 - rng.uniform(*of.bonnet))
    back_base = -length * (0.5 - rng.uniform(*of.boot))
    jitter = rng.normal(0, 9, 3)
    paint = _color(np.asarray(PAINTS[rng.integers(len(PAINTS))]) + jitter)
    silver = int(rng.integers(140, 225)) if rng.random() < 0.8 else 45
    bed = (-length * 0.475, back_base - 0.12) if style == "pickup" else None
    nose = belt * (rng.uniform(0.86, 0.92) if tall else rng.uniform(0.76, 0.83))
    wedge = rng.uniform(0.0, 0.10) if style != "pickup" else 0.0
    boot = {"pickup": belt, "sedan": belt * 1.0, "coupe": belt * 0.98}.get(style, belt * 0.97)
    return CarShape(
        style=style,
        length=length,
        width=width,
        height=height,
        clearance=rng.uniform(*of.clearance),
        belt=belt,
        wedge=wedge,
        nose=nose,
        boot=boot + wedge * 0.6,
        nose_depth=rng.uniform(0.45, 0.75),
        nose_power=rng.uniform(2.4, 3.2) if not tall else rng.uniform(2.8, 3.8),
        nose_round=rng.uniform(0.14, 0.26),
        tail_depth=rng.uniform(0.30, 0.45),
        tail_power=rng.uniform(3.0, 4.5),
        crease=rng.uniform(0.0, 0.016),
        flare=rng.uniform(0.0, 0.03) + 0.015 * (style in ("suv", "pickup")),
        clad=bool(rng.random() < {"suv": 0.6, "van": 0.4, "pickup": 0.3}.get(style, 0.06)),
        wheel_radius=radius,
        arch=rng.uniform(1.11, 1.17),
        spokes=int(rng.choice([5, 5, 6, 7, 8, 10])),
        front_axle=length * rng.uniform(0.30, 0.325),
        rear_axle=-length
        * (rng.uniform(0.30, 0.325) if style in ("hatchback", "suv") else rng.uniform(0.275, 0.30)),
        screen_base=screen_base,
        screen_rake=rng.uniform(*of.rake),
        back_base=back_base,
        back_rake=rng.uniform(*of.back_rake),
        tumblehome=rng.uniform(0.09, 0.13) if tall else rng.uniform(0.13, 0.19),
        arc=rng.uniform(0.02, 0.04) if style in ("van", "pickup") else rng.uniform(0.05, 0.09),
        pillars=of.pillars,
        last_window=rng.uniform(*of.last_window),
        panels=bool(style == "van" and rng.random() < 0.45),
        bed=bed,
        bed_depth=rng.uniform(0.38, 0.48),
        rails=bool(rng.random() < {"suv": 0.6, "estate": 0.6}.get(style, 0.0)),
        bright_trim=bool(rng.random() < 0.4),
        lamps=int(rng.integers(3)),
        grille=int(rng.integers(3)),
        paint=paint,
        finish=Finish.METALLIC if rng.random() < 0.55 else Finish.PAINT,
        roof=DARK if style != "van" and rng.random() < 0.12 else paint,
        rim=(silver, silver, silver + 4),
        trim=DARK if rng.random() < 0.25 else paint,
        glass=_color(rng.uniform(0.92, 1.08, 3) * rng.uniform(22, 52)),
        rear_plate=(228, 190, 40) if rng.random() < 0.4 else (232, 232, 228),
    )


def _color(values: Floats) -> Color:
    red, green, blue = (int(value) for value in np.clip(values, 12, 242))
    return red, green, blue
