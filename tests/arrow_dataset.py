"""A tiny data set of arrows whose picture tells their pose: the red end is the front."""

import json
from pathlib import Path

import cv2
import numpy as np

SIZE = 32


def write_arrows(root: Path, train: int = 96, val: int = 24, poses: bool = True) -> Path:
    """Photos of one arrow each, seen from any side, with `scene_gt.json` where `poses`."""
    generator = np.random.default_rng(0)
    splits = {"train": train, "val": val, "test": 0}
    for split, count in splits.items():
        scene = root / split / "000000"
        frames = {}
        for frame in range(count):
            azimuth = float(generator.uniform(-np.pi, np.pi))
            photo, mask, background = arrow(azimuth, generator)
            for name, image in (("rgb", photo), ("background", background), ("appearance", photo)):
                _write(scene / name / f"{frame:06d}.png", image[..., ::-1])
            _write(scene / "mask" / f"{frame:06d}_000000.png", mask)
            frames[str(frame)] = [{"cam_R_m2c": rotation(azimuth), "cam_t_m2c": [0, 0, 5000]}]
        if poses and count:
            (scene / "scene_gt.json").write_text(json.dumps(frames))
    description = {
        "schema": 1,
        "name": "arrows",
        "image_size": [SIZE, SIZE],
        "splits": splits,
        "sha256": "0" * 64,
    }
    (root / "dataset.json").write_text(json.dumps(description))
    return root


def arrow(
    azimuth: float, generator: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Photo, mask and background. Seen from its left (90°), the front points to the image's left;
    seen from in front (0°), down."""
    middle = generator.integers(12, SIZE - 12, 2)
    ahead = np.array([-np.sin(azimuth), 0.6 * np.cos(azimuth)]) * 9
    front, rear = (tuple((middle + sign * ahead).round().astype(int).tolist()) for sign in (1, -1))
    background = np.full((SIZE, SIZE, 3), generator.integers(60, 120, 3), np.uint8)
    mask = np.zeros((SIZE, SIZE), np.uint8)
    cv2.line(mask, rear, front, 255, 6)
    photo = np.where(mask[..., None] > 0, np.uint8(230), background)
    cv2.circle(photo, front, 4, (240, 20, 20), -1)
    cv2.circle(mask, front, 4, 255, -1)
    return photo, mask, background


def rotation(azimuth: float) -> list[float]:
    """R_m2c of an upright object that the camera sees from `azimuth`, at its own height."""
    cos, sin = np.cos(azimuth), np.sin(azimuth)
    return [-sin, cos, 0, 0, 0, -1, -cos, -sin, 0]


def _write(file: Path, image: np.ndarray) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(file), image)
