"""An array on a GPU, which every library can take without a copy."""

from typing import Any

import numpy as np
import numpy.typing as npt

from posegen_runtime.arrays.dlpack import CUDA, write_capsule
from posegen_runtime.arrays.view import View

LEGACY = 1
NO_WAIT = -1
"""What a consumer says who needs no order between streams."""


class DeviceArray:
    """C-contiguous memory on a GPU: `torch.from_dlpack`, `cupy.asarray` and the like take it, by
    DLPack or CUDA's array interface, and both order their stream behind the one that fills it."""

    def __init__(self, view: View) -> None:
        self.view = view

    @property
    def shape(self) -> tuple[int, ...]:
        return self.view.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.view.dtype

    @property
    def address(self) -> int:
        return self.view.address

    @property
    def stream(self) -> int | None:
        """Where its content is being made; None where it is there."""
        return self.view.stream

    @property
    def gpu(self) -> int:
        return self.view.gpu or 0

    @property
    def nbytes(self) -> int:
        return int(np.prod(self.shape)) * self.dtype.itemsize

    def __len__(self) -> int:
        return self.shape[0]

    def __repr__(self) -> str:
        return f"DeviceArray({self.dtype}{list(self.shape)} on cuda:{self.gpu})"

    def reshaped(self, *shape: int) -> "DeviceArray":
        return DeviceArray(View(**{**vars(self.view), "shape": shape, "strides": None}))

    def rows(self, start: int, stop: int) -> "DeviceArray":
        """Those rows, in place."""
        each = self.nbytes // max(len(self), 1)
        shape = (stop - start, *self.shape[1:])
        changes = {"address": self.address + start * each, "shape": shape, "strides": None}
        return DeviceArray(View(**{**vars(self.view), **changes}))

    def numpy(self) -> npt.NDArray[Any]:
        """A copy in the host's memory, once the content is there."""
        from posegen_runtime.backends.device.driver import open_driver

        array = np.empty(self.shape, self.dtype)
        if array.nbytes:
            open_driver().download(array, self.address, self.stream or LEGACY)
        return array

    @property
    def __cuda_array_interface__(self) -> dict[str, Any]:
        return {
            "version": 3,
            "shape": self.shape,
            "strides": None,
            "typestr": self.dtype.str,
            "data": (self.address, self.view.read_only),
            "stream": self.stream,
        }

    def __dlpack_device__(self) -> tuple[int, int]:
        return CUDA, self.gpu

    def __dlpack__(
        self,
        *,
        stream: int | None = None,
        max_version: tuple[int, int] | None = None,
        dl_device: tuple[int, int] | None = None,
        copy: bool | None = None,
    ) -> Any:
        """A capsule whose content is ready for `stream`; None is CUDA's default stream."""
        if copy or (dl_device is not None and tuple(dl_device) != self.__dlpack_device__()):
            raise BufferError("is given where it lies, without a copy")
        if stream == 0:
            raise ValueError("stream 0 is ambiguous: 1 is CUDA's default, 2 the one of a thread")
        wanted = LEGACY if stream is None else stream
        if self.stream is not None and wanted not in (NO_WAIT, self.stream):
            from posegen_runtime.backends.device.driver import open_driver

            open_driver().order(self.stream, wanted)
        return write_capsule(self.view, versioned=max_version is not None and max_version[0] >= 1)
