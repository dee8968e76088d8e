"""A graph in memory, run by ONNX Runtime on the CPU."""

import ctypes
import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy.typing as npt
import onnx

from posegen_runtime.backends.onnx import engine

M_MMAP_THRESHOLD = -3
LARGE = 2**20
"""Bytes."""

Feeds = dict[str, npt.NDArray[Any]]
"""Inputs of a graph by name; the leading dimension runs over images."""


class Session:
    """`model`, which is not written anywhere, with `outputs` (None: its own)."""

    def __init__(self, model: onnx.ModelProto, outputs: Sequence[str] | None = None) -> None:
        ort = engine()
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads()
        options.log_severity_level = 3
        # Batches differ in shape and the outputs are large: kept arenas would only add up.
        options.enable_cpu_mem_arena = False
        self._session = ort.InferenceSession(
            model.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )
        held = [output.name for output in self._session.get_outputs()]
        self._outputs = held if outputs is None else list(outputs)

    def run(self, feeds: Mapping[str, npt.NDArray[Any]]) -> Feeds:
        """Every output by name."""
        if not self._outputs:  # which ONNX Runtime would take for all
            return {}
        values = self._session.run(self._outputs, dict(feeds))
        return dict(zip(self._outputs, values, strict=True))


def watched(model: onnx.ModelProto, names: Sequence[str], dtype: int) -> onnx.ModelProto:
    """A copy of `model` whose inner tensors `names`, of an ONNX `dtype`, are outputs too."""
    made = onnx.ModelProto()
    made.CopyFrom(model)
    held = {value.name for value in made.graph.output}
    made.graph.output.extend(
        onnx.helper.make_tensor_value_info(name, dtype, None) for name in names if name not in held
    )
    return made


def return_large_blocks() -> None:
    """Let glibc give large arrays back to the system as soon as they are freed.

    It raises the size from which it does so whenever one is freed. Activations then leave holes in
    the heap between the images that are kept, and memory grows with every sample. Other C libraries
    are left as they are.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if os.name == "posix" else None
    if mallopt is not None:
        mallopt(M_MMAP_THRESHOLD, LARGE)


def threads() -> int:
    """One for each core that this process may use; ONNX Runtime would take all there are."""
    allowed = getattr(os, "sched_getaffinity", None)
    return len(allowed(0)) if allowed else os.cpu_count() or 1
