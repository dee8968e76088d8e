"""What an array of any library is, once its protocol was read."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class View:
    """Memory that `owner` keeps; `strides` in bytes, None where it is C-contiguous."""

    address: int
    shape: tuple[int, ...]
    strides: tuple[int, ...] | None
    dtype: np.dtype[Any]
    read_only: bool
    owner: object
    gpu: int | None = None
    """Number of the GPU that it lies on, None for the host's memory."""
    stream: int | None = None
    """The CUDA stream on which its content is being made."""

    @property
    def contiguous(self) -> bool:
        return self.strides is None or _without_ones(self.shape, self.strides) == _without_ones(
            self.shape, packed(self.shape, self.dtype.itemsize)
        )

    def on_host(self) -> npt.NDArray[Any]:
        """The same memory as an array of NumPy, of what lies on the host."""
        if 0 in self.shape:
            return np.empty(self.shape, self.dtype)
        return np.asarray(_Exposed(self))


class _Exposed:
    """NumPy keeps it, and so the memory, for as long as any array looks at it."""

    def __init__(self, view: View) -> None:
        self._view = view
        self.__array_interface__ = {
            "version": 3,
            "shape": view.shape,
            "strides": view.strides,
            "typestr": view.dtype.str,
            "data": (view.address, view.read_only),
        }


def packed(shape: tuple[int, ...], itemsize: int) -> tuple[int, ...]:
    """Strides in bytes of a C-contiguous array."""
    strides = []
    for size in reversed(shape):
        strides.append(itemsize)
        itemsize *= size
    return tuple(reversed(strides))


def _without_ones(shape: tuple[int, ...], strides: tuple[int, ...]) -> list[int]:
    """Strides that are ever walked."""
    return [stride for size, stride in zip(shape, strides, strict=True) if size != 1]
