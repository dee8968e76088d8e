"""Judges without training, on graphs so simple that the right answer is known."""

import hashlib
import json
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

SIZE = 16


def write_judge(root: Path, kind: str, /, size: int = SIZE, **changes: object) -> Path:
    """segmenter: a pixel's probability is its green level. heading, outline: cos and sin are the
    mean levels of the left and of the right half."""
    is_outline = kind == "outline"
    source = "mask" if is_outline else "image"
    shape: list[int | str] = ["N", size, size] if is_outline else ["N", size, size, 3]
    cast = helper.make_node("Cast", [source], ["x"], to=TensorProto.FLOAT)
    if kind == "segmenter":
        nodes = [
            cast,
            helper.make_node("Gather", ["x", "one"], ["green"], axis=3),
            helper.make_node("Cast", ["green"], ["mask"], to=TensorProto.UINT8),
        ]
        output = helper.make_tensor_value_info("mask", TensorProto.UINT8, ["N", size, size])
        constants = {"one": np.array(1)}
    else:
        nodes = [
            cast,
            helper.make_node("Reshape", ["x", "halves"], ["columns"]),
            helper.make_node("ReduceMean", ["columns", "axes"], ["levels"], keepdims=0),
            helper.make_node("LpNormalization", ["levels"], ["heading"], axis=1),
        ]
        output = helper.make_tensor_value_info("heading", TensorProto.FLOAT, ["N", 2])
        constants = {"halves": np.array([0, size, 2, -1]), "axes": np.array([1, 3])}
    value = helper.make_tensor_value_info(source, TensorProto.UINT8, shape)
    tensors = [numpy_helper.from_array(v, k) for k, v in constants.items()]
    graph = helper.make_graph(nodes, "judge", [value], [output], tensors)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    onnx.checker.check_model(model)
    root.mkdir(parents=True, exist_ok=True)
    onnx.save(model, root / "model.onnx")
    record = {
        "schema": 1,
        "kind": kind,
        "image_size": size,
        "file": "model.onnx",
        "sha256": hashlib.sha256((root / "model.onnx").read_bytes()).hexdigest(),
        "figures": {"iou": 0.9},
    }
    (root / "judge.json").write_text(json.dumps(record | changes))
    return root
