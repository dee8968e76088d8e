"""Streets: what stands around an object, as numbers. `posegen.render.stage` draws them.

The world is in metres, z up, the ground at z = 0, the object above the origin facing +x. The street
runs at an angle to it.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from posegen.render.camera import View
from posegen.render.model import Floats

FACADES = 6
"""Number of facade textures."""
BUILDINGS = 14
TREES = 6
CELLS = 80
"""Cells of the ground along the street."""
REACH = 140.0
"""Half the length of the ground along the street."""


@dataclass(frozen=True)
class Street:
    """Colours are floats 0..1 [..., 3] RGB."""

    angle: float
    """Direction of the street against the object's +x, radians."""
    edges: Floats
    """Ground bands across the street: band i lies from y = edges[i] to edges[i + 1]."""
    bands: Floats
    """Colours [band, cell, 3] of the ground."""
    buildings: Floats
    """[BUILDINGS, 6]: x, y of the middle, size along x, y, z, facade number; street frame."""
    building_colors: Floats
    trees: Floats
    """[TREES, 4]: x, y, crown radius, height; street frame."""
    tree_colors: Floats
    sky: Floats
    """[2, 3]: at the lower and upper edge of the image."""
    sun: Floats
    """Unit vector towards the light, world frame."""
    sun_color: Floats
    fill: float
    """Brightness of the light from the sky."""
    shadow: float
    """Opacity of the shadow, 0..1."""
    shadow_blur: float
    """Blur of the shadow's edge in metres."""


def _tint(rng: np.random.Generator, base: tuple[float, float, float], spread: float) -> Floats:
    return np.clip(np.asarray(base) + rng.normal(0, spread) + rng.normal(0, spread / 7, 3), 0.03, 1)


def draw_street(rng: np.random.Generator) -> Street:
    """A random street with its light and weather."""
    edges, bands = _ground(rng)
    buildings, building_colors = _buildings(rng, edges)
    trees = np.c_[
        rng.uniform(-60, 60, TREES),
        rng.choice([-1, 1], TREES) * rng.uniform(7, 13, TREES),
        rng.uniform(0.9, 2.4, TREES),
        rng.uniform(3.0, 7.0, TREES),
    ]
    trees[:, 2] *= rng.random(TREES) < rng.random()
    greens = np.stack([_tint(rng, (0.20, 0.32, 0.14), 0.06) for _ in range(TREES)])
    overcast = rng.random() < 0.4
    zenith = _tint(rng, (0.62, 0.66, 0.70) if overcast else (0.32, 0.50, 0.80), 0.09)
    horizon = np.clip(0.35 * zenith + 0.65 * _tint(rng, (0.86, 0.86, 0.84), 0.05), 0, 1)
    altitude, azimuth = np.radians(rng.uniform(18, 75)), rng.uniform(0, 2 * np.pi)
    warmth = rng.uniform(0, 0.25) * (not overcast)
    return Street(
        angle=float(rng.choice([0, np.pi]) + rng.normal(0, 0.12))
        if rng.random() < 0.75
        else float(rng.uniform(0, 2 * np.pi)),
        edges=edges,
        bands=bands,
        buildings=buildings,
        building_colors=building_colors,
        trees=trees,
        tree_colors=greens,
        sky=np.stack([horizon, zenith]),
        sun=np.array(
            [
                np.cos(altitude) * np.cos(azimuth),
                np.cos(altitude) * np.sin(azimuth),
                np.sin(altitude),
            ]
        ),
        sun_color=np.array([1, 1 - warmth / 2, 1 - warmth])
        * (rng.uniform(0.3, 0.5) if overcast else rng.uniform(0.6, 0.95)),
        fill=float(rng.uniform(0.5, 0.7) if overcast else rng.uniform(0.3, 0.45)),
        shadow=float(rng.uniform(0.25, 0.45) if overcast else rng.uniform(0.5, 0.75)),
        shadow_blur=float(rng.uniform(0.25, 0.5) if overcast else rng.uniform(0.04, 0.15)),
    )


