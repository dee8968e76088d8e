"""The CUDA driver's part in `fake_gpu`: streams by handle, memory by address."""

from typing import Any

import numpy as np

from fake_gpu import FakeDevice, FakeEvent, FakeStream
from posegen_runtime.arrays.device import DeviceArray
from posegen_runtime.arrays.view import View


class FakeDriver:
    """See `posegen_runtime.backends.device.driver.Driver`."""

    def __init__(self, device: FakeDevice) -> None:
        self.device = device
        self.uploads = 0

    def stream(self, handle: int) -> FakeStream:
        return self.device.streams[handle - 1]

    def order(self, before: int, after: int) -> None:
        if before != after:
            with self.device.current():
                self.stream(after).wait(self.stream(before).record())

    def record(self, stream: int) -> "FakePoint":
        with self.device.current():
            return FakePoint(self.device, self.stream(stream).record())

    def synchronize(self, stream: int) -> None:
        with self.device.current():
            self.stream(stream).synchronize()

    def gpu_of(self, address: int) -> int:
        return 0

    def copy(self, target: int, source: int, nbytes: int, stream: int) -> None:
        with self.device.current():
            self.stream(stream).copy(target, source, nbytes)

    def upload(self, target: int, source: np.ndarray, stream: int) -> None:
        self.uploads += 1
        with self.device.current():  # the driver stages what is not pinned
            self.stream(stream).upload(target, source.reshape(-1).view(np.uint8).copy())

    def download(self, target: np.ndarray, source: int, stream: int) -> None:
        self.synchronize(stream)
        target.reshape(-1).view(np.uint8)[:] = self.device.at(source, target.nbytes)


class FakePoint:
    def __init__(self, device: FakeDevice, event: FakeEvent) -> None:
        self._device = device
        self._event = event

    @property
    def done(self) -> bool:
        return self._event.done

    def synchronize(self) -> None:
        with self._device.current():
            self._event.synchronize()


def fake_memory(device: FakeDevice, array: np.ndarray, stream: int | None = None) -> DeviceArray:
    """An array on the fake GPU with the content of `array`, which comes there on `stream`."""
    with device.current():
        memory = device.allocate(array.nbytes)
        source = np.ascontiguousarray(array).reshape(-1).view(np.uint8).copy()
        if stream is None:
            device.at(memory.address, array.nbytes)[:] = source
        else:
            for _ in range(100):  # so much is to be done before
                device.streams[stream - 1].put(lambda: None)
            device.streams[stream - 1].upload(memory.address, source)
    view = View(memory.address, array.shape, None, array.dtype, False, memory, 0, stream)
    return DeviceArray(view)


def content(device: FakeDevice, array: Any) -> np.ndarray:
    """What lies there now, whatever is still under way."""
    data = device.at(array.address, array.nbytes)
    return np.array(data).view(array.dtype).reshape(array.shape)
