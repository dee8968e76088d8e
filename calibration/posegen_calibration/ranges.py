"""How large the activations of each layer get: what their INT8 scales follow from.

Batches stream: two passes over the samples, one batch in memory at a time. (The calibrators of
ONNX Runtime gather every activation of every sample first; its histograms and thresholds serve.)
"""

import contextlib
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import Enum
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx

from posegen_calibration.layers import Layer
from posegen_calibration.session import Feeds, Session, return_large_blocks, watched
from posegen_runtime.errors import PoseGenError

BINS = 1024
QUANTIZED_BINS = 128
PERCENTILE = 99.999
"""Of the absolute values of a tensor. On few samples 99.99 cut off what some photos need."""

Batches = Callable[[], Iterable[Feeds]]
"""Gives the same batches at every call."""


class Method(str, Enum):
    """How a range is chosen."""

    MINMAX = "minmax"
    """The largest value seen: nothing is cut off."""
    ENTROPY = "entropy"
    """The cut that keeps most of the distribution's information (Kullback-Leibler)."""
    PERCENTILE = "percentile"
    """The largest value but for the 0.001 % that are larger."""


def measure_ranges(
    model: onnx.ModelProto, layers: Sequence[Layer], batches: Batches, method: Method
) -> dict[str, float]:
    """By layer name: the absolute value at which the activation that it reads is cut off.

    Raises `PoseGenError` when an activation is NaN or infinite.
    """
    return_large_blocks()
    tensors = list(dict.fromkeys(layer.tensor for layer in layers))
    session, given = _watch(model, tensors)
    largest = dict.fromkeys(tensors, 0.0)
    for feeds in batches():
        for name, array in _read(session, given, feeds):
            value = float(np.abs(array).max(initial=0))
            if not np.isfinite(value):
                raise PoseGenError(
                    f"the activation {name} is NaN or infinite on a calibration sample; "
                    "train the model anew"
                )
            largest[name] = max(largest[name], value)
    cut = largest
    if method is not Method.MINMAX:
        cut = _cut(session, given, batches, largest, method)
    return {layer.name: cut[layer.tensor] for layer in layers}


def _cut(
    session: Session,
    given: Sequence[str],
    batches: Batches,
    largest: Mapping[str, float],
    method: Method,
) -> dict[str, float]:
    from onnxruntime.quantization.calibrate import HistogramCollector

    collector = HistogramCollector(
        method=method.value,
        symmetric=True,
        num_bins=BINS,
        num_quantized_bins=QUANTIZED_BINS,
        percentile=PERCENTILE,
        scenario="same",
    )
    moving = {name: np.array([0, v], np.float32) for name, v in largest.items() if v > 0}
    with contextlib.redirect_stdout(io.StringIO()):  # the collector prints its progress
        # The full range first: a histogram whose range grows later would get ever more bins.
        collector.collect(moving)
        for feeds in batches():
            arrays = dict(_read(session, given, feeds))
            collector.collect({name: arrays[name] for name in moving})
        found = collector.compute_collection_result()
    cuts = {name: max(abs(float(low)), abs(float(high))) for name, (low, high, *_) in found.items()}
    return {name: cuts.get(name, 0.0) for name in largest}


def _watch(model: onnx.ModelProto, tensors: Sequence[str]) -> tuple[Session, list[str]]:
    """A session that returns `tensors`, and those of them that are inputs of the graph."""
    inputs = {value.name for value in model.graph.input}
    given = [name for name in tensors if name in inputs]
    inner = [name for name in tensors if name not in inputs]
    return Session(watched(model, inner, onnx.TensorProto.FLOAT), inner), given


def _read(
    session: Session, given: Sequence[str], feeds: Feeds
) -> Iterable[tuple[str, npt.NDArray[Any]]]:
    yield from session.run(feeds).items()
    yield from ((name, feeds[name]) for name in given)
