"""Is INT8 worth it on this machine's CPU? Measured, never guessed."""

import statistics
from pathlib import Path
from typing import Any

import msgspec

from posegen_export.int8_graphs import FP32, INT8
from posegen_runtime.backends.choosing import WORTH, installed_on_cpu
from posegen_runtime.backends.speed import sample_backends
from posegen_runtime.bundle import Bundle
from posegen_runtime.choices import BackendName
from posegen_runtime.manifest import Graph, Precision

ROUNDS = 21
FASTER = "faster"


def measure_speed(bundle: Bundle, root: Path, graphs: dict[str, Graph]) -> dict[str, Any]:
    """Milliseconds of processor time an image of FP32 and INT8 on each backend that this CPU has,
    the `verdict` on each, and whether INT8 is ``faster`` on ONNX Runtime's CPU provider."""
    precision = Precision(precision=INT8, graphs=graphs)
    both = [bundle.precision(FP32), precision]
    made = Bundle(root, msgspec.structs.replace(bundle.manifest, precisions=both))
    samples = sample_backends(
        [(backend, name) for backend in installed_on_cpu() for name in (FP32, INT8)], made, ROUNDS
    )
    times = {
        backend.value: _compare(samples[backend, FP32], samples[backend, INT8])
        for backend, name in samples
        if name == INT8
    }
    return {"faster": times[BackendName.CPU.value]["verdict"] == FASTER, "backends": times}


def verdict(times_as_fast: float) -> str:
    """Faster or slower is what `--precision auto` would choose by; measuring twice differs by
    less."""
    if times_as_fast >= WORTH:
        return FASTER
    return "slower" if times_as_fast <= 1 / WORTH else "about the same"


def _compare(fp32: list[float], int8: list[float]) -> dict[str, Any]:
    """Medians, the median of the ratios of each round, and the verdict on it."""
    times_as_fast = statistics.median(a / b for a, b in zip(fp32, int8, strict=True))
    return {
        "fp32_ms": 1000 * statistics.median(fp32),
        "int8_ms": 1000 * statistics.median(int8),
        "times_as_fast": times_as_fast,
        "verdict": verdict(times_as_fast),
    }


def engine_name() -> str:
    import onnxruntime

    return f"onnxruntime {onnxruntime.__version__}, CPU"
