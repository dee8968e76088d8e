"""Greyscale textures that multiply the colour of what they cover. The same at every start."""

import cv2
import numpy as np

from posegen.render.model import Bytes, Floats
from posegen.render.street import FACADES

TILE_METRES = 6.0
"""Side of one tile of a texture in the world."""
_SIZE = 256


def facade(number: int) -> Bytes:
    """Windows in a wall: uint8 [256, 256, 3], two storeys of two to four windows."""
    rng = np.random.default_rng([71, number])
    image = np.full((_SIZE, _SIZE), 225.0) + rng.normal(0, 5, (_SIZE, _SIZE))
    columns = 2 + number % 3
    cell_w, cell_h = _SIZE // columns, _SIZE // 2
    wide, high = int(cell_w * rng.uniform(0.4, 0.7)), int(cell_h * rng.uniform(0.42, 0.62))
    for row in range(2):
        for column in range(columns):
            x = column * cell_w + (cell_w - wide) // 2
            y = row * cell_h + (cell_h - high) // 2
            image[y - 4 : y + high + 6, x - 4 : x + wide + 4] = 250
            image[y : y + high, x : x + wide] = rng.uniform(50, 120)
            image[y : y + high, x + wide // 2 - 2 : x + wide // 2 + 2] = 235
    return _grey(image)


def rough() -> Bytes:
    """Asphalt-like noise on two scales, uint8 [256, 256, 3], mean about 225."""
    rng = np.random.default_rng(70)
    fine, coarse = (_seamless(rng.normal(0, 1, (_SIZE, _SIZE)), blur) for blur in (1.2, 16))
    return _grey(226 + 8 * fine + 6 * coarse)


def facades() -> list[Bytes]:
    return [facade(number) for number in range(FACADES)]


def _seamless(noise: Floats, blur: float) -> Floats:
    tiled = np.tile(noise, (3, 3))
    smooth = cv2.GaussianBlur(tiled, (0, 0), blur)[_SIZE : 2 * _SIZE, _SIZE : 2 * _SIZE]
    return np.asarray(smooth / smooth.std(), np.float64)


def _grey(image: np.ndarray) -> Bytes:
    return np.repeat(np.clip(image, 0, 255).astype(np.uint8)[..., None], 3, axis=2)
