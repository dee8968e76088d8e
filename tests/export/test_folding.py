import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from posegen_export.folding import fold_constants


def test_what_depends_on_weights_alone_becomes_a_weight():
    weight = numpy_helper.from_array(np.arange(8, dtype=np.float32).reshape(2, 4), "weight")
    nodes = [
        helper.make_node("Split", ["weight"], ["left", "right"], axis=1, num_outputs=2),
        helper.make_node("Transpose", ["left"], ["turned"]),
        helper.make_node("Add", ["x", "turned"], ["sum"]),
        helper.make_node("Add", ["sum", "right"], ["y"]),
    ]
    values = [helper.make_tensor_value_info(n, TensorProto.FLOAT, [2, 2]) for n in ("x", "y")]
    graph = helper.make_graph(nodes, "g", values[:1], values[1:], [weight])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)])
    x = np.ones((2, 2), np.float32)
    before = ReferenceEvaluator(model).run(None, {"x": x})[0]
    fold_constants(model)
    onnx.checker.check_model(model)
    assert [node.op_type for node in model.graph.node] == ["Add", "Add"]
    assert {t.name for t in model.graph.initializer} == {"turned", "right"}
    assert np.array_equal(ReferenceEvaluator(model).run(None, {"x": x})[0], before)
