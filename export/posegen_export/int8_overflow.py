"""What an INT8 graph whose rest is float16 reaches there: other layers' errors add up in it.

ONNX Runtime's CPU provider computes the rest in float32, so that images are right even where half
precision has long overflowed on a GPU. Here each tensor is looked at as the float16 that it is.
"""

from collections.abc import Iterable

import numpy as np
import onnx

from posegen_calibration.session import Feeds, Session, return_large_blocks, watched

NOT_COMPUTED = ("Constant", "DequantizeLinear")
"""Weights, and activations that are looked at before they are quantised."""


def measure_peaks(model: onnx.ModelProto, batches: Iterable[Feeds]) -> dict[str, float]:
    """Tensor → largest absolute value over `batches`, in order of execution, for every float16
    tensor that `model` computes; infinite where a value was infinite or NaN."""
    return_large_blocks()
    names = _half_tensors(model)
    session = Session(watched(model, names, onnx.TensorProto.FLOAT16), names)
    peaks = dict.fromkeys(names, 0.0)
    for feeds in batches:
        for row in range(len(feeds["mask"])):  # all activations of an image are in memory at once
            one = {name: array[row : row + 1] for name, array in feeds.items()}
            for name, array in session.run(one).items():
                largest = float(np.abs(array).max(initial=0))
                peaks[name] = max(peaks[name], np.inf if np.isnan(largest) else largest)
    return peaks


def _half_tensors(model: onnx.ModelProto) -> list[str]:
    inferred = onnx.shape_inference.infer_shapes(model, data_prop=True).graph
    types = {
        value.name: value.type.tensor_type.elem_type
        for value in (*inferred.value_info, *inferred.output)
    }
    return [
        name
        for node in model.graph.node
        if node.op_type not in NOT_COMPUTED
        for name in node.output
        if types.get(name) == onnx.TensorProto.FLOAT16
    ]
