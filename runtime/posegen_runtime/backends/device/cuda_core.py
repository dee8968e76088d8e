"""The device through cuda-core, NVIDIA's own bindings."""

import ctypes
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from cuda.bindings import driver
from cuda.core import Device, LegacyPinnedMemoryResource, StreamOptions

from posegen_runtime.backends.device.base import Bytes, Event, Graph, Memory, Stream


class CudaCoreDevice:
    """See `base.Device`."""

    def __init__(self) -> None:
        device = Device(0)
        device.set_current()
        self._name = device.name
        self._pinned = LegacyPinnedMemoryResource()

    @property
    def name(self) -> str:
        return self._name

    @contextmanager
    def current(self) -> Iterator[None]:
        Device(0).set_current()  # each thread has its own
        yield

    def allocate(self, nbytes: int) -> Memory:
        device = Device(0)
        stream = device.default_stream
        buffer = device.allocate(nbytes, stream=stream)
        stream.sync()  # the memory is there from now on, for any stream
        return CudaCoreMemory(buffer)

    def pin(self, nbytes: int) -> Bytes:
        buffer = self._pinned.allocate(nbytes)
        memory: Any = (ctypes.c_uint8 * nbytes).from_address(int(buffer.handle))
        memory.buffer = buffer  # lives as long as any array that looks at it
        return np.frombuffer(memory, np.uint8)

    def stream(self) -> Stream:
        return CudaCoreStream(Device(0).create_stream(options=StreamOptions(nonblocking=True)))


class CudaCoreMemory:
    def __init__(self, buffer: Any) -> None:
        self._buffer = buffer
        self.address = int(buffer.handle)
        self.nbytes = int(buffer.size)


class CudaCoreStream:
    """See `base.Stream`."""

    def __init__(self, stream: Any) -> None:
        self.stream = stream
        self.handle = int(stream.handle)

    def upload(self, target: int, source: Bytes) -> None:
        self.copy(target, source.ctypes.data, source.nbytes)

    def download(self, target: Bytes, source: int) -> None:
        self.copy(target.ctypes.data, source, target.nbytes)

    def copy(self, target: int, source: int, nbytes: int) -> None:
        # The driver tells host from device by the address.
        (status,) = driver.cuMemcpyAsync(target, source, nbytes, self.stream.handle)
        if status != driver.CUresult.CUDA_SUCCESS:
            raise RuntimeError(f"a copy failed: {status.name}")

    def record(self) -> Event:
        return CudaCoreEvent(self.stream.record())

    def wait(self, event: Any) -> None:
        self.stream.wait(event.event)

    def synchronize(self) -> None:
        self.stream.sync()

    def capture(self, work: Callable[[], None]) -> Graph:
        builder = self.stream.create_graph_builder()
        # Other threads allocate and copy meanwhile; only this one must not.
        builder.begin_building(mode="thread_local")
        try:
            work()
        finally:
            builder.end_building()
        return CudaCoreGraph(builder.complete())


class CudaCoreEvent:
    def __init__(self, event: Any) -> None:
        self.event = event

    def synchronize(self) -> None:
        self.event.sync()


class CudaCoreGraph:
    def __init__(self, graph: Any) -> None:
        self._graph = graph

    def launch(self, stream: Any) -> None:
        self._graph.launch(stream.stream)
