"""Bytes → engine, on the GPU that is here."""

from pathlib import Path

from posegen_runtime.engines.bindings import ICudaEngine, Runtime
from posegen_runtime.engines.flavors import TensorRT
from posegen_runtime.errors import PoseGenError


def load_engine(
    tensorrt: TensorRT, plan: bytes | memoryview, version_compatible: bool, file: Path
) -> tuple[Runtime, ICudaEngine]:
    """The engine, and the runtime that must outlive it.

    `version_compatible`: as its sidecar says. Such an engine brings code for the host, its own lean
    runtime, which TensorRT runs only where it is allowed to.

    Raises `PoseGenError` with TensorRT's reasons when the engine cannot be loaded on this GPU.
    """
    trt = tensorrt.module
    with tensorrt.logger.collect() as heard:
        try:
            runtime: Runtime = trt.Runtime(tensorrt.logger)
        except TypeError as error:  # how the bindings tell that the library gave no runtime
            raise PoseGenError(
                f"{tensorrt}: cannot start here ({heard}); the NVIDIA driver may be older than its "
                "CUDA: update the driver, or install an older TensorRT"
            ) from error
        runtime.engine_host_code_allowed = version_compatible
        engine: ICudaEngine = runtime.deserialize_cuda_engine(plan)
    if engine is None:
        raise PoseGenError(
            f"{file}: {tensorrt} cannot load the engine ({heard}); if it lies in the cache, "
            "delete it, and it is built again"
        )
    return runtime, engine
