"""Folders of photos as people have them: one coloured object on a striped ground."""

from pathlib import Path

import cv2
import numpy as np
from PIL import Image

SIZE = (120, 160)
"""Height and width."""
OBJECT = (230, 20, 20)


def scene(seed: int, size: tuple[int, int] = SIZE) -> np.ndarray:
    """Greenish noise and stripes, RGB uint8 [H, W, 3]; green is always 90 above red or so."""
    rng = np.random.default_rng(seed)
    red, blue = seed * 23 % 60, seed * 37 % 160
    image = rng.integers(0, 20, (*size, 3)) + np.array([red, red + 90, blue])
    image[:: int(rng.integers(6, 12)), :, 2] += 60
    return image.astype(np.uint8)


def silhouette(seed: int, size: tuple[int, int] = SIZE) -> np.ndarray:
    """An ellipse with a notch, uint8 [H, W] in {0, 255}; large enough and inside the frame."""
    rng = np.random.default_rng([1, seed])
    mask = np.zeros(size, np.uint8)
    centre = int(rng.integers(60, 100)), int(rng.integers(50, 70))
    axes = int(rng.integers(28, 40)), int(rng.integers(18, 28))
    cv2.ellipse(mask, centre, axes, float(rng.uniform(-20, 20)), 0, 360, 255, -1)
    cv2.circle(mask, (centre[0], centre[1] + axes[1]), 6, 0, -1)
    return mask


def photo(seed: int, size: tuple[int, int] = SIZE) -> np.ndarray:
    return np.where(silhouette(seed, size)[..., None] > 0, OBJECT, scene(seed, size)).astype(
        np.uint8
    )


def write_photos(
    root: Path, count: int, suffix: str = ".png", mask_name: str = "{}.png"
) -> tuple[Path, Path]:
    """`root`/photos/000.. and `root`/masks; returns both folders."""
    folder, masks = root / "photos", root / "masks"
    folder.mkdir(parents=True)
    masks.mkdir()
    for number in range(count):
        name = f"{number:03d}"
        Image.fromarray(photo(number)).save(folder / f"{name}{suffix}", quality=98)
        Image.fromarray(silhouette(number)).save(masks / mask_name.format(name))
    return folder, masks
