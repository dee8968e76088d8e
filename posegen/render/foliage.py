"""Sprites of trees and bushes made of many leaves, and a tile of hedge. The same at every start."""

from functools import cache

import cv2
import numpy as np

from posegen.render import textures
from posegen.render.model import Bytes, Floats

KINDS = ("round", "tall", "wide", "cone", "column", "bush")
VARIANTS = 2
_WIDTH, _HEIGHT = 144, 160


@cache
def crown(kind: int, variant: int) -> Bytes:
    """Leaves lit from above, uint8 [160, 144, 4]: grey with alpha; the middle of the lower edge
    is where the trunk enters."""
    rng = np.random.default_rng([72, kind, variant])
    centers, sizes = _blobs(rng, KINDS[kind])
    pointed = KINDS[kind] in ("cone", "column")
    count = 2600
    chosen = rng.choice(len(centers), count, p=sizes**2 / (sizes**2).sum())
    outward = rng.normal(size=(count, 3))
    outward /= np.linalg.norm(outward, axis=1, keepdims=True)
    depth = rng.uniform(0.55, 1.08, (count, 1)) ** 0.5
    points = centers[chosen] + outward * depth * sizes[chosen, None]
    lit = 0.5 + 0.5 * (outward @ np.array([-0.35, 0.35, 0.87]))
    hollow = np.clip((depth[:, 0] - 0.72) / 0.3, 0, 1)
    shade = 34 + 150 * lit * (0.35 + 0.65 * hollow) + 26 * rng.normal(size=count)
    image = np.zeros((_HEIGHT, _WIDTH, 4), np.uint8)
    order = np.argsort(points[:, 1])
    for index in order:
        x, _, z = points[index]
        place = (int(_WIDTH / 2 + x * 66), int(_HEIGHT - 4 - z * 148))
        axes = (int(rng.integers(1, 3)), int(rng.integers(2, 6))) if pointed else (
            int(rng.integers(2, 4)), int(rng.integers(2, 5)))  # fmt: skip
        level = float(np.clip(shade[index], 12, 245))
        cv2.ellipse(image, place, axes, float(rng.uniform(0, 180)), 0, 360,
                    (level, level, level, 255), -1)  # fmt: skip
    image[..., 3] = cv2.GaussianBlur(image[..., 3], (0, 0), 0.6)
    # Colour under a soft edge must be leaf, not black.
    filled = cv2.dilate(image[..., :3], np.ones((3, 3), np.uint8))
    np.copyto(image[..., :3], filled, where=(image[..., :3] == 0))
    return image


def _blobs(rng: np.random.Generator, kind: str) -> tuple[Floats, Floats]:
    """Middles [N, 3] (x across -1..1, y towards the camera, z up 0..1) and radii [N]."""
    if kind == "cone":
        z = np.linspace(0.08, 0.97, 22)
        size = 0.04 + 0.2 * (1 - z)
        x = rng.normal(0, 1, 22) * (1 - z) * 0.42
    elif kind == "column":
        z = np.linspace(0.08, 0.93, 16)
        size = 0.06 + 0.16 * np.sin(np.pi * (0.15 + 0.8 * z))
        x = rng.normal(0, 0.1, 16)
    else:
        count = {"round": 12, "tall": 16, "wide": 14, "bush": 12}[kind]
        turn, reach = rng.uniform(0, 2 * np.pi, count), np.sqrt(rng.random(count))
        across = {"round": 0.6, "tall": 0.42, "wide": 0.72, "bush": 0.7}[kind]
        x = across * reach * np.cos(turn)
        z = 0.5 + 0.3 * reach * np.sin(turn)
        size = rng.uniform(0.14, 0.27, count)
        if kind == "bush":
            z = 0.18 + 0.5 * np.abs(z - 0.3)
    y = rng.uniform(-0.4, 0.4, len(z))
    return np.stack([x, y, z], axis=1), np.asarray(size)


@cache
def hedge() -> Bytes:
    """A seamless tile of leaves, uint8 [TILE, TILE, 3] grey, for `textures.TILE` pixels across
    6 metres."""
    rng = np.random.default_rng(73)
    fine, leaf, broad = (textures.noise(rng, blur) for blur in (0.8, 2.6, 12))
    image = 105 + 26 * fine + 34 * leaf + 18 * broad
    grey = np.clip(np.where(image < 70, image * 0.7, image), 8, 245).astype(np.uint8)
    return np.repeat(grey[..., None], 3, axis=2)