def _ground(rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Edges [13] and colours [12, CELLS, 3]: verge, pavement, kerb, marked road, and back."""
    road, pavement = rng.uniform(6.5, 12), rng.uniform(1.5, 4)
    near = -rng.uniform(1.5, road - 1.5)  # where the road's near edge lies from the object
    line, kerb = rng.uniform(0.1, 0.18), rng.uniform(0.12, 0.3)
    far, middle = near + road, near + road / 2
    edges = np.array(
        [-REACH, near - kerb - pavement, near - kerb, near, near + 0.3, near + 0.3 + line,
         middle - line / 2, middle + line / 2, far - 0.3, far, far + kerb, far + kerb + pavement,
         REACH]
    )  # fmt: skip
    asphalt = _tint(rng, (0.36, 0.36, 0.37) if rng.random() < 0.75 else (0.48, 0.44, 0.40), 0.08)
    paving = _tint(rng, (0.60, 0.58, 0.55), 0.08)
    stone = _tint(rng, (0.68, 0.68, 0.66), 0.06)
    verge = _tint(rng, (0.30, 0.40, 0.22) if rng.random() < 0.5 else (0.52, 0.48, 0.42), 0.06)
    marking = _tint(rng, (0.86, 0.86, 0.84) if rng.random() < 0.8 else (0.85, 0.68, 0.2), 0.04)
    edge_line = marking if rng.random() < 0.5 else asphalt
    rows = [verge, paving, stone, asphalt, edge_line, asphalt, marking, asphalt, asphalt, stone,
            paving, verge]  # fmt: skip
    bands = np.repeat(np.stack(rows)[:, None], CELLS, axis=1)
    dashes = rng.integers(3)  # solid, dashed or no middle line
    if dashes:
        bands[6, :: 2 if dashes == 1 else 1] = asphalt
    return edges, bands


def _buildings(rng: np.random.Generator, edges: Floats) -> tuple[Floats, Floats]:
    """Two rows of houses along the pavements; some plots stay empty."""
    rows = []
    for side, start in ((-1, -edges[1]), (1, edges[-2])):
        x, half = -70 + rng.uniform(-8, 8), BUILDINGS // 2
        setback, gap, empty = rng.uniform(0.5, 12), rng.uniform(0, 9), rng.uniform(0, 0.7)
        for _ in range(half):
            along, deep = rng.uniform(9, 26), rng.uniform(8, 14)
            high = rng.uniform(4, 20) * (rng.random() > empty)
            y = side * (start + setback + rng.uniform(0, 2) + deep / 2)
            rows.append((x + along / 2, y, along, deep, high, rng.integers(FACADES)))
            x += along + gap * rng.random()
    palette = [(0.72, 0.68, 0.60), (0.62, 0.40, 0.32), (0.56, 0.56, 0.58), (0.80, 0.76, 0.68),
               (0.48, 0.44, 0.40), (0.66, 0.58, 0.46)]  # fmt: skip
    colors = [_tint(rng, palette[rng.integers(len(palette))], 0.06) for _ in rows]
    return np.array(rows, dtype=np.float64), np.stack(colors)


def rotation(angle: float) -> Floats:
    return np.array(
        [[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1.0]]
    )


def clear_of_view(corners: Floats, view: View, radius: float) -> npt.NDArray[np.bool_]:
    """Which things [N] can hide nothing of an object of `radius` at the origin: all their corners
    [N, C, 3] lie behind it, seen from the camera. So every silhouette is wholly visible."""
    depths = view.to_camera(corners.reshape(-1, 3))[:, 2].reshape(corners.shape[:2])
    limit = view.to_camera(np.zeros((1, 3)))[0, 2] + radius
    return np.asarray(depths.min(axis=1) > limit)
