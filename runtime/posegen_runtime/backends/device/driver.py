"""The CUDA driver itself, for streams and memory of others: array protocols speak in handles and
addresses, which no adapter owns. No CUDA package is needed.
"""

import ctypes
import functools
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt

from posegen_runtime.engines.gpu import LIBRARY
from posegen_runtime.errors import PoseGenError

NO_TIMING = 2
"""CU_EVENT_DISABLE_TIMING."""
ORDINAL = 9
"""CU_POINTER_ATTRIBUTE_DEVICE_ORDINAL."""
NOT_READY = 600
"""CUDA_ERROR_NOT_READY."""


class Event:
    """A point in a stream."""

    def __init__(self, driver: "Driver", handle: ctypes.c_void_p) -> None:
        self._driver = driver
        self.handle = handle

    @property
    def done(self) -> bool:
        return self._driver.reached(self)

    def synchronize(self) -> None:
        self._driver.call("cuEventSynchronize", self.handle)

    def __del__(self) -> None:
        if not sys.is_finalizing():
            self._driver.call("cuEventDestroy_v2", self.handle)


class Driver:
    """Streams are handles (CUstream as integers, 1 for the default stream); every call works on
    the first GPU's primary context. Safe to use from several threads."""

    gpu = 0

    def __init__(self) -> None:
        try:
            self._cuda: Any = ctypes.CDLL(LIBRARY)
        except OSError as error:
            raise PoseGenError(
                "an array on a GPU, but there is no NVIDIA driver here; give arrays of the host"
            ) from error
        device = ctypes.c_int()
        self._context = ctypes.c_void_p()
        self._check("cuInit", 0)
        self._check("cuDeviceGet", ctypes.byref(device), self.gpu)
        self._check("cuDevicePrimaryCtxRetain", ctypes.byref(self._context), device)

    def order(self, before: int, after: int) -> None:
        """What comes on stream `after` waits for what is on stream `before` now."""
        if before != after:
            event = self.record(before)
            self.call("cuStreamWaitEvent", ctypes.c_void_p(after), event.handle, 0)

    def record(self, stream: int) -> Event:
        handle = ctypes.c_void_p()
        self.call("cuEventCreate", ctypes.byref(handle), NO_TIMING)
        event = Event(self, handle)
        self.call("cuEventRecord", handle, ctypes.c_void_p(stream))
        return event

    def reached(self, event: Event) -> bool:
        with self._current():
            status = self._cuda.cuEventQuery(event.handle)
        if status not in (0, NOT_READY):
            self._raise("cuEventQuery", status)
        return bool(status == 0)

    def synchronize(self, stream: int) -> None:
        self.call("cuStreamSynchronize", ctypes.c_void_p(stream))

    def gpu_of(self, address: int) -> int:
        """The GPU that the memory at `address` belongs to."""
        number = ctypes.c_int()
        self.call("cuPointerGetAttribute", ctypes.byref(number), ORDINAL, ctypes.c_uint64(address))
        return number.value

    def copy(self, target: int, source: int, nbytes: int, stream: int) -> None:
        """Copy memory, wherever it lies. What comes from the host may change as soon as this
        returns, unless it is pinned."""
        self.call(
            "cuMemcpyAsync",
            ctypes.c_uint64(target),
            ctypes.c_uint64(source),
            ctypes.c_size_t(nbytes),
            ctypes.c_void_p(stream),
        )

    def upload(self, target: int, source: npt.NDArray[Any], stream: int) -> None:
        """From a C-contiguous array of the host's."""
        self.copy(target, source.ctypes.data, source.nbytes, stream)

    def download(self, target: npt.NDArray[np.generic], source: int, stream: int) -> None:
        """To a C-contiguous array of the host's, which is complete on return."""
        self.copy(target.ctypes.data, source, target.nbytes, stream)
        self.synchronize(stream)

    def call(self, name: str, *arguments: Any) -> None:
        with self._current():
            self._check(name, *arguments)

    @contextmanager
    def _current(self) -> Iterator[None]:
        self._check("cuCtxPushCurrent_v2", self._context)
        try:
            yield
        finally:
            self._check("cuCtxPopCurrent_v2", ctypes.byref(ctypes.c_void_p()))

    def _check(self, name: str, *arguments: Any) -> None:
        status = getattr(self._cuda, name)(*arguments)
        if status:
            self._raise(name, status)

    def _raise(self, name: str, status: int) -> None:
        text = ctypes.c_char_p()
        self._cuda.cuGetErrorString(status, ctypes.byref(text))
        reason = (text.value or b"unknown").decode(errors="replace")
        raise PoseGenError(f"CUDA: {name} failed ({status}, {reason})")


@functools.cache
def open_driver() -> Driver:
    """The one of this process. Raises `PoseGenError` where there is no NVIDIA driver."""
    return Driver()
