import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from posegen_export.weightfile import SMALLEST, WEIGHTS, share_weights

FULL = "pose-appearance-background"


def graph(*names: str) -> onnx.ModelProto:
    """x [400] plus each weight, every weight the same 0, 1, 2 ... 399, and a small bias."""
    weight, bias = np.arange(400, dtype=np.float32), np.float32([0.5])
    tensors = [numpy_helper.from_array(weight, name) for name in names]
    tensors.append(numpy_helper.from_array(bias, "bias"))
    nodes, last = [], "x"
    for tensor in tensors:
        nodes.append(helper.make_node("Add", [last, tensor.name], [f"{tensor.name}_sum"]))
        last = f"{tensor.name}_sum"
    value = {n: helper.make_tensor_value_info(n, TensorProto.FLOAT, [400]) for n in ("x", last)}
    body = helper.make_graph(nodes, "g", [value["x"]], [value[last]], tensors)
    return helper.make_model(body, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)


def test_equal_weights_are_stored_once_and_read_back(tmp_path):
    models = [graph("a", "b"), graph("other_name")]
    share_weights(models, tmp_path)
    assert (tmp_path / WEIGHTS).stat().st_size == 400 * 4
    for model, count in zip(models, (2, 1), strict=True):
        onnx.save(model, tmp_path / "model.onnx")
        assert (tmp_path / "model.onnx").stat().st_size < SMALLEST
        session = onnxruntime.InferenceSession(tmp_path / "model.onnx")
        (out,) = session.run(None, {"x": np.zeros(400, np.float32)})
        np.testing.assert_array_equal(out, count * np.arange(400, dtype=np.float32) + 0.5)


@pytest.mark.parametrize("arch", ["spatial", "bottleneck"])
def test_a_bundle_holds_its_weights_once(arch, exported_bundle, moving_checkpoint):
    from posegen.checkpoint import load_generator

    bundle = exported_bundle(arch, FULL)
    generator, _ = load_generator(moving_checkpoint(arch, FULL))
    held = sum(p.numel() * 4 for p in generator.folded().parameters())
    stored = (bundle / "fp32" / WEIGHTS).stat().st_size
    assert stored < 1.1 * held


def test_a_graph_changes_with_its_weights(tmp_path):
    models = [graph("a"), graph("a")]
    models[1].graph.initializer[0].CopyFrom(numpy_helper.from_array(np.ones(400, np.float32), "a"))
    for model in models:
        share_weights([model], tmp_path)
    assert models[0].SerializeToString() != models[1].SerializeToString()


def test_a_single_graph_keeps_its_weights(exported_bundle):
    assert not (exported_bundle("spatial", "pose") / "fp32" / WEIGHTS).exists()
