"""A bundle small enough for tests, built without torch: every input shows in the image.

Inside the silhouette the image is the mean colour of the appearance, darker at the top, and lit by
the viewpoint where the bundle takes it; outside it is the background. The graphs have the same
inputs, outputs and dynamic dimensions as real ones.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from tiny_graphs import (
    AMBIENT,
    INPUTS,
    LAMP,
    SIZE,
    encoded_names,
    encoded_spec,
    save_cached,
    save_conditions,
    save_generator,
    spec,
)


def expected_image(
    mask: np.ndarray,
    appearance: np.ndarray,
    background: np.ndarray,
    viewpoint: np.ndarray | None = None,
) -> np.ndarray:
    """What the full variant makes of one mask [H, W] and two images [H, W, 3], and of a viewpoint
    [3] if the bundle takes it."""
    shade = np.linspace(0.5, 1.0, SIZE, dtype=np.float32).reshape(-1, 1, 1)
    if viewpoint is not None:
        shade = shade * (np.asarray(viewpoint, np.float32) @ LAMP + np.float32(AMBIENT))
    mean = appearance.astype(np.float32).mean(axis=(0, 1), keepdims=True)
    image = np.where((mask > 127)[..., None], mean * shade, background.astype(np.float32))
    return np.round(image).astype(np.uint8)


def example_mask(index: int, size: int = SIZE) -> np.ndarray:
    """An ellipse with a hole, uint8 {0, 255}, another for each index."""
    mask = np.zeros((size, size), np.uint8)
    center = size // 2 + index % 5 - 2, size // 2 + index % 3 - 1
    axes = size // 3 - index % 4, size // 5 + index % 3
    cv2.ellipse(mask, center, axes, 10 * index, 0, 360, 255, -1)
    cv2.circle(mask, center, size // 12, 0, -1)
    return mask


def example_photo(index: int, size: int = SIZE) -> np.ndarray:
    rng = np.random.default_rng(index)
    coarse = rng.integers(0, 256, (4, 4, 3), dtype=np.uint8)
    return cv2.resize(coarse, (size, size), interpolation=cv2.INTER_LINEAR)


def write_tiny_bundle(
    root: Path,
    variant: str = "pose-appearance-background",
    with_defaults: bool = True,
    golden: int = 4,
    viewpoint: bool = False,
    **changes: Any,
) -> Path:
    """Write a bundle to `root`; `changes` replace fields of its manifest."""
    names = [*INPUTS[variant], *(["viewpoint"] if viewpoint else [])]
    specs = {name: spec(name, "N") for name in names}
    image = {"name": "image", "dtype": "uint8", "shape": ["N", SIZE, SIZE, 3]}
    conditions = INPUTS[variant][1:]
    of_masks = [specs[name] for name in names if name not in conditions]
    encoded = [encoded_spec(name) for name in encoded_names(conditions)]
    graphs = {
        "generator": {
            "path": "fp32/generator.onnx",
            "inputs": list(specs.values()),
            "outputs": [image],
        }
    }
    save_generator(root / "fp32/generator.onnx", conditions, viewpoint=viewpoint)
    if conditions:
        graphs["conditions"] = {
            "path": "fp32/conditions.onnx",
            "inputs": [specs[name] for name in conditions],
            "outputs": encoded,
        }
        graphs["generator_cached"] = {
            "path": "fp32/generator_cached.onnx",
            "inputs": [of_masks[0], *encoded, *of_masks[1:]],
            "outputs": [image],
        }
        save_conditions(root / "fp32/conditions.onnx", conditions)
        save_cached(root / "fp32/generator_cached.onnx", conditions, viewpoint)
    rows = [_golden(root, index, conditions, viewpoint) for index in range(golden)]
    defaults = {}
    for name in conditions if with_defaults else []:
        defaults[name] = f"defaults/{name}.png"
        _write_image(root / defaults[name], example_photo(50 + len(defaults)))
    manifest = {
        "schema": 1,
        "name": "tiny",
        "arch": "spatial",
        "preset": "edge",
        "variant": variant,
        "image_size": [SIZE, SIZE],
        "inputs": list(specs.values()),
        "max_batch": 4,
        "precisions": [{"precision": "fp32", "graphs": graphs}],
        "golden": rows,
        "defaults": defaults,
        "files": _records(root),
        **changes,
    }
    (root / "bundle.json").write_text(json.dumps(manifest))
    return root


def golden_viewpoint(index: int) -> np.ndarray:
    """Of the golden input `index`: withheld in the first, elsewhere further round for each."""
    return np.array([np.cos(index), np.sin(index), 0.0]) if index else np.zeros(3)


def _golden(root: Path, index: int, conditions: list[str], viewpoint: bool) -> dict[str, Any]:
    inputs = {"mask": example_mask(index)}
    inputs |= {name: example_photo(2 * index + len(name)) for name in conditions}
    grey = np.full((SIZE, SIZE, 3), 128, np.uint8)
    image = expected_image(
        inputs["mask"],
        inputs.get("appearance", grey),
        inputs.get("background", grey),
        golden_viewpoint(index) if viewpoint else None,
    )
    row: dict[str, Any] = {"viewpoint": golden_viewpoint(index).tolist()} if viewpoint else {}
    for name, pixels in {**inputs, "image": image}.items():
        row[name] = f"golden/{name}/{index:03}.png"
        _write_image(root / row[name], pixels)
    return row


def _records(root: Path) -> dict[str, dict[str, Any]]:
    files = sorted(file for file in root.rglob("*") if file.is_file())
    return {
        file.relative_to(root).as_posix(): {
            "sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
            "bytes": file.stat().st_size,
        }
        for file in files
    }


def _write_image(path: Path, image: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), image if image.ndim == 2 else image[..., ::-1])
