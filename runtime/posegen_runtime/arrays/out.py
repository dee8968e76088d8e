"""Where images are to go: the caller's own memory."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from posegen_runtime.arrays.device import DeviceArray
from posegen_runtime.errors import PoseGenError

Images = npt.NDArray[np.uint8]
MOST_WORK = 100_000
"""That NumPy may spend on whether two arrays with gaps share a byte."""


def check_out(
    out: npt.NDArray[Any] | DeviceArray | None,
    kind: str,
    shape: tuple[int, int, int, int],
) -> Images | DeviceArray:
    """The caller's memory as images [N, H, W, 3], in place.

    `out` is uint8, of that `shape`, without the N where it is 1, or as many bytes in a row; `kind`
    is what the caller gave, for messages. Raises `PoseGenError` on anything else, and on memory
    that cannot be written to or that holds a byte twice.
    """
    if out is None:
        raise PoseGenError(
            f"out: {kind}; must be a writable array, or any buffer of bytes, such as a bytearray"
        )
    if out.dtype != np.uint8:
        raise PoseGenError(f"out: {out.dtype}; must be uint8")
    size = int(np.prod(shape))
    fits = [shape, (size,), *([shape[1:]] if shape[0] == 1 else [])]
    if tuple(out.shape) not in fits:
        raise PoseGenError(
            f"out: shape {tuple(out.shape)}; must be {shape}, or {size} bytes in a row"
        )
    if isinstance(out, DeviceArray):
        if out.view.read_only:
            raise PoseGenError("out: is read-only; give memory that may be written to")
        return out.reshaped(*shape)
    if not out.flags.writeable:
        raise PoseGenError("out: is read-only; give memory that may be written to")
    if out.ndim == 1 and not out.flags.c_contiguous and out.size:
        raise PoseGenError(
            "out: bytes in a row with gaps between; give them without, or [N, H, W, 3]"
        )
    if _overlaps_itself(out):
        raise PoseGenError("out: overlaps itself; each image needs memory of its own")
    return out.reshape(shape) if out.ndim == 1 else out if out.ndim == 4 else out[None]


def check_apart(out: Images | DeviceArray, inputs: Mapping[str, Any]) -> None:
    """Raise `PoseGenError` where images would be written over an input."""
    for name, array in inputs.items():
        if array is not None and _overlap(out, array):
            raise PoseGenError(f"out: overlaps {name}; the images need memory of their own")


def _overlaps_itself(out: Images) -> bool:
    """Whether a step may lead to a byte that smaller steps reach, too."""
    reached = 0
    for stride, size in sorted(zip(map(abs, out.strides), out.shape, strict=True)):
        if size > 1 and out.size:
            if stride <= reached:
                return True
            reached += stride * (size - 1)
    return False


def _overlap(out: Images | DeviceArray, array: npt.NDArray[Any] | DeviceArray) -> bool:
    if isinstance(out, DeviceArray) != isinstance(array, DeviceArray):
        return False
    if isinstance(out, DeviceArray) and isinstance(array, DeviceArray):
        begin, end = array.address, array.address + array.nbytes
        return out.gpu == array.gpu and out.address < end and begin < out.address + out.nbytes
    most: Any = MOST_WORK
    try:
        return np.shares_memory(out, array, max_work=most)
    except np.exceptions.TooHardError:
        return True  # their bounds overlap, and to look closer would take long
