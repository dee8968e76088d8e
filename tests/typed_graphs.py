"""Pose-only generators of one convolution in a given precision, and ones that TensorRT refuses."""

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from tiny_bundle import write_tiny_bundle
from tiny_graphs import SIZE, spec

INPUT = helper.make_tensor_value_info("mask", TensorProto.UINT8, ["N", SIZE, SIZE])
OUTPUT = helper.make_tensor_value_info("image", TensorProto.UINT8, ["N", SIZE, SIZE, 3])
GENERATOR = {
    "inputs": [spec("mask", "N")],
    "outputs": [{**spec("appearance", "N"), "name": "image"}],
}
"""What a manifest says of these graphs."""


def save_typed(path: Path, kind: str, opset: int = 20) -> None:
    """`kind`: fp16, int8 (quantised convolution in a float32 graph), "mixed" (adds half to float32,
    which no strongly typed network may), "unknown" (an operator that nobody has); else fp32."""
    float_type = np.float16 if kind == "fp16" else np.float32
    to = TensorProto.FLOAT16 if kind == "fp16" else TensorProto.FLOAT
    weights = np.linspace(-1, 1, 3 * 9, dtype=np.float32).reshape(3, 1, 3, 3)
    constants = {
        "w": weights.astype(float_type),
        "channel": np.array([1], np.int64),
        "s": np.array(1.0, np.float32),
        "ws": np.full(3, 1 / 127, np.float32),
        "z": np.array(0, np.int8),
        "wz": np.zeros(3, np.int8),
        "wq": np.round(weights * 127).astype(np.int8),
        "half": np.ones(1, np.float16),
    }
    convolved = {
        "int8": [
            helper.make_node("QuantizeLinear", ["x", "s", "z"], ["xq"]),
            helper.make_node("DequantizeLinear", ["xq", "s", "z"], ["xd"]),
            helper.make_node("DequantizeLinear", ["wq", "ws", "wz"], ["wd"], axis=0),
            helper.make_node("Conv", ["xd", "wd"], ["y"], pads=[1] * 4),
        ],
        "mixed": [
            helper.make_node("Conv", ["x", "w"], ["c"], pads=[1] * 4),
            helper.make_node("Add", ["c", "half"], ["y"], "adds"),
        ],
        "unknown": [helper.make_node("Frobnicate", ["x"], ["y"], "frob")],
    }
    nodes = [
        helper.make_node("Cast", ["mask"], ["m"], to=to),
        helper.make_node("Unsqueeze", ["m", "channel"], ["x"]),
        *convolved.get(kind, [helper.make_node("Conv", ["x", "w"], ["y"], pads=[1] * 4)]),
        helper.make_node("Transpose", ["y"], ["t"], perm=[0, 2, 3, 1]),
        helper.make_node("Clip", ["t", "low", "high"], ["clipped"]),
        helper.make_node("Cast", ["clipped"], ["image"], to=TensorProto.UINT8),
    ]
    constants |= {"low": np.array(0, float_type), "high": np.array(255, float_type)}
    used = {name for node in nodes for name in node.input}
    tensors = [numpy_helper.from_array(v, k) for k, v in constants.items() if k in used]
    graph = helper.make_graph(nodes, "typed", [INPUT], [OUTPUT], tensors)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=10)
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(model, path)


def write_typed_bundle(root: Path, **kinds: str) -> Path:
    """A pose-only bundle: `tiny_bundle`'s fp32, and a variant of each keyword's name and kind.

    ``fp16="fp32"`` is one that says fp16 and is not; the kind "future" is of an opset to come.
    """
    tiny = {"path": "fp32/generator.onnx", **GENERATOR}
    precisions = [{"precision": "fp32", "graphs": {"generator": tiny}}]
    for precision, kind in kinds.items():
        path = f"{precision}/generator.onnx"
        save_typed(root / path, kind, opset=99 if kind == "future" else 20)
        graph = {"path": path, **GENERATOR}
        precisions.append({"precision": precision, "graphs": {"generator": graph}})
    return write_tiny_bundle(root, "pose", precisions=precisions)
