"""Walls with windows, doors and shop fronts, put together from cells of three metres."""

from functools import cache

import cv2
import numpy as np

from posegen.render.model import Bytes, Floats

CELL = 56
"""Pixels along the side of a cell."""
METRES = 3.0
STYLES = ("brick", "plaster", "panels", "glass", "hall", "stucco")
_VARIANTS = 4


@cache
def _wall(style: str) -> Bytes:
    """Grey of the bare wall, uint8 [CELL, CELL], mean about 200."""
    rng = np.random.default_rng([74, STYLES.index(style)])
    image = 205 + rng.normal(0, 5, (CELL, CELL))
    y, x = np.mgrid[0:CELL, 0:CELL]
    if style == "brick":
        row = y // 4
        image += 13 * rng.normal(size=(14, 8))[row % 14, ((x + 4 * (row % 2)) // 8) % 7]
        image += 18 * ((y % 4 == 0) | ((x + 4 * (row % 2)) % 8 == 0))
    elif style == "panels":
        image -= 45 * ((x % CELL < 1) | (y % CELL < 1))
    elif style == "hall":
        image -= 26 * (x % 4 < 1)
    elif style == "stucco":
        image -= 30 * (y % 9 < 1)
    return np.clip(image, 0, 255).astype(np.uint8)


@cache
def _opening(style: str, ground: bool, variant: int) -> Bytes:
    """What stands in a cell's wall, uint8 [CELL, CELL, 4] RGBA."""
    rng = np.random.default_rng([75, STYLES.index(style), ground, variant])
    shape_rng = np.random.default_rng([76, STYLES.index(style), ground])  # alike all along a row
    image = np.zeros((CELL, CELL, 4), np.uint8)
    wide, high = shape_rng.uniform(0.36, 0.62), shape_rng.uniform(0.42, 0.66)
    sill = shape_rng.uniform(0.24, 0.32)
    frame = int(shape_rng.choice([238, 235, 60, 96]))
    if style == "glass":
        wide, high, sill, frame = 0.97, 0.9, 0.05, 90
    if style == "hall":
        if variant < 2 and not ground:
            return image
        wide, high, sill = 0.8, (0.86 if ground else 0.25), (0.0 if ground else 0.5)
    if ground and style != "hall":
        if variant == 0:  # a door
            wide, high, sill = 0.36, 0.74, 0.0
        elif variant < 3 and style != "stucco":  # a shop front
            wide, high, sill = 0.88, 0.68, 0.06
    left, right = int(CELL * (1 - wide) / 2), int(CELL * (1 + wide) / 2)
    bottom, top = int(CELL * (1 - sill)), int(CELL * (1 - sill - high))
    cv2.rectangle(image, (left - 2, top - 2), (right + 2, bottom + 2), (frame,) * 3 + (255,), -1)
    image[bottom + 1 : bottom + 4, max(left - 3, 0) : right + 4] = (205, 203, 198, 255)
    image[top - 2 : top, left:right, :3] = frame // 2  # the lintel's shadow
    glass = _glass(rng, bottom - top, right - left)
    solid = ground and (variant == 0 or (style == "hall" and variant < 3))
    if solid:
        color = np.array([(88, 52, 36), (50, 66, 84), (150, 150, 148), (70, 84, 62)])
        slats = 1 - 0.16 * (np.arange(bottom - top) % 5 < 1)
        glass = (color[rng.integers(4)] * slats[:, None, None]).repeat(right - left, axis=1)
    image[top:bottom, left:right, :3] = glass
    if not solid and style != "glass":
        middle = (left + right) // 2
        image[top:bottom, middle : middle + 1 + (frame > 200), :3] = frame
        if variant % 2:
            image[top + (bottom - top) // 3, left:right, :3] = frame
    if ground and variant in (1, 2) and style in ("brick", "plaster", "panels"):
        sign = np.array([(170, 36, 34), (28, 70, 120), (224, 180, 60), (44, 100, 66), (40, 40, 44)])
        image[top - 7 : top - 1, left - 2 : right + 2] = (*sign[rng.integers(5)], 255)
    return image


def _glass(rng: np.random.Generator, high: int, wide: int) -> Floats:
    """A pane: sky above, dark below, a slanting reflection, perhaps a blind."""
    y, x = np.mgrid[0:high, 0:wide] / max(high, wide)
    dark = rng.uniform(28, 70)
    level = dark + rng.uniform(10, 90) * np.clip(0.8 - y - 0.3 * x * rng.uniform(-1, 1), 0, 1)
    band = np.abs(x + 0.6 * y - rng.uniform(0, 1)) < rng.uniform(0.05, 0.2)
    level = level + rng.uniform(10, 40) * band
    color = level[..., None] * np.array([0.88, 0.98, 1.1])
    if rng.random() < 0.35:
        drawn = int(high * rng.uniform(0.2, 0.7))
        color[:drawn] = rng.uniform(150, 215) * np.array([1, 0.97, 0.9])
    return np.asarray(np.clip(color, 0, 255))


def facade(
    rng: np.random.Generator, style: int, columns: int, rows: int, color: Floats, plain: bool
) -> Bytes:
    """A wall of `columns` x `rows` cells painted `color` (RGB 0..1): uint8 [h, w, 3].

    `plain`: an end wall with few windows.
    """
    name = STYLES[style]
    wall = np.tile(_wall(name), (rows, columns))
    image = wall[..., None] * (color / 0.8)
    # Rain and dust.
    image *= np.linspace(1.04, 0.88, len(image))[:, None, None]
    for row in range(rows):
        ground = row == rows - 1
        for column in range(columns):
            if plain and rng.random() < 0.7:
                continue
            opening = _opening(name, ground, int(rng.integers(_VARIANTS)))
            part = image[row * CELL : (row + 1) * CELL, column * CELL : (column + 1) * CELL]
            np.copyto(part, opening[..., :3], where=opening[..., 3:] > 0)
    image[:4] *= 0.72
    return np.clip(image, 0, 255, out=image).astype(np.uint8)
