"""Which models a bundle becomes on a server, and how they are asked to run."""

import re
from dataclasses import dataclass
from enum import Enum

from posegen_runtime.bundle import Bundle
from posegen_runtime.errors import PoseGenError
from posegen_runtime.manifest import Graph, TensorSpec

_MODEL_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
"""What is a folder anywhere and needs no quoting in the server's addresses."""


class ServingBackend(str, Enum):
    """What runs the graphs in the server."""

    ONNX = "onnx"
    """Triton's onnxruntime backend: on the CPU, or through CUDA."""
    ONNX_TENSORRT = "onnx-tensorrt"
    """The same, which hands the graph to TensorRT and builds the engine in the server."""
    TENSORRT = "tensorrt"
    """Triton's tensorrt backend, with engines that were built on this machine."""


class Device(str, Enum):
    """Where instances run. AUTO: on every GPU that the server has, else on its CPU."""

    AUTO = "auto"
    CPU = "cpu"
    GPU = "gpu"


class Role(str, Enum):
    """What a model of the repository does; the value follows the name that was asked for."""

    GENERATOR = ""
    """Every row has its own conditions: rows of different requests make one batch."""
    CONDITIONS = "_conditions"
    """One appearance and background → encoded conditions."""
    CACHED = "_cached"
    """Masks and one row of encoded conditions → images."""
    SHARED = "_shared"
    """An ensemble of both: one appearance and background for all masks of a request."""


@dataclass(frozen=True)
class Options:
    """How the models are to be served; `check` says what cannot be."""

    name: str
    precision: str = "fp32"
    backend: ServingBackend = ServingBackend.ONNX
    device: Device = Device.AUTO
    instances: int = 1
    """On the CPU, or on each GPU."""
    threads: int = 0
    """CPU threads in one call of ONNX Runtime; 0: one for each core."""
    max_batch: int = 1
    preferred: tuple[int, ...] = ()
    """Batch sizes that are worth waiting for; none: the largest."""
    queue_delay: int = 0
    """Microseconds that a request waits for others to make a batch with."""
    engine_cache: str = ""
    """Folder in the server where ``onnx-tensorrt`` keeps engines; empty: built at each start."""

    def check(self, bundle: Bundle) -> None:
        """Raise `PoseGenError` naming the option that cannot be."""
        bundle.precision(self.precision)
        if not _MODEL_NAME.fullmatch(self.name):
            raise PoseGenError(
                f"--name {self.name}: a model's name starts with a letter or digit and holds "
                "letters, digits, _, . and - only; give one with --name"
            )
        if self.max_batch > bundle.manifest.max_batch:
            raise PoseGenError(
                f"--max-batch {self.max_batch}: the bundle was proven up to "
                f"{bundle.manifest.max_batch} images; take fewer, or export it with a larger "
                "--max-batch"
            )
        for size in self.preferred:
            if not 1 <= size <= self.max_batch:
                raise PoseGenError(
                    f"--preferred-batch {size}: must be from 1 to --max-batch, {self.max_batch}"
                )
        on_gpu = self.backend is not ServingBackend.ONNX
        if on_gpu and self.device is Device.CPU:
            raise PoseGenError(
                f"--backend {self.backend.value} runs on GPUs only; take --device gpu, or "
                "--backend onnx"
            )
        if self.backend is ServingBackend.ONNX_TENSORRT and self.precision != "fp32":
            raise PoseGenError(
                f"--backend onnx-tensorrt --precision {self.precision}: TensorRT would choose the "
                "type of each layer itself there and lower what is kept in float32; take "
                "--backend tensorrt, or --backend onnx"
            )
        if self.engine_cache and self.backend is not ServingBackend.ONNX_TENSORRT:
            raise PoseGenError("--engine-cache: only --backend onnx-tensorrt builds in the server")
        if self.threads and self.backend is ServingBackend.TENSORRT:
            raise PoseGenError("--threads: only ONNX Runtime has any, not --backend tensorrt")


@dataclass(frozen=True)
class Model:
    """One model of the repository. `inputs` and `outputs` have their leading dimension: "N" where
    its rows are masks, 1 where there is one for all. `graph`: None for the ensemble."""

    name: str
    role: Role
    inputs: list[TensorSpec]
    outputs: list[TensorSpec]
    graph: Graph | None

    @property
    def batches(self) -> bool:
        """Does the server join requests? Where a row serves a whole request, it must not."""
        return self.role is Role.GENERATOR


def models_of(bundle: Bundle, options: Options) -> list[Model]:
    """The models that `bundle` becomes; a later one may use those before it."""
    graphs = bundle.precision(options.precision).graphs

    def model(role: Role, graph: str, inputs: list[TensorSpec] | None = None) -> Model:
        held = graphs[graph]
        return Model(
            name=f"{options.name}{role.value}",
            role=role,
            inputs=_rows(inputs or held.inputs, role, bundle),
            outputs=_rows(held.outputs, role, bundle),
            graph=None if inputs else held,
        )

    models = [model(Role.GENERATOR, "generator")]
    if bundle.conditions:
        models.append(model(Role.CONDITIONS, "conditions"))
        models.append(model(Role.CACHED, "generator_cached"))
        models.append(model(Role.SHARED, "generator_cached", bundle.manifest.inputs))
    return models


def _rows(specs: list[TensorSpec], role: Role, bundle: Bundle) -> list[TensorSpec]:
    """`specs` with the leading dimension that they have in a model of that role."""
    of_masks = {"image", *(s.name for s in bundle.manifest.inputs)} - set(bundle.conditions)
    rows: list[TensorSpec] = []
    for spec in specs:
        many = role is Role.GENERATOR or spec.name in of_masks
        shape = ["N" if many else 1, *spec.shape[1:]]
        rows.append(TensorSpec(name=spec.name, dtype=spec.dtype, shape=shape, meaning=spec.meaning))
    return rows
