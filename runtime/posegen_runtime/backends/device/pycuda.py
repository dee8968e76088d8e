"""The device through PyCUDA, for programs that live on it already.

It uses the primary context, which TensorRT and everything else in the process share, and so never
`pycuda.autoinit`, which makes one of its own. PyCUDA has no graphs.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pycuda.driver as cuda

from posegen_runtime.backends.device.base import Bytes, Event, Memory, Stream

NON_BLOCKING = 1
"""CU_STREAM_NON_BLOCKING, which PyCUDA has no name for: does not wait for the default stream."""


class PycudaDevice:
    """See `base.Device`."""

    def __init__(self) -> None:
        cuda.init()
        device = cuda.Device(0)
        self._name = device.name()
        self._context = device.retain_primary_context()

    @property
    def name(self) -> str:
        return str(self._name)

    @contextmanager
    def current(self) -> Iterator[None]:
        self._context.push()
        try:
            yield
        finally:
            cuda.Context.pop()

    def allocate(self, nbytes: int) -> Memory:
        return PycudaMemory(cuda.mem_alloc(nbytes), nbytes, self)

    def pin(self, nbytes: int) -> Bytes:
        memory: Bytes = cuda.pagelocked_empty(nbytes, np.uint8)
        return memory

    def stream(self) -> Stream:
        return PycudaStream(cuda.Stream(NON_BLOCKING))


class PycudaMemory:
    def __init__(self, allocation: Any, nbytes: int, device: PycudaDevice) -> None:
        self._allocation = allocation
        self._device = device
        self.address = int(allocation)
        self.nbytes = nbytes

    def __del__(self) -> None:
        if sys.is_finalizing():
            return  # the modules that this takes may be gone, and the process frees all
        # Without a current context, PyCUDA silently keeps what another thread allocated for ever.
        with self._device.current():
            self._allocation.free()


class PycudaStream:
    """See `base.Stream`."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self.handle = int(stream.handle)

    def upload(self, target: int, source: Bytes) -> None:
        cuda.memcpy_htod_async(target, source, self._stream)

    def download(self, target: Bytes, source: int) -> None:
        cuda.memcpy_dtoh_async(target, source, self._stream)

    def copy(self, target: int, source: int, nbytes: int) -> None:
        cuda.memcpy_dtod_async(target, source, nbytes, self._stream)

    def record(self) -> Event:
        event = cuda.Event(cuda.event_flags.DISABLE_TIMING)
        event.record(self._stream)
        return PycudaEvent(event)

    def wait(self, event: Any) -> None:
        self._stream.wait_for_event(event.event)

    def synchronize(self) -> None:
        self._stream.synchronize()

    def capture(self, work: Callable[[], None]) -> None:
        return None


class PycudaEvent:
    def __init__(self, event: Any) -> None:
        self.event = event

    def synchronize(self) -> None:
        self.event.synchronize()
