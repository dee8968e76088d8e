"""ONNX Runtime, on the CPU or through CUDA."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from posegen_runtime.backends.base import Arrays, Kept, one_line
from posegen_runtime.backends.onnx_device import OnnxOnDevice
from posegen_runtime.errors import PoseGenError

if TYPE_CHECKING:
    import onnxruntime

CPU = "CPUExecutionProvider"
CUDA = "CUDAExecutionProvider"

PROVIDER_OPTIONS: dict[str, dict[str, str]] = {
    CUDA: {"use_tf32": "0", "cudnn_conv_algo_search": "HEURISTIC"}
}
"""FP32 means FP32: TF32 keeps 10 bits of the mantissa and misses the FP32 gate. And algorithms are
chosen by rule: to time them takes seconds at each new batch size, and may end otherwise each time.
"""

REPAIR = "posegen-run --doctor tells how to repair it"

MEMORY = {CUDA: "cuda"}
"""Where a provider's tensors lie, if not in the memory of the host."""


def engine() -> Any:
    """The onnxruntime module. Raises `PoseGenError` when it is not installed (the message names the
    extras), or is but cannot be loaded."""
    try:
        import onnxruntime
    except ModuleNotFoundError as error:
        raise PoseGenError(
            "no inference engine is installed: pip install 'posegen[cpu]', "
            "or 'posegen[gpu]' for an NVIDIA GPU"
        ) from error
    except (ImportError, OSError) as error:  # a shared library is missing or of another version
        raise PoseGenError(f"onnxruntime cannot be loaded ({one_line(error)}); {REPAIR}") from error
    if not hasattr(onnxruntime, "InferenceSession"):  # its folder without its files
        raise PoseGenError(f"onnxruntime is installed in part; {REPAIR}")
    return onnxruntime


class OnnxBackend:
    """One ONNX graph in an ONNX Runtime session.

    `provider` is the execution provider that must really be used: where ONNX Runtime would fall
    back to another one silently, `PoseGenError` is raised. `threads` is the number of threads in
    one call of `run` (None: one for each core); several callers may run at the same time.
    """

    batches = 1

    def __init__(self, path: Path, provider: str = CPU, threads: int | None = None) -> None:
        ort = engine()
        held = ort.get_available_providers()
        if provider not in held:
            raise PoseGenError(
                f"{provider}: this ONNX Runtime has only {', '.join(held)}; "
                "install 'posegen[gpu]' in place of 'posegen[cpu]' for CUDA"
            )
        if provider == CUDA and hasattr(ort, "preload_dlls"):
            ort.preload_dlls()
        self.path = path
        self._provider = provider
        self._memory = MEMORY.get(provider)
        self.ort = ort
        self.session = _open(ort, path, provider, threads)
        used = self.session.get_providers()
        if used[0] != provider:
            raise PoseGenError(
                f"{provider} was asked for, but ONNX Runtime could only load {used[0]}; "
                "repair the driver and CUDA libraries, or take --backend cpu"
            )
        self.on_device = OnnxOnDevice(self, self._memory) if self._memory else None
        self._outputs = [output.name for output in self.session.get_outputs()]

    def run(
        self, feeds: Arrays, kept: Sequence[Kept] = (), out: Arrays | None = None
    ) -> dict[str, npt.NDArray[Any]]:
        hosts = {name: np.ascontiguousarray(array) for name, array in feeds.items()}
        try:
            if self._memory is not None and len(kept) == 1:
                values = self._run_bound(hosts, kept[0].held[1], out)
            elif out is not None:
                values = self._run_bound({**hosts, **joined(kept)}, {}, out)
            else:
                values = self.session.run(self._outputs, {**hosts, **joined(kept)})
        except Exception as error:  # ONNX Runtime raises its own types, one for each status code
            raise PoseGenError(
                f"{self.path}: {self._provider} failed ({one_line(error)})"
            ) from error
        return dict(zip(self._outputs, values, strict=True))

    def _run_bound(
        self, hosts: Arrays, device: Mapping[str, Any], out: Arrays | None
    ) -> list[npt.NDArray[Any]]:
        """With tensors that stay on the device, and outputs that have their place. A binding is
        each call's own, for the threads."""
        binding = self.session.io_binding()
        for name, value in device.items():
            binding.bind_ortvalue_input(name, value)
        for name, array in hosts.items():
            binding.bind_cpu_input(name, array)
        for name in self._outputs:
            if out is None:
                binding.bind_output(name)
            else:
                to = out[name]
                binding.bind_output(name, "cpu", 0, to.dtype, to.shape, to.ctypes.data)
        self.session.run_with_iobinding(binding)
        if out is not None:
            return [out[name] for name in self._outputs]
        return list(binding.copy_outputs_to_cpu())

    def keep(self, arrays: Arrays) -> Kept:
        """On the host too: rows with different conditions are joined there."""
        device = {}
        if self._memory is not None:
            from_numpy = self.ort.OrtValue.ortvalue_from_numpy
            device = {name: from_numpy(array, self._memory, 0) for name, array in arrays.items()}
        size = sum(array.nbytes for array in arrays.values())
        return Kept(size * (2 if device else 1), (dict(arrays), device))

    @property
    def description(self) -> str:
        return f"onnxruntime {self.ort.__version__} {self._provider}"


def joined(kept: Sequence[Kept]) -> Arrays:
    """Rows with different conditions side by side. One alone is not copied: it is megabytes."""
    rows = [row.held[0] for row in kept]
    if len(rows) <= 1:
        return rows[0] if rows else {}
    return {name: np.concatenate([row[name] for row in rows]) for name in rows[0]}


def _open(
    ort: Any, path: Path, provider: str, threads: int | None
) -> "onnxruntime.InferenceSession":
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads or 0
    options.log_severity_level = 3  # warnings go to stderr and would break the progress bar
    providers: Sequence[Any] = [(provider, PROVIDER_OPTIONS.get(provider, {}))]
    try:
        # Its own fallback would print to standard output, and try the same again.
        return ort.InferenceSession(str(path), options, providers=providers, enable_fallback=0)
    except Exception as error:  # ONNX Runtime raises its own types, one for each status code
        raise PoseGenError(f"{path}: ONNX Runtime cannot load it ({one_line(error)})") from error
