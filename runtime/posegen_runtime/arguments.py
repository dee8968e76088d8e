"""Checks of what `PoseGenerator.generate` is given."""

from typing import Any

import numpy as np
import numpy.typing as npt

from posegen_runtime.arrays.device import DeviceArray
from posegen_runtime.errors import PoseGenError

UNIT_TOLERANCE = 1e-3
NO_COPY = "since nothing may be copied (allow_copy=False)"


def check_masks(
    masks: npt.NDArray[Any], size: tuple[int, int], allow_copy: bool = True
) -> npt.NDArray[np.uint8]:
    """Masks as uint8 [N, H, W] in {0, 255}, from bool or uint8, [H, W] or [N, H, W].

    Raises `PoseGenError` on another type, shape or size, on uint8 masks in {0, 1}, which the
    graph's comparison with 127 would read as empty, and where they would have to be copied but may
    not be.
    """
    if not isinstance(masks, np.ndarray) or masks.dtype not in (np.uint8, np.bool_):
        raise PoseGenError(f"masks: {_describe(masks)}; must be a uint8 or bool array")
    check_masks_shape(masks.shape, size)
    batch = masks if masks.ndim == 3 else masks[None]
    if not allow_copy and batch.dtype == np.bool_:
        raise PoseGenError(f"masks: bool; must be uint8 in {{0, 255}}, {NO_COPY}")
    if not allow_copy and not batch.flags.c_contiguous:
        raise PoseGenError(f"masks: not contiguous; must be, {NO_COPY}")
    if batch.dtype == np.bool_:
        return np.where(batch, np.uint8(255), np.uint8(0))
    if batch.size and batch.max() == 1:
        raise PoseGenError("masks: values are 0 and 1; use 0 and 255, or a bool array")
    return np.ascontiguousarray(batch)


def check_masks_shape(shape: tuple[int, ...], size: tuple[int, int]) -> None:
    if len(shape) not in (2, 3) or shape[-2:] != size:
        raise PoseGenError(
            f"masks: shape {shape}; must be [N, {size[0]}, {size[1]}], the bundle's size"
        )


def check_images(name: str, images: Any, size: tuple[int, int], count: int) -> Any:
    """RGB images as uint8 [1 or N, H, W, 3], where they lie. Raises `PoseGenError` on anything
    else."""
    if not isinstance(images, (np.ndarray, DeviceArray)) or images.dtype != np.uint8:
        raise PoseGenError(f"{name}: {_describe(images)}; must be a uint8 array")
    shape = images.shape
    if len(shape) not in (3, 4) or shape[-3:] != (*size, 3):
        raise PoseGenError(
            f"{name}: shape {shape}; must be [{size[0]}, {size[1]}, 3] "
            f"or [N, {size[0]}, {size[1]}, 3], RGB at the bundle's size"
        )
    if len(shape) == 4 and shape[0] not in (1, count):
        raise PoseGenError(f"{name}: {shape[0]} images for {count} masks; give one or {count}")
    if len(shape) == 4:
        return images
    return images.reshaped(1, *shape) if isinstance(images, DeviceArray) else images[None]


def check_viewpoint(viewpoint: npt.NDArray[Any] | None, count: int) -> npt.NDArray[np.float32]:
    """Viewpoints as float32 [count, 3], from [3] or [count, 3]; zeros for None.

    Raises `PoseGenError` on another type or shape, and on a row that is neither a unit vector (to
    `UNIT_TOLERANCE`) nor zeros.
    """
    if viewpoint is None:
        return np.zeros((count, 3), np.float32)
    if not isinstance(viewpoint, np.ndarray) or viewpoint.dtype not in (np.float32, np.float64):
        raise PoseGenError(f"viewpoint: {_describe(viewpoint)}; must be a float32 array")
    if viewpoint.shape not in ((3,), (count, 3)):
        raise PoseGenError(f"viewpoint: shape {viewpoint.shape}; must be [3] or [{count}, 3]")
    rows = np.broadcast_to(viewpoint, (count, 3)).astype(np.float32)
    lengths = np.linalg.norm(rows, axis=1)
    wrong = ~((np.abs(lengths - 1) <= UNIT_TOLERANCE) | (lengths == 0))
    if wrong.any():
        row = int(np.argmax(wrong))
        raise PoseGenError(
            f"viewpoint: row {row} is {rows[row].tolist()}; must be a unit vector, or zeros where "
            "it is unknown"
        )
    return rows


def _describe(value: object) -> str:
    return (
        str(value.dtype) if isinstance(value, (np.ndarray, DeviceArray)) else type(value).__name__
    )
