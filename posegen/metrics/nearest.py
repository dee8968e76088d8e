"""Oracle 3's search: for each wanted silhouette, the training silhouette of the highest IoU."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from posegen.data.prepared import Pixels
from posegen.metrics.values import Values
from posegen_runtime.errors import PoseGenError

if TYPE_CHECKING:
    from torch import Tensor

WANTED_BLOCK, TRAINING_BLOCK = 1536, 256
"""Silhouettes unpacked at once, however many there are: at 256 px 400 and 70 MB. Large blocks of
one side spare unpacking the other one again."""


@dataclass(frozen=True)
class PackedMasks:
    """M silhouettes, a bit a pixel: `bits` uint8 [M, ⌈pixels / 8⌉], `areas` int64 [M]."""

    bits: Pixels
    areas: NDArray[np.int64]
    pixels: int

    def __len__(self) -> int:
        return len(self.areas)


def pack(batches: Iterable[Pixels]) -> PackedMasks:
    """Of masks uint8 [N, H, W] in {0, 255}, all of one size; at least one."""
    bits, areas, pixels = [], [], 0
    for masks in batches:
        flat = (masks > 127).reshape(len(masks), -1)
        pixels = flat.shape[1]
        bits.append(np.packbits(flat, axis=1))
        areas.append(flat.sum(axis=1))
    return PackedMasks(np.concatenate(bits), np.concatenate(areas), pixels)


def closest(wanted: PackedMasks, training: PackedMasks) -> tuple[NDArray[np.int64], Values]:
    """Rows of `training` int64 [N] and their IoU with `wanted` [N]; the first of equals.

    A wanted mask that is empty gets row 0 and NaN. Raises `PoseGenError` for masks of two sizes.
    """
    if wanted.pixels != training.pixels:
        raise PoseGenError(
            f"silhouettes of {wanted.pixels} and of {training.pixels} pixels cannot be compared; "
            "read both at one size"
        )
    # Where no mask of a side has a pixel, none is common.
    shared = np.bitwise_or.reduce(wanted.bits) & np.bitwise_or.reduce(training.bits) != 0
    rows, best = np.zeros(len(wanted), np.int64), np.full(len(wanted), -1.0)
    for start in range(0, len(wanted), WANTED_BLOCK):
        part = slice(start, start + WANTED_BLOCK)
        left = _unpacked(wanted.bits[part, shared])
        for first in range(0, len(training), TRAINING_BLOCK):
            other = slice(first, first + TRAINING_BLOCK)
            # Counts of pixels are whole numbers below 2²⁴, so float32 holds them exactly.
            common = (left @ _unpacked(training.bits[other, shared]).T).numpy().astype(np.float64)
            union = wanted.areas[part, None] + training.areas[None, other] - common
            overlap = common / np.maximum(union, 1)
            row = overlap.argmax(axis=1)
            found = overlap[np.arange(len(row)), row]
            better = found > best[part]
            rows[part] = np.where(better, first + row, rows[part])
            best[part] = np.where(better, found, best[part])
    return rows, np.where(wanted.areas > 0, best, np.nan)


def _unpacked(bits: Pixels) -> "Tensor":
    """float32 in {0, 1}, a tensor: torch multiplies them twice as fast as NumPy."""
    import torch

    return torch.from_numpy(np.unpackbits(bits, axis=1)).float()
