"""An engine on arrays that lie on the GPU already: TensorRT is given their addresses, and works on
the caller's stream."""

import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from typing import Any

import numpy as np
import numpy.typing as npt

from posegen_runtime.arrays.device import DeviceArray
from posegen_runtime.arrays.view import View
from posegen_runtime.backends.base import Kept
from posegen_runtime.backends.device.base import Device, Memory
from posegen_runtime.backends.device.driver import Driver, Event
from posegen_runtime.backends.lane import ENQUEUEING, Rows, Tensor
from posegen_runtime.engines.bindings import IExecutionContext
from posegen_runtime.errors import PoseGenError

LANES = 4
"""Calls under way at a time: one more waits on the host for the first of them."""
ALIGNMENT = 256
"""Of addresses, in bytes, as TensorRT wants them. Of masks and images, which are not to be copied,
anything else is an error."""
MASK, IMAGE = "mask", "image"


class DirectLane:
    """An execution context for one call at a time, until its work on the stream is over."""

    def __init__(
        self,
        context: IExecutionContext,
        tensors: Sequence[Tensor],
        device: Device,
        driver: Driver,
    ) -> None:
        self._context = context
        self._tensors = tensors
        self._device = device
        self._driver = driver
        self._largest = min(tensor.largest for tensor in tensors if tensor.is_input)
        self._smallest = max(tensor.smallest for tensor in tensors if tensor.is_input)
        self.stream = device.stream()
        """Where it works for callers without one."""
        self._own: dict[str, Memory] = {}
        self._in_use: list[object] = []
        """Memory that work under way reads and writes."""
        self.over: Event | None = None

    def run(
        self,
        feeds: Mapping[str, npt.NDArray[Any] | DeviceArray],
        kept: Sequence[Rows],
        out: Mapping[str, DeviceArray],
        stream: int,
    ) -> None:
        """Put the work on `stream`."""
        given = [each for each in (*feeds.values(), *out.values()) if isinstance(each, DeviceArray)]
        self._in_use = [*given, *kept]
        others = {each.stream for each in given if each.stream is not None}
        for other in others:
            self._driver.order(other, stream)
        try:
            count = max(len(array) for array in out.values())
            for start in range(0, count, self._largest):
                self._batch(feeds, kept, out, start, min(start + self._largest, count), stream)
        except BaseException:
            # The lane is dropped, and its memory with it, so nothing may use that any more.
            with suppress(Exception):
                self._driver.synchronize(stream)
            raise
        self.over = self._driver.record(stream)
        # An array of CUDA's interface is next used on the stream that it names: what is written
        # is read there, and what is read may be written there.
        for other in others:
            self._driver.order(stream, other)

    def _batch(
        self,
        feeds: Mapping[str, npt.NDArray[Any] | DeviceArray],
        kept: Sequence[Rows],
        out: Mapping[str, DeviceArray],
        start: int,
        stop: int,
        stream: int,
    ) -> None:
        rows = stop - start
        if rows < self._smallest:
            raise PoseGenError(
                f"masks: {rows} in a batch; this engine takes {self._smallest} or more"
            )
        addresses, moved = {}, []
        for tensor in self._tensors:
            name = tensor.name
            if not tensor.is_input:
                place = out[name].rows(start, stop)
                addresses[name] = place.address
                if place.address % ALIGNMENT and name != IMAGE:
                    addresses[name] = self._memory(tensor).address
                    moved.append((place, addresses[name]))
            elif name in feeds:
                addresses[name] = self._feed(tensor, feeds[name], start, stop, stream)
            else:
                of_rows = [kept[min(row, len(kept) - 1)][name] for row in range(start, stop)]
                addresses[name] = self._place(tensor, [each.address for each in of_rows], stream)
        for name, address in addresses.items():
            if address % ALIGNMENT:
                raise PoseGenError(
                    f"{'out' if name == IMAGE else 'masks'}: starts at an address that is no "
                    f"multiple of {ALIGNMENT}, as TensorRT needs; give memory of its own"
                )
        with ENQUEUEING:
            for tensor in self._tensors:
                if tensor.is_input and not self._context.set_input_shape(
                    tensor.name, (rows, *tensor.shape)
                ):
                    raise RuntimeError(f"no batch of {rows} for {tensor.name}")
                self._context.set_tensor_address(tensor.name, addresses[tensor.name])
            if not self._context.execute_async_v3(stream):
                raise RuntimeError(f"a batch of {rows} could not run")
        for place, source in moved:
            self._driver.copy(place.address, source, place.nbytes, stream)

    def _feed(
        self,
        tensor: Tensor,
        array: npt.NDArray[Any] | DeviceArray,
        start: int,
        stop: int,
        stream: int,
    ) -> int:
        """Address of an input's rows: their own, or a copy's of what the host or one row holds."""
        if isinstance(array, DeviceArray):
            if len(array) > 1 or stop - start == 1:
                rows = array.rows(start, stop) if len(array) > 1 else array
                if rows.address % ALIGNMENT == 0 or tensor.name == MASK:
                    return rows.address
                target = self._memory(tensor)
                self._driver.copy(target.address, rows.address, rows.nbytes, stream)
                return target.address
            return self._place(tensor, [array.address] * (stop - start), stream)
        held = array[start:stop] if len(array) > 1 else array
        held = np.ascontiguousarray(np.broadcast_to(held, (stop - start, *tensor.shape)))
        target = self._memory(tensor)
        self._driver.upload(target.address, held, stream)
        return target.address

    def _place(self, tensor: Tensor, sources: Sequence[int], stream: int) -> int:
        """Address of rows that lie apart, brought side by side within the device; one row is used
        where it lies."""
        if len(sources) == 1:
            return sources[0]
        target = self._memory(tensor)
        for row, source in enumerate(sources):
            at = target.address + row * tensor.row_bytes
            self._driver.copy(at, source, tensor.row_bytes, stream)
        return target.address

    def _memory(self, tensor: Tensor) -> Memory:
        if tensor.name not in self._own:
            self._own[tensor.name] = self._device.allocate(self._largest * tensor.row_bytes)
        return self._own[tensor.name]


