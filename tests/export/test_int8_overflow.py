"""An INT8 graph whose rest is float16: what it reaches is seen, although its images are right."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from posegen_export.int8_overflow import measure_peaks
from posegen_export.overflow import overflowing
from posegen_runtime.backends.onnx import engine


def graph(factor):
    """mask · factor / factor in float16, quantised on the way."""
    constants = {
        "up": np.array(factor, np.float16),
        "down": np.array(1 / factor, np.float16),
        "scale": np.array(2, np.float16),
        "zero": np.array(0, np.int8),
    }
    nodes = [
        helper.make_node("Cast", ["mask"], ["half"], to=TensorProto.FLOAT16),
        helper.make_node("QuantizeLinear", ["half", "scale", "zero"], ["half_q"]),
        helper.make_node("DequantizeLinear", ["half_q", "scale", "zero"], ["half_dq"]),
        helper.make_node("Mul", ["half_dq", "up"], ["large"]),
        helper.make_node("Mul", ["large", "down"], ["small"]),
        helper.make_node("Cast", ["small"], ["image"], to=TensorProto.UINT8),
    ]
    made = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("mask", TensorProto.UINT8, ["N", 4, 4])],
        [helper.make_tensor_value_info("image", TensorProto.UINT8, ["N", 4, 4])],
        [numpy_helper.from_array(array, name) for name, array in constants.items()],
    )
    opset = [helper.make_opsetid("", 20)]
    return helper.make_model(made, opset_imports=opset, ir_version=10)


def masks(*values):
    return [{"mask": np.full((1, 4, 4), value, np.uint8)} for value in values]


def test_every_half_tensor_that_is_computed_is_looked_at():
    peaks = measure_peaks(graph(50), masks(10, 200, 30))
    assert list(peaks) == ["half", "large", "small"]
    assert (peaks["half"], peaks["large"]) == (200, 10_000)
    assert overflowing(peaks) == []


@pytest.mark.parametrize(("factor", "said"), [(100, "20,000"), (1000, "inf")])
def test_a_planted_overflow_is_named(factor, said):
    model = graph(factor)
    session = engine().InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    assert session.run(None, masks(200)[0])[0].min() >= 199  # nothing is seen in the image
    missed = overflowing(measure_peaks(model, masks(1, 200)))
    assert missed[0].startswith(f"activation: large reaches {said}, must be at most 16,000")


def test_the_last_image_of_a_batch_counts():
    batch = {"mask": np.concatenate([m["mask"] for m in masks(1, 2, 200)])}
    assert measure_peaks(graph(50), [batch])["large"] == 10_000


def test_float32_has_nothing_to_look_at():
    model = graph(50)
    for tensor in model.graph.initializer:
        if tensor.data_type == TensorProto.FLOAT16:
            tensor.CopyFrom(
                numpy_helper.from_array(
                    numpy_helper.to_array(tensor).astype(np.float32), tensor.name
                )
            )
    next(a for a in model.graph.node[0].attribute).i = TensorProto.FLOAT
    onnx.checker.check_model(model)
    assert measure_peaks(model, masks(200)) == {}
