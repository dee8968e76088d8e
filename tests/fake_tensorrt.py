"""TensorRT's part in running an engine, on a `FakeDevice`.

An "engine" is a line of JSON that names an ONNX graph and a profile; ONNX Runtime computes it, when
the stream comes to it, from the bytes that lie at the addresses then.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import onnxruntime

from fake_gpu import FakeDevice
from posegen_runtime.bundle import Bundle
from posegen_runtime.engines.cache import EngineFile
from posegen_runtime.engines.flavors import Flavor
from posegen_runtime.engines.options import BuildOptions, Profile
from posegen_runtime.engines.sidecar import Identity, Sidecar

DataType = Enum("DataType", ["UINT8", "FLOAT", "HALF", "INT8"])
TensorIOMode = Enum("TensorIOMode", ["INPUT", "OUTPUT"])
CudaGraphStrategy = Enum("CudaGraphStrategy", ["DISABLED", "WHOLE_GRAPH_CAPTURE"])
DynamicShapes = Enum("DynamicShapesKernelSpecializationStrategy", ["LAZY", "EAGER", "NONE"])
TYPES = {
    "tensor(uint8)": (DataType.UINT8, np.uint8),
    "tensor(float)": (DataType.FLOAT, np.float32),
}


class FakeTensorRT:
    """See `posegen_runtime.engines.flavors.TensorRT`."""

    def __init__(self, device: FakeDevice, flavor: Flavor = Flavor.TENSORRT) -> None:
        self.flavor = flavor
        self.version = (10, 3)
        self.logger = self
        self.contexts: list[FakeContext] = []
        self.module = SimpleNamespace(
            DataType=DataType,
            TensorIOMode=TensorIOMode,
            CudaGraphStrategy=CudaGraphStrategy,
            DynamicShapesKernelSpecializationStrategy=DynamicShapes,
            Runtime=lambda logger: FakeRuntime(device, self),
        )

    @contextmanager
    def collect(self) -> Iterator[str]:
        yield "serialization version mismatch"

    def has(self, name: str) -> bool:
        return self.flavor is Flavor.RTX

    def __str__(self) -> str:
        return "tensorrt 10.3"


class FakeRuntime:
    engine_host_code_allowed = False

    def __init__(self, device: FakeDevice, tensorrt: FakeTensorRT) -> None:
        self.device = device
        self.tensorrt = tensorrt

    def deserialize_cuda_engine(self, plan: bytes) -> "FakeEngine | None":
        try:
            read = json.loads(bytes(plan))
        except ValueError:
            return None
        if read["host_code"] != self.engine_host_code_allowed:
            return None
        return FakeEngine(read, self.device, self.tensorrt)


class FakeEngine:
    def __init__(self, plan: dict[str, Any], device: FakeDevice, tensorrt: FakeTensorRT) -> None:
        self.session = _session(plan["model"])
        self.profile = plan["profile"]
        self.device = device
        self.tensorrt = tensorrt
        self.inputs = {tensor.name: tensor for tensor in self.session.get_inputs()}
        self.outputs = {tensor.name: tensor for tensor in self.session.get_outputs()}
        self.tensors = {**self.inputs, **self.outputs}
        self.num_io_tensors = len(self.tensors)

    def get_tensor_name(self, index: int) -> str:
        return list(self.tensors)[index]

    def get_tensor_mode(self, name: str) -> TensorIOMode:
        return TensorIOMode.INPUT if name in self.inputs else TensorIOMode.OUTPUT

    def get_tensor_shape(self, name: str) -> list[int]:
        return [size if isinstance(size, int) else -1 for size in self.tensors[name].shape]

    def get_tensor_dtype(self, name: str) -> DataType:
        return TYPES[self.tensors[name].type][0]

    def get_tensor_profile_shape(self, name: str, profile: int) -> list[list[int]]:
        assert profile == 0
        return [[rows, *self.tensors[name].shape[1:]] for rows in self.profile]

    def create_runtime_config(self) -> SimpleNamespace:
        return SimpleNamespace(cuda_graph_strategy=CudaGraphStrategy.DISABLED)

    def create_execution_context(self, config: SimpleNamespace | None = None) -> "FakeContext":
        assert not self.device.capturing, "waits for the whole device, which breaks a recording"
        context = FakeContext(self, config)
        self.tensorrt.contexts.append(context)
        return context


class FakeContext:
    def __init__(self, engine: FakeEngine, config: SimpleNamespace | None) -> None:
        self.engine = engine
        self.config = config
        self.shapes: dict[str, tuple[int, ...]] = {}
        self.addresses: dict[str, int] = {}
        self.batches: list[int] = []
        """Rows of each batch that was computed."""
        self.captures = 0
        """How often TensorRT-RTX would have recorded: at each new shape or address."""
        self._captured: object = None
        self._enqueued = False

    def set_input_shape(self, name: str, shape: tuple[int, ...]) -> bool:
        low, _, high = self.engine.profile
        if not low <= shape[0] <= high:
            return False
        self.shapes[name] = shape
        return True

    def set_tensor_address(self, name: str, address: int) -> None:
        self.addresses[name] = address

    def execute_async_v3(self, handle: int) -> bool:
        device = self.engine.device
        stream = device.streams[handle - 1]
        if self.shapes.keys() != self.engine.inputs.keys():
            return False
        assert stream.recorded is None or self._enqueued, "capture follows a first call"
        self._enqueued = True
        shapes, addresses = dict(self.shapes), dict(self.addresses)
        recorded = stream.recorded is not None
        self.captures += (shapes, addresses) != self._captured
        self._captured = (shapes, addresses)

        def compute() -> None:
            assert not recorded or shapes == self.shapes, "recorded with other shapes"
            self._compute(device, shapes, addresses)

        stream.put(compute)
        return True

    def _compute(
        self, device: FakeDevice, shapes: dict[str, tuple[int, ...]], addresses: dict[str, int]
    ) -> None:
        feeds = {}
        for name, shape in shapes.items():
            dtype = np.dtype(TYPES[self.engine.inputs[name].type][1])
            nbytes = int(np.prod(shape)) * dtype.itemsize
            feeds[name] = device.at(addresses[name], nbytes).view(dtype).reshape(shape)
        names = list(self.engine.outputs)
        for name, array in zip(names, self.engine.session.run(names, feeds), strict=True):
            flat = np.ascontiguousarray(array).reshape(-1).view(np.uint8)
            device.at(addresses[name], flat.nbytes)[:] = flat
        self.batches.append(next(iter(shapes.values()))[0])


def save_engine(
    bundle: Bundle,
    graph: str,
    folder: Path,
    profile: tuple[int, int, int],
    shown: str = "fp32",
    version_compatible: bool = False,
) -> EngineFile:
    """The "engine" of a graph, in `folder`."""
    model = str(bundle.path(bundle.precision(shown).graphs[graph].path))
    plan = {"model": model, "profile": profile, "host_code": version_compatible}
    path = folder / f"{graph}.engine"
    path.write_text(json.dumps(plan))
    identity = Identity(
        model="0",
        graph=graph,
        shared=False,
        precision=shown,
        flavor=Flavor.TENSORRT,
        version=(10, 3),
        platform="linux-aarch64",
        target=(8, 7),
        profile=Profile(*profile),
        workspace=None,
        version_compatible=version_compatible,
        hardware_compatible=False,
    )
    sidecar = Sidecar(
        bundle="tiny",
        identity=identity,
        bytes=path.stat().st_size,
        sha256="0",
        seconds=1.0,
        gpu="Fake GPU",
        network_layers={},
        engine_layers={},
    )
    return EngineFile(path, sidecar)


def fake_ensure(folder: Path, profile: tuple[int, int, int]) -> Any:
    """`ensure_engine` whose engines are fakes, kept in `folder`."""
    kept: dict[str, EngineFile] = {}

    def ensure(
        bundle: Bundle, precision: str, graph: str, options: BuildOptions, *, tell: Any
    ) -> EngineFile:
        if graph not in kept:
            kept[graph] = save_engine(bundle, graph, folder, profile, precision)
        return kept[graph]

    return ensure


@cache
def _session(model: str) -> onnxruntime.InferenceSession:
    return onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
