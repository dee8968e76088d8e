"""What stands on one side of a street, drawn at random."""

from collections.abc import Callable

import numpy as np

from posegen.render import facades, foliage
from posegen.render.ground_plan import tint
from posegen.render.model import Floats
from posegen.render.plants import Hedge, Tree
from posegen.render.things import Block, Building, Post, Thing, Wall

# fmt: off
_WALLS = ((0.76, 0.72, 0.62), (0.60, 0.36, 0.28), (0.58, 0.58, 0.60), (0.84, 0.81, 0.74),
          (0.50, 0.46, 0.42), (0.72, 0.58, 0.42), (0.62, 0.66, 0.68), (0.78, 0.66, 0.58))
_GREENS = ((0.22, 0.34, 0.12), (0.30, 0.40, 0.14), (0.16, 0.28, 0.13), (0.48, 0.42, 0.12),
           (0.34, 0.38, 0.20))
# fmt: on


def draw_roadside(rng: np.random.Generator, side: int, start: float) -> list[Thing]:
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
