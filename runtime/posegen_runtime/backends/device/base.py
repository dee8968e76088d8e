"""What the TensorRT backend needs of a GPU: memory, streams, events and graphs.

Everything on a stream happens in its order and after the call returned; between streams only events
give an order. Addresses are integers. Calls need `Device.current` to be open on their thread.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

Bytes = npt.NDArray[np.uint8]


class Memory(Protocol):
    """Memory on the device, freed with this object."""

    @property
    def address(self) -> int: ...

    @property
    def nbytes(self) -> int: ...


class Event(Protocol):
    """A point in a stream."""

    def synchronize(self) -> None:
        """Wait on the host until the stream came to it."""
        ...


class Graph(Protocol):
    """Recorded work, with the addresses that it had when it was recorded."""

    def launch(self, stream: Any) -> None: ...


class Stream(Protocol):
    @property
    def handle(self) -> int:
        """The CUstream, for TensorRT."""
        ...

    def upload(self, target: int, source: Bytes) -> None:
        """Copy host memory to the device; `source` must not change until it is done. Memory that
        is not pinned makes the host wait."""
        ...

    def download(self, target: Bytes, source: int) -> None:
        """Copy from the device to pinned host memory."""
        ...

    def copy(self, target: int, source: int, nbytes: int) -> None:
        """Copy within the device."""
        ...

    def record(self) -> Event: ...

    def wait(self, event: Any) -> None:
        """Let what comes after this call wait for `event`, without stopping the host."""
        ...

    def synchronize(self) -> None: ...

    def capture(self, work: Callable[[], None]) -> Graph | None:
        """What `work` puts on this stream as a graph, without doing it; None where the adapter has
        no graphs."""
        ...


class Device(Protocol):
    """One GPU, through its primary context. Safe to use from several threads."""

    @property
    def name(self) -> str: ...

    def current(self) -> AbstractContextManager[None]:
        """Make this the calling thread's GPU while the block is open."""
        ...

    def allocate(self, nbytes: int) -> Memory: ...

    def pin(self, nbytes: int) -> Bytes:
        """Host memory uint8 [nbytes] that copies to and from the device run fast with."""
        ...

    def stream(self) -> Stream:
        """A new stream, that does not wait for the default one."""
        ...
