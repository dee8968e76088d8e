"""A GPU made of host memory, as unkind as a real one may be.

Nothing that is put on a stream happens until the host waits for something; then streams advance in
random order, held back by nothing but events. So a missing wait, a buffer that is reused too early,
and memory that is freed while in use all show as wrong bytes or errors.
"""

import random
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

Op = Callable[[], None]


class FakeDevice:
    """See `posegen_runtime.backends.device.base.Device`."""

    name = "Fake GPU"

    def __init__(self, seed: int = 0, graphs: bool = True) -> None:
        self.graphs = graphs
        self.lock = threading.RLock()
        self.streams: list[FakeStream] = []
        self.copies = 0
        """Copies within the device so far."""
        self._random = random.Random(seed)
        self._blocks: dict[int, np.ndarray] = {}
        self._next = 1 << 20
        self._threads = threading.local()
        self.capturing: set[int] = set()
        """Threads that must not allocate now."""

    @contextmanager
    def current(self) -> Iterator[None]:
        depth = getattr(self._threads, "depth", 0)
        self._threads.depth = depth + 1
        try:
            yield
        finally:
            self._threads.depth = depth

    def check_current(self) -> None:
        assert getattr(self._threads, "depth", 0), "this thread has no current device"

    def allocate(self, nbytes: int) -> "FakeMemory":
        self.check_current()
        with self.lock:
            assert threading.get_ident() not in self.capturing
            address, self._next = self._next, self._next + (nbytes + 4096) // 256 * 256 + 256
            self._blocks[address] = np.full(nbytes, 0xA5, np.uint8)
        return FakeMemory(self, address, nbytes)

    def free(self, address: int) -> None:
        with self.lock:
            del self._blocks[address]

    def at(self, address: int, nbytes: int) -> np.ndarray:
        """The bytes there, which must lie in one block that is not freed."""
        for start, block in self._blocks.items():
            if start <= address and address + nbytes <= start + len(block):
                return block[address - start : address - start + nbytes]
        raise AssertionError(f"{nbytes} bytes at {address} are not allocated")

    def pin(self, nbytes: int) -> np.ndarray:
        self.check_current()
        return np.full(nbytes, 0x5A, np.uint8)

    def stream(self) -> "FakeStream":
        self.check_current()
        with self.lock:
            self.streams.append(FakeStream(self, len(self.streams) + 1))
            return self.streams[-1]

    def advance(self, until: Callable[[], bool]) -> None:
        """Run what is on the streams, in random order, until `until`."""
        with self.lock:
            while not until():
                ready = [s for s in self.streams if s.queue and s.queue[0][0]()]
                assert ready, "the streams wait for each other"
                self._random.choice(ready).queue.popleft()[1]()


class FakeMemory:
    def __init__(self, device: FakeDevice, address: int, nbytes: int) -> None:
        self._device = device
        self.address = address
        self.nbytes = nbytes

    def __del__(self) -> None:
        self._device.free(self.address)


class FakeEvent:
    def __init__(self, device: FakeDevice) -> None:
        self.device = device
        self.done = False

    def finish(self) -> None:
        self.done = True

    def synchronize(self) -> None:
        self.device.check_current()
        self.device.advance(lambda: self.done)


class FakeStream:
    def __init__(self, device: FakeDevice, handle: int) -> None:
        self.device = device
        self.handle = handle
        self.queue: deque[tuple[Callable[[], bool], Op]] = deque()
        self.recorded: list[Op] | None = None

    def put(self, op: Op, ready: Callable[[], bool] = lambda: True) -> None:
        self.device.check_current()
        with self.device.lock:
            if self.recorded is not None:
                self.recorded.append(op)
            else:
                self.queue.append((ready, op))

    def upload(self, target: int, source: np.ndarray) -> None:
        at = self.device.at
        self.put(lambda: np.copyto(at(target, source.nbytes), source))

    def download(self, target: np.ndarray, source: int) -> None:
        at = self.device.at
        self.put(lambda: np.copyto(target, at(source, target.nbytes)))

    def copy(self, target: int, source: int, nbytes: int) -> None:
        at = self.device.at
        self.device.copies += 1
        self.put(lambda: np.copyto(at(target, nbytes), at(source, nbytes)))

    def record(self) -> FakeEvent:
        event = FakeEvent(self.device)
        self.put(event.finish)
        return event

    def wait(self, event: FakeEvent) -> None:
        self.put(lambda: None, lambda: event.done)

    def synchronize(self) -> None:
        self.device.check_current()
        self.device.advance(lambda: not self.queue)

    def capture(self, work: Op) -> "FakeGraph | None":
        if not self.device.graphs:
            return None
        self.recorded = []
        self.device.capturing.add(threading.get_ident())
        try:
            work()
            return FakeGraph(self.recorded)
        finally:
            self.device.capturing.remove(threading.get_ident())
            self.recorded = None


class FakeGraph:
    def __init__(self, ops: list[Op]) -> None:
        self.ops = ops
        self.launches = 0

    def launch(self, stream: FakeStream) -> None:
        self.launches += 1
        for op in self.ops:
            stream.put(op)


def busy(device: FakeDevice) -> Any:
    """Streams with work that nobody waited for."""
    return [stream.handle for stream in device.streams if stream.queue]
