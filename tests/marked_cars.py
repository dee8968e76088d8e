"""A data set whose pictures say what they show, and judges that read it off them.

The object is red (above 200), its green is the azimuth, its blue is a ramp; nothing in the scene is
red. So a judge's answer is known beforehand, and a planted fault shows in the figures.
"""

import json
from pathlib import Path

import cv2
import numpy as np

SIZE = 64
OBJECTS = 12
FRAMES = 3


def write_marked_cars(
    root: Path, size: int = SIZE, poses: bool = True, splits: tuple[str, ...] = ("test",)
) -> Path:
    """`OBJECTS` objects with `FRAMES` samples each in every split."""
    for seed, split in enumerate(splits):
        _write_split(root / split, size, poses, np.random.default_rng(seed))
    description = {
        "schema": 1,
        "name": "marked",
        "image_size": [size, size],
        "splits": {"train": 0} | dict.fromkeys(splits, OBJECTS * FRAMES),
        "sha256": "0" * 64,
    }
    (root / "dataset.json").write_text(json.dumps(description))
    return root


def _write_split(root: Path, size: int, poses: bool, generator: np.random.Generator) -> None:
    for number in range(OBJECTS):
        scene = root / f"{number:06d}"
        azimuths = generator.uniform(-np.pi, np.pi, FRAMES)
        for frame, azimuth in enumerate(azimuths):
            _write_frame(scene, frame, size, float(azimuth), number, generator)
        if poses:
            entries = {str(i): [_pose(float(a), 0.1 * (i + 1))] for i, a in enumerate(azimuths)}
            (scene / "scene_gt.json").write_text(json.dumps(entries))


class RedSegmenter:
    """Finds what is red."""

    def masks(self, images: np.ndarray) -> np.ndarray:
        return np.where(images[..., 0] > 127, 255, 0).astype(np.uint8)


class GreenHeading:
    """Reads the azimuth from the green of what is red; of a mask it knows nothing and says 0."""

    def angles(self, images: np.ndarray) -> np.ndarray:
        if images.ndim == 3:
            return np.zeros(len(images))
        inside = images[..., 0] > 127
        green = (images[..., 1] * inside).sum(axis=(1, 2)) / np.maximum(inside.sum(axis=(1, 2)), 1)
        return green / 255 * 2 * np.pi - np.pi


def _write_frame(
    scene: Path,
    frame: int,
    size: int,
    azimuth: float,
    number: int,
    generator: np.random.Generator,
) -> None:
    mask, background = _ellipse(size, generator), _scene(size, generator)
    name = f"{frame:06d}.png"
    images = {
        f"rgb/{name}": _painted(mask, background, azimuth, number),
        f"background/{name}": background,
        f"appearance/{name}": _painted(_ellipse(size, generator), background, 0.0, number),
        f"mask/{frame:06d}_000000.png": mask,
    }
    for path, image in images.items():
        file = scene / path
        file.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(file), image[..., ::-1] if image.ndim == 3 else image)


def _painted(mask: np.ndarray, background: np.ndarray, azimuth: float, number: int) -> np.ndarray:
    """With an object of which blue rises by 2 levels a pixel from a level of its own."""
    image = background.copy()
    ramp = 5 * number + 2 * np.arange(mask.shape[1])
    colour = np.zeros_like(image)
    colour[..., 0] = 220
    colour[..., 1] = round((azimuth + np.pi) / (2 * np.pi) * 255)
    colour[..., 2] = np.broadcast_to(ramp.clip(0, 255), mask.shape)
    image[mask > 0] = colour[mask > 0]
    return image


def _scene(size: int, generator: np.random.Generator) -> np.ndarray:
    corners = generator.integers(0, 100, (2, 2, 3)).astype(np.float32)
    return cv2.resize(corners, (size, size), interpolation=cv2.INTER_LINEAR).astype(np.uint8)


def _ellipse(size: int, generator: np.random.Generator) -> np.ndarray:
    mask = np.zeros((size, size), np.uint8)
    centre = [int(v) for v in generator.integers(size // 4, 3 * size // 4, 2)]
    axes = [int(v) for v in generator.integers(size // 8, size // 4, 2)]
    cv2.ellipse(mask, centre, axes, float(generator.uniform(0, 180)), 0, 360, 255, -1)
    return mask


def _pose(azimuth: float, elevation: float) -> dict[str, object]:
    """An unturned object whose camera stands in that direction, 5 m away."""
    flat = np.cos(elevation)
    towards = np.array([flat * np.cos(azimuth), flat * np.sin(azimuth), np.sin(elevation)])
    return {
        "cam_R_m2c": np.eye(3).ravel().tolist(),
        "cam_t_m2c": (-5000 * towards).tolist(),
        "obj_id": 1,
    }
