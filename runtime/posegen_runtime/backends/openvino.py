"""OpenVINO on the CPU, through its own package.

Its plugin for ONNX Runtime would share that package's sessions, but it offers no device on CPUs
that are not Intel's and has no wheel for ARM; OpenVINO itself runs on both.
"""

import os
import queue
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from posegen_runtime.backends.base import Arrays, Kept, one_line
from posegen_runtime.errors import PoseGenError

DEVICE = "CPU"
PRECISION = "f32"
"""What tensors that are not quantised are computed in. OpenVINO's own choice is bfloat16 where the
CPU has it, which misses the FP32 gate."""


def engine() -> Any:
    """The openvino module. Raises `PoseGenError` naming the extra when it is not installed."""
    try:
        import openvino
    except ImportError as error:
        raise PoseGenError("OpenVINO is not installed: pip install 'posegen[openvino]'") from error
    return openvino


class OpenvinoBackend:
    """One ONNX graph, compiled by OpenVINO for the CPU.

    `threads` is the number of threads in one call of `run` (None: one for each core). As many
    calls run at the same time as have cores; more wait for their turn.
    """

    batches = 1

    def __init__(self, path: Path, threads: int | None = None) -> None:
        openvino = engine()
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
        each = threads or cores or 1
        streams = max(1, (cores or 1) // each)
        settings = {
            "INFERENCE_PRECISION_HINT": PRECISION,
            "INFERENCE_NUM_THREADS": each * streams,
            "NUM_STREAMS": streams,
            # Lanes share the cores with what decodes and encodes images.
            "ENABLE_CPU_PINNING": False,
        }
        self._path = path
        self._version = openvino.__version__.split("-")[0]
        try:
            self._model = openvino.Core().compile_model(str(path), DEVICE, settings)
            requests = [self._model.create_infer_request() for _ in range(streams)]
        except Exception as error:
            raise PoseGenError(f"{path}: OpenVINO cannot load it ({one_line(error)})") from error
        used = self._model.get_property("INFERENCE_PRECISION_HINT").to_string()
        if used != PRECISION:
            raise PoseGenError(f"{path}: OpenVINO would compute in {used}, must be {PRECISION}")
        self._outputs = [output.get_any_name() for output in self._model.outputs]
        self._idle: queue.SimpleQueue[Any] = queue.SimpleQueue()
        for request in requests:
            self._idle.put(request)

    def run(self, feeds: Arrays, kept: Sequence[Kept] = ()) -> dict[str, npt.NDArray[Any]]:
        inputs = {name: np.ascontiguousarray(array) for name, array in feeds.items()}
        if kept:
            rows = [row.held for row in kept]
            inputs |= {name: np.concatenate([row[name] for row in rows]) for name in rows[0]}
        with self._request() as request:
            try:
                values = request.infer(inputs, share_inputs=True)
            except Exception as error:
                raise PoseGenError(f"{self._path}: OpenVINO failed ({one_line(error)})") from error
            # The request writes its next results where these are.
            return {name: np.array(values[name]) for name in self._outputs}

    def keep(self, arrays: Arrays) -> Kept:
        return Kept(sum(array.nbytes for array in arrays.values()), dict(arrays))

    @contextmanager
    def _request(self) -> Iterator[Any]:
        request = self._idle.get()
        try:
            yield request
        finally:
            self._idle.put(request)

    @property
    def description(self) -> str:
        return f"openvino {self._version} {DEVICE} {PRECISION}"
