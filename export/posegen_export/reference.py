"""The images that count as right: the PyTorch module itself, float32, eval mode, on the CPU.

It shares no code with the exported graph's border, so a fault there cannot hide in both.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from posegen.models import Generator
from posegen_runtime.errors import PoseGenError

Pixels = npt.NDArray[np.uint8]
PIECE = 8


@torch.no_grad()
def reference_images(generator: Generator, feeds: Mapping[str, npt.NDArray[Any]]) -> Pixels:
    """Images uint8 [N, H, W, 3] for `mask` [N, H, W] and conditions [N, H, W, 3], all uint8, and
    `viewpoint` float32 [N, 3], those that the model takes.

    Raises `PoseGenError` when the generator's output holds NaN or infinity.
    """
    generator = generator.float().eval()
    pieces = []
    for start in range(0, len(feeds["mask"]), PIECE):
        tensors = {
            name: torch.from_numpy(to_network(name, array[start : start + PIECE]))
            for name, array in feeds.items()
        }
        image = generator(**tensors).numpy()
        if not np.isfinite(image).all():
            raise PoseGenError(
                "checkpoint: the generator's output holds NaN or infinity; train it anew"
            )
        levels = np.rint(np.clip((image + 1) * 127.5, 0, 255)).astype(np.uint8)
        pieces.append(np.ascontiguousarray(np.moveaxis(levels, 1, 3)))
    return np.concatenate(pieces)


def to_network(name: str, array: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    """uint8 `mask` [N, H, W] → {0, 1} [N, 1, H, W]; uint8 images [N, H, W, 3] → [-1, 1];
    `viewpoint` [N, 3] as it is."""
    if name == "viewpoint":
        return array.astype(np.float32)
    if name == "mask":
        return np.where(array > 127, 1, 0).astype(np.float32)[:, None]
    image = np.moveaxis(array.astype(np.float32), 3, 1) / np.float32(127.5) - np.float32(1)
    return np.ascontiguousarray(image)
