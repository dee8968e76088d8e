"""A native engine of TensorRT or TensorRT-RTX on the GPU."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt

from posegen_runtime.backends.base import Arrays, Kept, one_line
from posegen_runtime.backends.device import open_device
from posegen_runtime.backends.device.base import Device
from posegen_runtime.backends.device.driver import open_driver
from posegen_runtime.backends.direct import DirectLane, TensorrtOnDevice
from posegen_runtime.backends.lane import Lane, Tensor
from posegen_runtime.bundle import Bundle
from posegen_runtime.engines.bindings import (
    ICudaEngine,
    IExecutionContext,
    IRuntimeConfig,
)
from posegen_runtime.engines.cache import EngineFile, record_parity
from posegen_runtime.engines.ensure import ensure_engine
from posegen_runtime.engines.flavors import TensorRT, find_flavor
from posegen_runtime.engines.loading import load_engine
from posegen_runtime.engines.monitor import interrupted_after
from posegen_runtime.engines.options import BuildOptions
from posegen_runtime.errors import PoseGenError
from posegen_runtime.manifest import Graph
from posegen_runtime.paths import read_bytes
from posegen_runtime.progress import say


def open_tensorrt(bundle: Bundle, precision: str, graph: str) -> "TensorrtBackend":
    """The engine of a graph, from the cache or built now, on this machine's GPU.

    Raises `PoseGenError` where there is no TensorRT, no GPU, or no engine can be built.
    """
    tensorrt = find_flavor("auto")
    device = open_device()
    options = BuildOptions(flavor=tensorrt.flavor)
    file = ensure_engine(bundle, precision, graph, options, tell=say)
    return TensorrtBackend(file, tensorrt, device, bundle.precision(precision).graphs[graph])


class TensorrtBackend:
    """One engine. Each caller at a time has a lane of its own: an execution context with buffers.

    Encoded conditions have a row for each image in the engine; what `keep` put on the device is
    copied there within the device, and only when it is not there already.
    """

    batches = 4

    def __init__(self, file: EngineFile, tensorrt: TensorRT, device: Device, graph: Graph) -> None:
        self.file = file
        self._tensorrt = tensorrt
        self._device = device
        identity = file.sidecar.identity
        with interrupted_after(), device.current():
            self._runtime, self._engine = load_engine(
                tensorrt, read_bytes(file.path), identity.version_compatible, file.path
            )
        self._tensors = _tensors(self._engine, tensorrt, graph, file)
        self._idle: list[Lane] = []
        self._lock = threading.Lock()
        self._on_device: TensorrtOnDevice | None = None

    def run(
        self, feeds: Arrays, kept: Sequence[Kept] = (), out: Arrays | None = None
    ) -> dict[str, npt.NDArray[Any]]:
        rows = max(len(array) for array in feeds.values())
        outputs = {
            tensor.name: np.empty((rows, *tensor.shape), tensor.dtype)
            if out is None
            else out[tensor.name]
            for tensor in self._tensors
            if not tensor.is_input
        }
        if not rows:
            return outputs
        with self._working(), self._lane() as lane:
            lane.run(feeds, [row.held for row in kept], outputs)
        return outputs

    @property
    def on_device(self) -> TensorrtOnDevice:
        with self._lock:
            if self._on_device is None:
                self._on_device = TensorrtOnDevice(
                    self._make_direct, self._device, open_driver(), self._working
                )
            return self._on_device

    def _make_direct(self) -> DirectLane:
        context = self._context(replayed=False)
        return DirectLane(context, self._tensors, self._device, open_driver())

    @contextmanager
    def _working(self) -> Iterator[None]:
        """Make the GPU current, and tell what fails in one line."""
        with (
            interrupted_after(),
            self._device.current(),
            self._tensorrt.logger.collect() as errors,
        ):
            try:
                yield
            except PoseGenError:
                raise
            except Exception as error:
                raise PoseGenError(
                    f"{self.file.path}: {self._tensorrt} failed ({one_line(error)}; {errors})"
                ) from error

    def keep(self, arrays: Arrays) -> Kept:
        with self._device.current():
            stream = self._device.stream()
            flat = {
                k: np.ascontiguousarray(v).reshape(-1).view(np.uint8) for k, v in arrays.items()
            }
            held = {name: self._device.allocate(source.nbytes) for name, source in flat.items()}
            for name, source in flat.items():
                stream.upload(held[name].address, source)
            stream.synchronize()
        return Kept(sum(memory.nbytes for memory in held.values()), held)

    def record(self, precision: str, figures: dict[str, Any]) -> None:
        """Keep the golden set's figures, in a variant that this engine serves, in its sidecar."""
        self.file = record_parity(self.file, {**self.file.sidecar.parity, precision: figures})

    @property
    def description(self) -> str:
        return f"{self._tensorrt} on {self._device.name}"

    @contextmanager
    def _lane(self) -> Iterator[Lane]:
        """A lane that is idle, or a new one. One that failed is not used again."""
        with self._lock:
            lane = self._idle.pop() if self._idle else None
        lane = lane or self._make_lane()
        yield lane
        with self._lock:
            self._idle.append(lane)

    def _make_lane(self) -> Lane:
        return Lane(self._context, self._tensors, self._device, capture=self.records_graphs)

    @property
    def records_graphs(self) -> bool:
        """Not with TensorRT-RTX: it has graphs of its own, and knows when its kernels are final."""
        return not self._tensorrt.has("CudaGraphStrategy")

    def _context(self, replayed: bool = True) -> IExecutionContext:
        """`replayed` is what works on the same addresses again and again."""
        engine: ICudaEngine = self._engine
        if not self.records_graphs:
            trt = self._tensorrt.module
            config: IRuntimeConfig = engine.create_runtime_config()
            if replayed:
                config.cuda_graph_strategy = trt.CudaGraphStrategy.WHOLE_GRAPH_CAPTURE
            # Otherwise the first batches run on other kernels than later ones, and differ.
            config.dynamic_shapes_kernel_specialization_strategy = (
                trt.DynamicShapesKernelSpecializationStrategy.EAGER
            )
            context: IExecutionContext = engine.create_execution_context(config)
        else:
            context = engine.create_execution_context()
        if context is None:
            raise PoseGenError(
                f"{self.file.path}: no execution context, the GPU's memory may be full; "
                "use fewer --lanes"
            )
        return context


