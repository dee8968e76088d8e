import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from conv_model import batches, conv_model
from posegen_calibration.layers import find_layers
from posegen_calibration.quantize import int8_weights, quantize
from posegen_calibration.ranges import Method, measure_ranges
from posegen_calibration.session import Session


@pytest.mark.parametrize("axis", [0, 1])
def test_weights_keep_half_a_step_of_their_own_channel(axis):
    generator = np.random.default_rng(0)
    weight = generator.normal(size=(8, 8, 3, 3)).astype(np.float32)
    weight *= np.exp(generator.normal(size=8)).reshape([-1 if i == axis else 1 for i in range(4)])
    weight[(slice(None),) * axis + (3,)] = 0
    values, scales = int8_weights(weight.astype(np.float32), axis)
    steps = scales.reshape([-1 if i == axis else 1 for i in range(4)])
    assert values.dtype == np.int8
    assert values.min() == -127
    assert scales[3] == 1
    assert np.abs(values * steps - weight).max(axis=(2, 3)).max() <= scales.max() / 2 * 1.001
    assert (np.abs(values * steps - weight) <= steps / 2 * 1.001).all()


def test_the_graph_is_what_tensorrt_takes():
    model = conv_model()
    before = model.SerializeToString()
    layers = find_layers(model)
    ranges = measure_ranges(model, layers, lambda: batches(8), Method.MINMAX)
    made = quantize(model, layers, ranges)
    onnx.checker.check_model(made, full_check=True)
    assert model.SerializeToString() == before
    assert (made.ir_version, made.opset_import[0].version) == (10, 20)
    arrays = {t.name: numpy_helper.to_array(t) for t in made.graph.initializer}
    restored = [n for n in made.graph.node if n.op_type == "DequantizeLinear"]
    zeros = [n for n in made.graph.node if n.op_type == "QuantizeLinear"] + restored
    assert len(zeros) == 9
    for node in zeros:
        assert arrays[node.input[2]].dtype == np.int8
        assert not arrays[node.input[2]].any()
    weights = [arrays[n.input[0]] for n in restored if n.input[0] in arrays]
    assert [w.dtype for w in weights] == [np.int8] * 3
    assert [arrays[n.input[1]].shape for n in restored if n.input[0] in arrays] == [
        (16,),
        (16,),
        (3,),
    ]
    biases = [arrays[n.input[2]] for n in made.graph.node if n.op_type == "Conv"]
    assert [b.dtype for b in biases] == [np.float32] * 3
    assert not {"first.weight", "middle.weight", "last.weight"} & arrays.keys()


def test_only_the_named_layers_change_and_the_image_stays():
    model = conv_model()
    layers = find_layers(model)
    ranges = measure_ranges(model, layers, lambda: batches(8), Method.MINMAX)
    made = quantize(model, [layers[1]], ranges)
    read = {n.output[0]: list(n.input) for n in made.graph.node if n.op_type == "Conv"}
    assert read["first"] == ["p", "first.weight", "first.bias"]
    assert read["middle"] == ["a_dq", "middle.weight_dq", "middle.bias"]
    (feeds,) = batches(4)
    right = Session(model).run(feeds)["image"].astype(int)
    seen = Session(made).run(feeds)["image"].astype(int)
    assert 0 < np.abs(seen - right).max() < 8
    assert (Session(quantize(model, [], {})).run(feeds)["image"] == right).all()


def test_a_half_precision_graph_has_scales_of_its_own_type_that_cut_nothing_off():
    """Down to a range whose scale float16 holds with three bits."""
    weight = np.array([[1.0, -0.3], [1e-4, 2e-5], [0, 0], [7e-6, -3e-6]], np.float16)
    values, scales = int8_weights(weight, 0)
    assert (values.dtype, scales.dtype) == (np.int8, np.float16)
    assert np.abs(values).max() <= 127
    steps = scales.astype(np.float64)[:, None]
    assert (np.abs(values * steps - weight) <= steps * 0.501).all()
    assert (steps[:3, 0] <= np.array([1 / 127, 1e-4 / 127, 1]) * 1.1).all()


