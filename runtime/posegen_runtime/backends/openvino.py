"""OpenVINO on the CPU, through its own package.

Its plugin for ONNX Runtime would share that package's sessions, but it offers no device on CPUs
that are not Intel's and has no wheel for ARM; OpenVINO itself runs on both.
"""

import functools
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
    """The openvino module. Raises `PoseGenError` when it is not installed (the message names the
    extra), or is but cannot be loaded."""
    try:
        import openvino
    except ModuleNotFoundError as error:
        raise PoseGenError("OpenVINO is not installed: pip install 'posegen[openvino]'") from error
    except (ImportError, OSError) as error:  # a shared library is missing or of another version
        raise PoseGenError(
            f"openvino cannot be loaded ({one_line(error)}); posegen-run --doctor tells how to "
            "repair it"
        ) from error
    return openvino


@functools.cache
def _core() -> Any:
    """One for the process. Each `Core` gives the thread that makes it a stack for signals, and
    takes it away at its end: after two of them any Ctrl-C would crash."""
    return engine().Core()


class OpenvinoBackend:
    """One ONNX graph, compiled by OpenVINO for the CPU and for one row: a batch goes through row by
    row. With the number of rows left open it is slower.

    `threads` is the number of threads in one call of `run` (None: one for each core). As many
    calls run at the same time as have cores; more wait for their turn.
    """

    batches = 1
    on_device = None

    def __init__(self, path: Path, threads: int | None = None) -> None:
        openvino = engine()
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
        each = threads or cores or 1
        streams = max(1, (cores or 1) // each)
        settings: dict[str, Any] = {
            "INFERENCE_PRECISION_HINT": PRECISION,
            "INFERENCE_NUM_THREADS": each * streams,
            "NUM_STREAMS": streams,
            # Lanes share the cores with what decodes and encodes images.
            "ENABLE_CPU_PINNING": False,
        }
        self._path = path
        self._version = openvino.__version__.split("-")[0]
        try:
            core = _core()
            model = core.read_model(str(path))
            model.reshape({tensor.get_any_name(): _one_row(tensor) for tensor in model.inputs})
            if "f16" in (types := _types(model)) and "i8" not in types:
                settings["SNIPPETS_MODE"] = "DISABLE"  # with them some such graphs crash here
            compiled = core.compile_model(model, DEVICE, settings)
            requests = [compiled.create_infer_request() for _ in range(streams)]
        except Exception as error:
            raise PoseGenError(f"{path}: OpenVINO cannot load it ({one_line(error)})") from error
        used = compiled.get_property("INFERENCE_PRECISION_HINT").to_string()
        if used != PRECISION:
            raise PoseGenError(f"{path}: OpenVINO would compute in {used}, must be {PRECISION}")
        self._outputs = {
            output.get_any_name(): (tuple(output.shape)[1:], output.get_element_type().to_dtype())
            for output in compiled.outputs
        }
        self._idle: queue.SimpleQueue[Any] = queue.SimpleQueue()
        for request in requests:
            self._idle.put(request)

    def run(
        self, feeds: Arrays, kept: Sequence[Kept] = (), out: Arrays | None = None
    ) -> dict[str, npt.NDArray[Any]]:
        count = max(len(array) for array in feeds.values())
        outputs = {
            name: np.empty((count, *shape), dtype) if out is None else out[name]
            for name, (shape, dtype) in self._outputs.items()
        }
        tensor = engine().Tensor
        with self._request() as request:
            for row in range(count):
                inputs = {name: _row(array, row) for name, array in feeds.items()}
                if kept:
                    inputs |= kept[min(row, len(kept) - 1)].held
                try:
                    for name, array in outputs.items():
                        place = tensor(array[row : row + 1], shared_memory=True)
                        request.set_tensor(name, place)
                    request.infer(inputs, share_inputs=True, share_outputs=True)
                except Exception as error:
                    raise PoseGenError(
                        f"{self._path}: OpenVINO failed ({one_line(error)})"
                    ) from error
        return outputs

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


def _types(model: Any) -> set[str]:
    """Element types in a model, in OpenVINO's words."""
    return {
        output.get_element_type().to_string()
        for operator in model.get_ops()
        for output in operator.outputs()
    }


def _one_row(tensor: Any) -> list[int]:
    return [1, *(size.get_length() for size in list(tensor.partial_shape)[1:])]


def _row(array: npt.NDArray[Any], row: int) -> npt.NDArray[Any]:
    """Row `row`, or the only one; [1, ...]."""
    row = min(row, len(array) - 1)
    return np.ascontiguousarray(array[row : row + 1])
