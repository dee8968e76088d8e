"""What every graph of a bundle must be, so that TensorRT and ONNX Runtime take it alike."""

import onnx

RANDOM = {"RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike", "Bernoulli"}
RANDOM |= {"Multinomial", "Dropout"}


class GraphError(Exception):
    """The exported graph breaks a rule. It names the node; the fault is in the exporter."""


def check_graph(model: onnx.ModelProto, opset: int, ir_version: int) -> None:
    """Raise `GraphError` unless the graph is valid and

    - has exactly the default opset `opset`, and `ir_version`;
    - casts every uint8 input first, and casts to uint8 last before a uint8 output;
    - has no random operator, no node that depends on constants alone, and no float64.
    """
    onnx.checker.check_model(model, full_check=True)
    opsets = {(entry.domain, entry.version) for entry in model.opset_import}
    if opsets != {("", opset)} or model.ir_version != ir_version:
        raise GraphError(f"opset {opsets}, IR {model.ir_version}: must be {opset}, {ir_version}")
    graph = model.graph
    _check_border(graph)
    constants = {tensor.name for tensor in graph.initializer}
    for node in graph.node:
        label = f"{node.op_type} {node.name}"
        if node.op_type in RANDOM:
            raise GraphError(f"{label}: random")
        if node.op_type == "Constant":
            constants.update(node.output)
        elif node.op_type == "DequantizeLinear":
            continue  # int8 weights keep theirs: folding it would make them float32 again
        elif all(name in constants for name in node.input if name):
            raise GraphError(f"{label}: depends on constants alone and is not folded")
    for tensor in graph.initializer:
        if tensor.data_type == onnx.TensorProto.DOUBLE:
            raise GraphError(f"{tensor.name}: float64 weights")
        if tensor.data_location == onnx.TensorProto.EXTERNAL:
            raise GraphError(f"{tensor.name}: weights outside the file")


def fed_by(graph: onnx.GraphProto, name: str) -> list[onnx.NodeProto]:
    """The nodes that read the value `name`."""
    return [node for node in graph.node if name in node.input]


def _check_border(graph: onnx.GraphProto) -> None:
    uint8 = onnx.TensorProto.UINT8
    for value in graph.input:
        if value.type.tensor_type.elem_type == uint8:
            for node in fed_by(graph, value.name):
                if node.op_type != "Cast":
                    raise GraphError(f"{node.op_type} {node.name} reads uint8 {value.name}")
    for value in graph.output:
        if value.type.tensor_type.elem_type == uint8:
            (last,) = (node for node in graph.node if value.name in node.output)
            if last.op_type != "Cast":
                raise GraphError(f"{last.op_type} {last.name} makes uint8 {value.name}")