def _tensors(
    engine: ICudaEngine, tensorrt: TensorRT, graph: Graph, file: EngineFile
) -> list[Tensor]:
    """Inputs and outputs of the engine, which must be those of the graph."""
    trt = tensorrt.module
    names = {
        trt.DataType.UINT8: "uint8",
        trt.DataType.FLOAT: "float32",
        trt.DataType.HALF: "float16",
    }
    held = {engine.get_tensor_name(index) for index in range(engine.num_io_tensors)}
    tensors = []
    for spec in (*graph.inputs, *graph.outputs):
        name, shape = spec.name, tuple(spec.shape[1:])
        if (
            name not in held
            or names.get(engine.get_tensor_dtype(name)) != spec.dtype
            or tuple(engine.get_tensor_shape(name))[1:] != shape
        ):
            raise PoseGenError(
                f"{file.path}: has no tensor {name} of {spec.dtype}{spec.shape}, so it is an "
                "engine of another model; delete it, and it is built again"
            )
        is_input = engine.get_tensor_mode(name) == trt.TensorIOMode.INPUT
        batches = (1, 1)
        if is_input:
            smallest, _, largest = engine.get_tensor_profile_shape(name, 0)
            batches = (smallest[0], largest[0])
        rows = tuple(size for size in shape if isinstance(size, int))
        tensors.append(Tensor(name, is_input, rows, np.dtype(spec.dtype), *batches))
    return tensors
