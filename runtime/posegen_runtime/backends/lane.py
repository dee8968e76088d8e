"""One caller's way through an engine: buffers on both sides of the bus, and what overlaps.

    upload stream     batch 0 ─► batch 1 ─► batch 2
    compute stream        batch 0 ─► batch 1 ─► batch 2
    download stream           batch 0 ─► batch 1 ─► batch 2

Two slots of buffers take turns, so that one batch is copied while another is computed.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from posegen_runtime.backends.base import Arrays
from posegen_runtime.backends.device.base import Bytes, Device, Event, Graph, Memory
from posegen_runtime.engines.bindings import IExecutionContext

SLOTS = 2
ENQUEUEING = threading.RLock()
"""Held while work is given to TensorRT, and while that is recorded. A recording breaks where
another thread waits for the whole device, as TensorRT may when it makes a context or meets a new
shape."""
Rows = Mapping[str, Memory]
"""Encoded conditions of one row, on the device."""


@dataclass(frozen=True)
class Tensor:
    """An input or output of an engine. `shape` is that of one row."""

    name: str
    is_input: bool
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    smallest: int
    """Batch sizes that the engine takes; of an input."""
    largest: int

    @property
    def row_bytes(self) -> int:
        return int(np.prod(self.shape)) * self.dtype.itemsize


@dataclass
class Slot:
    """Buffers for one batch, and what is in them."""

    device: dict[str, Memory]
    host: dict[str, Bytes] = field(default_factory=dict)
    kept: list[Rows | None] = field(default_factory=list)
    """Which conditions each row of the device buffers holds."""
    deliver: Callable[[], None] | None = None
    """Waits for the batch and takes its outputs; None where nothing is under way."""
    graph: Graph | None = None


class Lane:
    """For one caller at a time. `make_context` gives an execution context of the engine.

    With `capture`, full batches are recorded once as a CUDA graph and replayed; without, TensorRT
    does that itself. A recorded graph is good only while its context keeps shapes and addresses, so
    each slot has a context for full batches, and other batches have one more.
    """

    def __init__(
        self,
        make_context: Callable[[], IExecutionContext],
        tensors: Sequence[Tensor],
        device: Device,
        capture: bool,
    ) -> None:
        self._make_context = make_context
        self._contexts: dict[int | None, IExecutionContext] = {}
        self._recorded = True
        """Whether full batches are, here or by TensorRT."""
        self._tensors = tensors
        self._device = device
        self._capture = capture
        inputs = [tensor for tensor in tensors if tensor.is_input]
        self._smallest = max(tensor.smallest for tensor in inputs)
        self._largest = min(tensor.largest for tensor in inputs)
        self._uploads, self._computes, self._downloads = (device.stream() for _ in range(3))
        self._slots = [self._make_slot() for _ in range(SLOTS)]

    def run(
        self, feeds: Arrays, kept: Sequence[Rows], outputs: Mapping[str, npt.NDArray[Any]]
    ) -> None:
        """Fill `outputs` [N, ...] from `feeds` [N, ...] and `kept`, one for all rows or one each.

        More rows than the engine takes are split. After an error, TensorRT's or the device's, the
        lane is not to be used again.
        """
        count = max(len(array) for array in outputs.values())
        try:
            for number, start in enumerate(range(0, count, self._largest)):
                slot = self._slots[number % SLOTS]
                _deliver(slot)
                rows = slice(start, min(start + self._largest, count))
                of_batch = kept[rows] if len(kept) > 1 else kept
                self._begin(slot, {k: v[rows] for k, v in feeds.items()}, of_batch)
                self._end(slot, {k: v[rows] for k, v in outputs.items()})
            for slot in self._slots:
                _deliver(slot)
        except BaseException:
            self._wait()  # buffers are freed with the lane, so nothing may use them any more
            raise

    def _begin(self, slot: Slot, feeds: Arrays, kept: Sequence[Rows]) -> None:
        """Upload one batch and compute it. Fewer rows than the engine takes are padded with copies
        of the last."""
        count = max(len(array) for array in feeds.values())
        rows = max(count, self._smallest)
        for tensor in self._tensors:
            if tensor.is_input and tensor.name in feeds:
                self._upload(slot, tensor, feeds[tensor.name], rows)
        if kept:
            self._place(slot, [kept[min(row, len(kept) - 1)] for row in range(rows)])
        self._computes.wait(self._uploads.record())
        self._compute(slot, rows)

    def _upload(self, slot: Slot, tensor: Tensor, array: npt.NDArray[Any], rows: int) -> None:
        host = self._pinned(slot, tensor)[: rows * tensor.row_bytes]
        staged = host.view(tensor.dtype).reshape(rows, *tensor.shape)
        staged[: len(array)] = array
        staged[len(array) :] = array[-1:]
        self._uploads.upload(slot.device[tensor.name].address, host)

    def _place(self, slot: Slot, kept: Sequence[Rows]) -> None:
        """Bring conditions to their rows, within the device."""
        sizes = {tensor.name: tensor.row_bytes for tensor in self._tensors}
        for row, wanted in enumerate(kept):
            if slot.kept[row] is wanted:
                continue
            slot.kept[row] = wanted  # and keeps it alive while the copy runs
            for name, memory in wanted.items():
                target = slot.device[name].address + row * sizes[name]
                self._uploads.copy(target, memory.address, sizes[name])

    def _compute(self, slot: Slot, rows: int) -> None:
        full = rows == self._largest and self._recorded
        if slot.graph is not None and full:
            slot.graph.launch(self._computes)
            return
        self._execute(slot, rows, full)
        if not full or not self._capture:
            return
        self._computes.synchronize()  # what a first call allocates is there now
        try:
            with ENQUEUEING:
                slot.graph = self._computes.capture(lambda: self._execute(slot, rows, full))
        except Exception:  # each library has its own; without a graph it is slower, and as right
            slot.graph = None
        self._recorded = slot.graph is not None

    def _execute(self, slot: Slot, rows: int, full: bool) -> None:
        with ENQUEUEING:
            context = self._context(id(slot) if full else None)
            for tensor in self._tensors:
                shape = (rows, *tensor.shape)
                if tensor.is_input and not context.set_input_shape(tensor.name, shape):
                    raise RuntimeError(f"no batch of {rows} for {tensor.name}")
                context.set_tensor_address(tensor.name, slot.device[tensor.name].address)
            if not context.execute_async_v3(self._computes.handle):
                raise RuntimeError(f"a batch of {rows} could not run")

    def _context(self, of: int | None) -> IExecutionContext:
        if of not in self._contexts:
            self._contexts[of] = self._make_context()
        return self._contexts[of]

    def _end(self, slot: Slot, outputs: Mapping[str, npt.NDArray[Any]]) -> None:
        """Begin to download one batch; what `deliver` of the slot will finish."""
        self._downloads.wait(self._computes.record())
        parts = []
        for tensor in self._tensors:
            if not tensor.is_input:
                array = outputs[tensor.name]
                host = self._pinned(slot, tensor)[: len(array) * tensor.row_bytes]
                self._downloads.download(host, slot.device[tensor.name].address)
                parts.append((array, host.view(tensor.dtype).reshape(array.shape)))
        done: Event = self._downloads.record()

        def deliver() -> None:
            done.synchronize()
            for array, pinned in parts:
                array[...] = pinned

        slot.deliver = deliver

    def _make_slot(self) -> Slot:
        device = {
            tensor.name: self._device.allocate(self._largest * tensor.row_bytes)
            for tensor in self._tensors
        }
        return Slot(device, kept=[None] * self._largest)

    def _pinned(self, slot: Slot, tensor: Tensor) -> Bytes:
        """Conditions never come from the host, so only what does has memory there."""
        if tensor.name not in slot.host:
            slot.host[tensor.name] = self._device.pin(self._largest * tensor.row_bytes)
        return slot.host[tensor.name]

    def _wait(self) -> None:
        for stream in (self._uploads, self._computes, self._downloads):
            with suppress(Exception):  # the error under way says what happened
                stream.synchronize()


def _deliver(slot: Slot) -> None:
    if slot.deliver is not None:
        deliver, slot.deliver = slot.deliver, None
        deliver()
