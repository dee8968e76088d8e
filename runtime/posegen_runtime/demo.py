"""Inputs for `posegen-run --demo`: the golden set that every bundle carries."""

from pathlib import Path

import cv2
import numpy as np

from posegen_runtime.bundle import Bundle
from posegen_runtime.golden import GOLDEN_MASKS
from posegen_runtime.poses import Three
from posegen_runtime.sources import Source

FOLDER = "golden/"
LARGEST_PART = 0.9
"""Share of an object's pixels that hang together."""


def demo_inputs(bundle: Bundle) -> dict[str, list[Source]]:
    """Masks, appearances and backgrounds inside the bundle, by input name, sorted.

    Random masks, which stand in the golden set to try the graph with, are left out.
    """
    found: dict[str, set[str]] = {"mask": set(), "appearance": set(), "background": set()}
    for golden in bundle.manifest.golden:
        for name in found:
            path = getattr(golden, name)
            if path is not None:
                found[name].add(path)
    found["mask"] = {path for path in found["mask"] if _is_object(bundle.path(path))}
    return {
        name: [Source(bundle.path(path), path.removeprefix(FOLDER)) for path in sorted(paths)]
        for name, paths in found.items()
    }


def demo_viewpoints(bundle: Bundle) -> dict[str, Three]:
    """Viewpoints of the demo's masks by name, where the bundle has them."""
    return {
        golden.mask.removeprefix(FOLDER): golden.viewpoint
        for golden in bundle.manifest.golden
        if golden.viewpoint is not None and any(golden.viewpoint)
    }


def _is_object(path: Path) -> bool:
    """Whether a golden mask is one object that does not fill its frame."""
    mask = GOLDEN_MASKS.read(path)[0].mask
    _, _, stats, _ = cv2.connectedComponentsWithStats(mask)
    areas = stats[1:, cv2.CC_STAT_AREA]
    _, _, width, height = cv2.boundingRect(mask)
    fills_frame = (width, height) == (mask.shape[1], mask.shape[0])
    return bool(len(areas)) and not fills_frame and areas.max() >= LARGEST_PART * np.sum(areas)