class TensorrtOnDevice:
    """See `base.OnDevice`. `make_lane` gives lanes whose contexts record no graph: addresses change
    from call to call. `working` is open while a lane is used."""

    gpu = 0
    returns_before = True

    def __init__(
        self,
        make_lane: Callable[[], DirectLane],
        device: Device,
        driver: Driver,
        working: Callable[[], AbstractContextManager[None]],
    ) -> None:
        self._make_lane = make_lane
        self._device = device
        self._working = working
        self._busy: list[DirectLane] = []
        """Whose work was put on a stream, first come first."""
        self._lock = threading.Lock()

    def allocate(self, shape: tuple[int, ...], dtype: str) -> DeviceArray:
        kind = np.dtype(dtype)
        with self._device.current():
            memory = self._device.allocate(max(int(np.prod(shape)) * kind.itemsize, 1))
        return DeviceArray(View(memory.address, shape, None, kind, False, memory, self.gpu))

    def run(
        self,
        feeds: Mapping[str, npt.NDArray[Any] | DeviceArray],
        kept: Sequence[Kept],
        out: Mapping[str, DeviceArray],
        stream: int | None,
    ) -> None:
        with self._working():
            lane = self._lane()
            on = lane.stream.handle if stream is None else stream
            lane.run(feeds, [each.held for each in kept], out, on)
            if stream is None:
                lane.stream.synchronize()
            with self._lock:
                self._busy.append(lane)

    def _lane(self) -> DirectLane:
        """One whose work is over, a new one while there are few, else the first that will be."""
        with self._lock:
            for lane in self._busy:
                if lane.over is None or lane.over.done:
                    self._busy.remove(lane)
                    return lane
            first = self._busy.pop(0) if len(self._busy) >= LANES else None
        if first is None:
            return self._make_lane()
        if first.over is not None:
            first.over.synchronize()
        return first
