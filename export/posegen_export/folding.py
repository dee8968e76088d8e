"""Compute, once, everything in a graph that depends on weights alone.

The exporter's own folding leaves large weights and operators with several outputs alone.
"""

import numpy as np
import onnx
from onnx import numpy_helper
from onnx.reference import ReferenceEvaluator


def fold_constants(model: onnx.ModelProto) -> None:
    """Replace, in place, each node whose inputs are all constants by its value."""
    graph = model.graph
    constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    kept, made = [], set()
    for node in graph.node:
        if all(name in constants for name in node.input if name):
            feeds = {name: constants[name] for name in node.input if name}
            for name, value in zip(node.output, _evaluate(model, node, feeds), strict=True):
                constants[name] = np.asarray(value)
                made.add(name)
        else:
            kept.append(node)
    read = {name for node in kept for name in node.input}
    tensors = [tensor for tensor in graph.initializer if tensor.name in read]
    tensors += [numpy_helper.from_array(constants[name], name) for name in sorted(made & read)]
    _replace(graph.node, kept)
    _replace(graph.initializer, tensors)


def _evaluate(
    model: onnx.ModelProto, node: onnx.NodeProto, feeds: dict[str, np.ndarray]
) -> list[np.ndarray]:
    outputs = [onnx.helper.make_empty_tensor_value_info(name) for name in node.output]
    inputs = [onnx.helper.make_empty_tensor_value_info(name) for name in feeds]
    single = onnx.helper.make_model(
        onnx.helper.make_graph([node], "constant", inputs, outputs),
        opset_imports=list(model.opset_import),
    )
    return list(ReferenceEvaluator(single).run(None, feeds))


def _replace(field, items) -> None:  # type: ignore[no-untyped-def]
    copies = [type(item).FromString(item.SerializeToString()) for item in items]
    del field[:]
    field.extend(copies)
