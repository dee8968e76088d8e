"""Inputs made of nothing but a seed, for an export without a data set at hand."""

from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from posegen_runtime.images import write_png

Pixels = npt.NDArray[np.uint8]


def car_mask(generator: np.random.Generator, size: tuple[int, int]) -> Pixels:
    """A car-like silhouette: body, cabin and two wheels, at a random place, size and tilt.

    Returns uint8 (height, width) `size` in {0, 255}, never empty.
    """
    height, width = size
    length = generator.uniform(0.25, 0.75) * width
    x, y = generator.uniform(0.35, 0.65, 2) * (width, height)
    tilt = np.deg2rad(generator.uniform(-12, 12))
    flip = generator.choice((-1, 1))
    turn = np.array([[np.cos(tilt), -np.sin(tilt)], [np.sin(tilt), np.cos(tilt)]])
    mask = np.zeros(size, np.uint8)
    for part in (_BODY, _CABIN):
        corners = (part * (flip, 1) * length) @ turn.T + (x, y)
        cv2.fillPoly(mask, [np.round(corners).astype(np.int32)], (255,))
    for center in _WHEELS:
        place = np.round((center * (flip, 1) * length) @ turn.T + (x, y)).astype(int)
        cv2.circle(mask, (int(place[0]), int(place[1])), max(1, round(length * 0.09)), (255,), -1)
    return mask


_BODY = np.array([(-0.5, -0.05), (0.5, -0.02), (0.5, 0.15), (-0.5, 0.15)])
_CABIN = np.array([(-0.35, -0.05), (-0.2, -0.22), (0.15, -0.22), (0.32, -0.03)])
_WHEELS = np.array([(-0.3, 0.15), (0.3, 0.15)])


def random_mask(generator: np.random.Generator, size: tuple[int, int], grain: int) -> Pixels:
    """Blobs of about `grain` pixels that no object has; half of the image is set."""
    noise = _smooth(generator, size, grain, 1)[..., 0]
    return np.where(noise > np.median(noise), 255, 0).astype(np.uint8)


def background(generator: np.random.Generator, size: tuple[int, int]) -> Pixels:
    """A smooth RGB picture, uint8 [H, W, 3], that fills the range of levels."""
    picture = _smooth(generator, size, max(size) // 4, 3)
    low, high = picture.min(axis=(0, 1)), picture.max(axis=(0, 1))
    return np.round((picture - low) / np.maximum(high - low, 1e-6) * 255).astype(np.uint8)


def appearance(generator: np.random.Generator, size: tuple[int, int]) -> Pixels:
    """A car-like shape in one colour on a smooth background, uint8 [H, W, 3]."""
    picture = background(generator, size)
    picture[car_mask(generator, size) > 127] = generator.integers(0, 256, 3)
    return picture


def write_folders(root: Path, size: int, count: int, seed: int = 5) -> None:
    """Write ``masks/``, ``appearance/`` and ``background/`` below `root`, `count` square PNGs of
    `size` pixels in each."""
    generator = np.random.default_rng(seed)
    makers = {"masks": car_mask, "appearance": appearance, "background": background}
    for name, make in makers.items():
        (root / name).mkdir(parents=True)
        for number in range(count):
            write_png(root / name / f"{number:03}.png", make(generator, (size, size)))


def _smooth(
    generator: np.random.Generator, size: tuple[int, int], grain: int, channels: int
) -> npt.NDArray[np.float32]:
    """Noise with details of about `grain` pixels, float32 [H, W, channels]."""
    height, width = size
    cells = (max(2, -(-height // grain)), max(2, -(-width // grain)))
    noise = generator.random((*cells, channels), dtype=np.float32)
    enlarged = cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.asarray(enlarged, np.float32).reshape(height, width, channels)
