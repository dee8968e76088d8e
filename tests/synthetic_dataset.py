"""A tiny data set in the on-disk format: a coloured ellipse for a car, a gradient for a scene, and
poses that have nothing to do with either."""

import hashlib
import json
from pathlib import Path

import cv2
import numpy as np


def write_dataset(
    root: Path,
    train: int = 12,
    val: int = 4,
    size: int = 32,
    objects: int = 2,
    seed: int = 0,
    test: int = 0,
) -> Path:
    """`objects` of one colour each in every split; photo = background outside the ellipse."""
    generator = np.random.default_rng(seed)
    digest = hashlib.sha256()
    splits = {"train": train, "val": val, "test": test}
    number = 0
    for split, count in splits.items():
        for group in np.array_split(np.arange(count), objects):
            if len(group) == 0:
                continue
            scene = root / split / f"{number:06d}"
            colour = generator.integers(0, 256, 3)
            for frame in range(len(group)):
                digest.update(_write_frame(scene, frame, size, colour, generator))
            poses = {str(frame): [_pose(generator)] for frame in range(len(group))}
            (scene / "scene_gt.json").write_text(json.dumps(poses))
            number += 1
    description = {
        "schema": 1,
        "name": "ellipses",
        "seed": seed,
        "image_size": [size, size],
        "kind": "rendered",
        "splits": splits,
        "licence": "CC0-1.0",
        "sha256": digest.hexdigest(),
        "version": "0",
    }
    (root / "dataset.json").write_text(json.dumps(description))
    return root


def _write_frame(
    scene: Path, frame: int, size: int, colour: np.ndarray, generator: np.random.Generator
) -> bytes:
    mask, background = _ellipse(size, generator), _gradient(size, generator)
    other_mask, other_background = _ellipse(size, generator), _gradient(size, generator)
    name = f"{frame:06d}.png"
    images = {
        f"rgb/{name}": np.where(mask[..., None], colour, background),
        f"background/{name}": background,
        f"appearance/{name}": np.where(other_mask[..., None], colour, other_background),
        f"mask/{frame:06d}_000000.png": mask,
    }
    written = b""
    for path, image in images.items():
        file = scene / path
        file.parent.mkdir(parents=True, exist_ok=True)
        pixels = image.astype(np.uint8)
        cv2.imwrite(str(file), pixels[..., ::-1] if pixels.ndim == 3 else pixels)
        written += pixels.tobytes()
    return written


def _pose(generator: np.random.Generator) -> dict[str, object]:
    """Seen from anywhere: an unturned object somewhere before the camera."""
    t = [*generator.uniform(-900, 900, 2), generator.uniform(100, 900)]
    return {"cam_R_m2c": np.eye(3).ravel().tolist(), "cam_t_m2c": t, "obj_id": 1}


def _ellipse(size: int, generator: np.random.Generator) -> np.ndarray:
    mask = np.zeros((size, size), np.uint8)
    centre = [int(v) for v in generator.integers(size // 3, 2 * size // 3, 2)]
    axes = [int(v) for v in generator.integers(size // 6, size // 3, 2)]
    cv2.ellipse(mask, centre, axes, float(generator.uniform(0, 180)), 0, 360, 255, -1)
    return mask


def _gradient(size: int, generator: np.random.Generator) -> np.ndarray:
    corners = generator.integers(0, 256, (2, 2, 3)).astype(np.float32)
    return np.rint(cv2.resize(corners, (size, size), interpolation=cv2.INTER_LINEAR))
