import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from conv_model import NAMES, conv_model
from posegen_calibration.layers import borders, find_layers


def test_layers_in_order_with_their_work():
    layers = find_layers(conv_model())
    assert [layer.name for layer in layers] == list(NAMES)
    assert [layer.tensor for layer in layers] == ["p", "a", "b"]
    assert [layer.channels for layer in layers] == [(1, 16), (16, 16), (16, 3)]
    assert [layer.is_narrow for layer in layers] == [True, False, True]
    assert layers[1].multiplications == 16 * 16 * 9 * 32 * 32
    assert borders(conv_model(), layers) == {"first": "first", "last": "last"}


def test_a_product_with_no_constant_weights_is_no_layer():
    tensors = [helper.make_tensor_value_info(n, TensorProto.FLOAT, ["N", 4]) for n in "ab"]
    out = helper.make_tensor_value_info("c", TensorProto.FLOAT, ["N", 6])
    nodes = [
        helper.make_node("Gemm", ["a", "w.weight"], ["left"], transB=1),
        helper.make_node("Gemm", ["b", "v"], ["right"]),
        helper.make_node("Gemm", ["left", "right"], ["product"], transA=1),
        helper.make_node("Add", ["left", "right"], ["c"]),
    ]
    weights = [
        numpy_helper.from_array(np.zeros((6, 4), np.float32), "w.weight"),
        numpy_helper.from_array(np.zeros((4, 6), np.float32), "v"),
    ]
    model = helper.make_model(
        helper.make_graph(nodes, "gemm", tensors, [out], weights),
        opset_imports=[helper.make_opsetid("", 20)],
    )
    layers = find_layers(onnx.shape_inference.infer_shapes(model))
    assert [(x.name, x.channel_axis, x.channels) for x in layers] == [
        ("w", 0, (4, 6)),
        ("v", 1, (4, 6)),
    ]
    assert [layer.multiplications for layer in layers] == [24, 24]
