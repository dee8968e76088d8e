"""Is INT8 worth it on this machine's CPU? Measured, never guessed."""

import statistics
import time
from pathlib import Path
from typing import Any

import msgspec

from posegen_export.int8_graphs import FP32, INT8
from posegen_runtime.backends.choosing import installed_on_cpu
from posegen_runtime.backends.opening import open_backend
from posegen_runtime.backends.speed import render_call
from posegen_runtime.bundle import Bundle
from posegen_runtime.choices import BackendName
from posegen_runtime.manifest import Graph, Precision

ROUNDS = 21


def measure_speed(bundle: Bundle, root: Path, graphs: dict[str, Graph]) -> dict[str, Any]:
    """Milliseconds an image of FP32 and INT8 on each backend that this CPU has, and whether INT8 is
    ``faster`` on ONNX Runtime's CPU provider."""
    precision = Precision(precision=INT8, graphs=graphs)
    both = [bundle.precision(FP32), precision]
    made = Bundle(root, msgspec.structs.replace(bundle.manifest, precisions=both))
    times = {backend.value: _compare(backend, made) for backend in installed_on_cpu()}
    return {"faster": times[BackendName.CPU.value]["times_as_fast"] > 1, "backends": times}


def _compare(backend: BackendName, bundle: Bundle) -> dict[str, float]:
    """One image on one thread, FP32 and INT8 in turn; medians, and the median of the ratios.

    Counted is the time of the processor: what else the machine does would drown the difference.
    """
    name = "generator_cached" if bundle.conditions else "generator"
    calls = {
        precision: render_call(
            open_backend(backend, bundle, precision, name, threads=1),
            bundle.precision(precision).graphs[name],
            1,
        )
        for precision in (FP32, INT8)
    }
    rounds: list[dict[str, float]] = []
    for _ in range(ROUNDS + 1):
        rounds.append({})
        for precision, call in calls.items():
            start = time.process_time()
            call()
            rounds[-1][precision] = time.process_time() - start
    kept = rounds[1:]  # the first prepares what later ones find ready
    return {
        "fp32_ms": 1000 * statistics.median(r[FP32] for r in kept),
        "int8_ms": 1000 * statistics.median(r[INT8] for r in kept),
        "times_as_fast": statistics.median(r[FP32] / r[INT8] for r in kept),
    }


def engine_name() -> str:
    import onnxruntime

    return f"onnxruntime {onnxruntime.__version__}, CPU"
