"""ONNX Runtime, on the CPU or through CUDA."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy.typing as npt

from posegen_runtime.backends.base import Arrays
from posegen_runtime.choices import Device as Device
from posegen_runtime.errors import PoseGenError

if TYPE_CHECKING:
    import onnxruntime

CPU = "CPUExecutionProvider"
CUDA = "CUDAExecutionProvider"

PROVIDER_OPTIONS: dict[str, dict[str, str]] = {CUDA: {"use_tf32": "0"}}
"""FP32 means FP32: TF32 keeps 10 bits of the mantissa and misses the FP32 gate."""


def engine() -> Any:
    """The onnxruntime module. Raises `PoseGenError` naming the extras when it is not installed."""
    try:
        import onnxruntime
    except ImportError as error:
        raise PoseGenError(
            "no inference engine is installed: pip install 'posegen[cpu]', "
            "or 'posegen[gpu]' for an NVIDIA GPU"
        ) from error
    return onnxruntime


class OnnxBackend:
    """One ONNX graph in an ONNX Runtime session.

    `provider` is the execution provider that must really be used: where ONNX Runtime would fall
    back to another one silently, `PoseGenError` is raised. `threads` is the number of threads in
    one call of `run` (None: one for each core); several callers may run at the same time.
    """

    def __init__(self, path: Path, provider: str = CPU, threads: int | None = None) -> None:
        ort = engine()
        held = ort.get_available_providers()
        if provider not in held:
            raise PoseGenError(
                f"{provider}: this ONNX Runtime has only {', '.join(held)}; "
                f"install the extra that brings it ('posegen[gpu]' for CUDA)"
            )
        if provider == CUDA and hasattr(ort, "preload_dlls"):
            ort.preload_dlls()
        self._path = path
        self._provider = provider
        self._version = ort.__version__
        self._session = _open(ort, path, provider, threads)
        used = self._session.get_providers()
        if used[0] != provider:
            raise PoseGenError(
                f"{provider} was asked for, but ONNX Runtime could only load {used[0]}; "
                "repair the driver and CUDA libraries, or choose the CPU"
            )
        self._outputs = [output.name for output in self._session.get_outputs()]

    def run(self, feeds: Arrays) -> dict[str, npt.NDArray[Any]]:
        try:
            values = self._session.run(self._outputs, dict(feeds))
        except Exception as error:  # ONNX Runtime raises its own types, one for each status code
            raise PoseGenError(
                f"{self._path}: {self._provider} failed ({_one_line(error)})"
            ) from error
        return dict(zip(self._outputs, values, strict=True))

    @property
    def description(self) -> str:
        return f"onnxruntime {self._version} {self._provider}"


def _open(
    ort: Any, path: Path, provider: str, threads: int | None
) -> "onnxruntime.InferenceSession":
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads or 0
    options.log_severity_level = 3  # warnings go to stderr and would break the progress bar
    providers: Sequence[Any] = [(provider, PROVIDER_OPTIONS.get(provider, {}))]
    try:
        return ort.InferenceSession(str(path), options, providers=providers)
    except Exception as error:  # ONNX Runtime raises its own types, one for each status code
        raise PoseGenError(f"{path}: ONNX Runtime cannot load it ({_one_line(error)})") from error


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())