def test_half_precision_layers_are_quantised_in_their_own_type():
    model = half(conv_model())
    layers = find_layers(model)
    feeds = {"mask": batches(4)[0]["mask"]}
    ranges = measure_ranges(conv_model(), layers, lambda: [feeds], Method.MINMAX)
    made = quantize(model, layers, ranges)
    onnx.checker.check_model(made, full_check=True)  # a float32 scale would be a mixed type
    right = Session(model).run(feeds)["image"].astype(int)
    assert np.abs(Session(made).run(feeds)["image"] - right).mean() < 2


def test_a_bias_of_more_steps_than_float16_counts():
    """ONNX Runtime would divide it by its scale in float16, and make infinity of 70,000."""
    model = conv_model()
    tensors = {tensor.name: tensor for tensor in model.graph.initializer}
    arrays = {name: numpy_helper.to_array(tensor) for name, tensor in tensors.items()}
    large = np.float32(8)
    taken_back = large * arrays["last.weight"].sum(axis=(1, 2, 3))
    changed = {
        "middle.bias": arrays["middle.bias"] + large,
        "last.bias": arrays["last.bias"] - taken_back,
    }
    for name, array in changed.items():
        tensors[name].CopyFrom(numpy_helper.from_array(array, name))
    layers = find_layers(model)
    ranges = measure_ranges(model, layers, lambda: batches(4), Method.MINMAX)
    (feeds,) = batches(4)
    right = Session(model).run(feeds)["image"].astype(int)
    made = quantize(half(model), layers, ranges)
    held = {t.name: numpy_helper.to_array(t).astype(float) for t in made.graph.initializer}
    steps = large / (held["a_scale"] * held["middle.weight_scale"])
    assert steps.max() > 65504
    onnx.checker.check_model(made, full_check=True)
    assert np.abs(Session(made).run(feeds)["image"] - right).mean() < 5


def test_half_precision_layers_that_share_a_bias():
    model = conv_model()
    for node in model.graph.node:
        if list(node.output) == ["middle"]:
            node.input[2] = "first.bias"
    layers = find_layers(model)
    ranges = measure_ranges(model, layers, lambda: batches(4), Method.MINMAX)
    (feeds,) = batches(4)
    right = Session(model).run(feeds)["image"].astype(int)
    made = quantize(half(model), layers, ranges)
    onnx.checker.check_model(made, full_check=True)
    assert np.abs(Session(made).run(feeds)["image"] - right).mean() < 2


def half(model):
    """`model`, computing in float16."""
    for tensor in model.graph.initializer:
        array = numpy_helper.to_array(tensor)
        if array.dtype == np.float32:
            tensor.CopyFrom(numpy_helper.from_array(array.astype(np.float16), tensor.name))
    for node in model.graph.node:
        for attribute in node.attribute:
            if attribute.name == "to" and attribute.i == TensorProto.FLOAT:
                attribute.i = TensorProto.FLOAT16
    return model


@pytest.mark.parametrize("transposed", [0, 1])
def test_full_connections_by_output_channel(transposed):
    generator = np.random.default_rng(1)
    weight = generator.normal(size=(4, 6)) * np.array([1, 2, 4, 8, 16, 32])
    held = np.ascontiguousarray(weight.T if transposed else weight).astype(np.float32)
    model = helper.make_model(
        helper.make_graph(
            [helper.make_node("Gemm", ["a", "w.weight"], ["y"], transB=transposed)],
            "gemm",
            [helper.make_tensor_value_info("a", TensorProto.FLOAT, ["N", 4])],
            [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["N", 6])],
            [numpy_helper.from_array(held, "w.weight")],
        ),
        opset_imports=[helper.make_opsetid("", 20)],
        ir_version=10,
    )
    layers = find_layers(model)
    feeds = {"a": generator.normal(size=(64, 4)).astype(np.float32)}
    ranges = measure_ranges(model, layers, lambda: [feeds], Method.MINMAX)
    assert ranges == {"w": pytest.approx(np.abs(feeds["a"]).max())}
    made = quantize(model, layers, ranges)
    (restored,) = (n for n in made.graph.node if n.output[0] == "w.weight_dq")
    assert [a.i for a in restored.attribute] == [1 - transposed]  # ONNX Runtime's fusion ignores it
    right = feeds["a"] @ weight
    error = np.abs(Session(made).run(feeds)["y"] - right).max(axis=0)
    assert (error < 0.03 * np.abs(right).max(axis=0)).all()
