"""The graphs of `tiny_bundle`."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

SIZE = 64
AMBIENT = 0.7
LAMP = np.array([[0.2], [0.06], [0.02]], np.float32)
"""How bright the object is: AMBIENT + viewpoint @ LAMP, for graphs that take the viewpoint."""
INPUTS = {
    "pose": ["mask"],
    "pose-appearance": ["mask", "appearance"],
    "pose-appearance-background": ["mask", "appearance", "background"],
}


def spec(name: str, batch: str) -> dict[str, Any]:
    if name == "viewpoint":
        return {"name": name, "dtype": "float32", "shape": [batch, 3], "required": False}
    shape = [batch, SIZE, SIZE] if name == "mask" else [batch, SIZE, SIZE, 3]
    return {"name": name, "dtype": "uint8", "shape": shape}


def encoded_names(conditions: list[str]) -> list[str]:
    return ["mean"] + (["scene"] if "background" in conditions else [])


def encoded_spec(name: str) -> dict[str, Any]:
    shape = ["C", 1, 1, 3] if name == "mean" else ["C", SIZE, SIZE, 3]
    return {"name": name, "dtype": "float32", "shape": shape}


def save_generator(
    path: Path,
    conditions: list[str],
    declared: list[str] | None = None,
    viewpoint: bool = False,
) -> None:
    """`declared` conditions are inputs, though the graph only uses `conditions`."""
    names = ["mask", *(declared or conditions), *(["viewpoint"] if viewpoint else [])]
    inputs = [_value(spec(name, "N")) for name in names]
    nodes = [*_encode_nodes(conditions), *_compose_nodes(viewpoint)]
    _save(path, nodes, inputs, [_image()])


def save_conditions(path: Path, conditions: list[str]) -> None:
    outputs = [_value(encoded_spec(name)) for name in encoded_names(conditions)]
    nodes = _encode_nodes(conditions)
    kept = [node for node in nodes if node.output[0] in ("mean", "scene") or "float" in node.name]
    if "background" not in conditions:
        kept = [node for node in kept if node.output[0] != "scene"]
    _save(path, kept, [_value(spec(name, "C")) for name in conditions], outputs)


def save_cached(path: Path, conditions: list[str], viewpoint: bool = False) -> None:
    names = encoded_names(conditions)
    inputs = [_value(spec("mask", "N"))] + [_value(encoded_spec(name)) for name in names]
    inputs += [_value(spec("viewpoint", "N"))] if viewpoint else []
    given = [] if "scene" in names else _encode_nodes([])[-1:]
    _save(path, [*given, *_compose_nodes(viewpoint)], inputs, [_image()])


def _image() -> onnx.ValueInfoProto:
    return _value({**spec("appearance", "N"), "name": "image"})


def _encode_nodes(conditions: list[str]) -> list[onnx.NodeProto]:
    """Appearance and background as "mean" [C, 1, 1, 3] and "scene"; grey where there is none."""
    nodes = []
    if "appearance" in conditions:
        nodes += [
            helper.make_node("Cast", ["appearance"], ["a"], "float a", to=TensorProto.FLOAT),
            helper.make_node("ReduceMean", ["a", "axes"], ["mean"], keepdims=1),
        ]
    else:
        nodes.append(helper.make_node("Identity", ["grey"], ["mean"]))
    if "background" in conditions:
        nodes.append(
            helper.make_node("Cast", ["background"], ["scene"], "float b", to=TensorProto.FLOAT)
        )
    else:
        nodes.append(helper.make_node("Identity", ["grey"], ["scene"]))
    return nodes


def _compose_nodes(viewpoint: bool) -> list[onnx.NodeProto]:
    lit = [
        helper.make_node("MatMul", ["viewpoint", "lamp"], ["side"]),
        helper.make_node("Reshape", ["side", "column"], ["sides"]),
        helper.make_node("Add", ["sides", "ambient"], ["light"]),
        helper.make_node("Mul", ["unlit", "light"], ["shaded"]),
    ]
    return [
        helper.make_node("Cast", ["mask"], ["m"], to=TensorProto.FLOAT),
        helper.make_node("Greater", ["m", "half"], ["is_object"]),
        helper.make_node("Unsqueeze", ["is_object", "last"], ["inside"]),
        helper.make_node("Mul", ["mean", "shade"], ["unlit" if viewpoint else "shaded"]),
        *(lit if viewpoint else []),
        helper.make_node("Where", ["inside", "shaded", "scene"], ["composed"]),
        helper.make_node("Round", ["composed"], ["rounded"]),
        helper.make_node("Cast", ["rounded"], ["image"], to=TensorProto.UINT8),
    ]


def _save(
    path: Path,
    nodes: list[onnx.NodeProto],
    inputs: list[onnx.ValueInfoProto],
    outputs: list[onnx.ValueInfoProto],
) -> None:
    shade = np.linspace(0.5, 1.0, SIZE, dtype=np.float32).reshape(1, -1, 1, 1)
    constants = {
        "axes": np.array([1, 2], np.int64),
        "grey": np.full((1, 1, 1, 3), 128, np.float32),
        "half": np.array(127, np.float32),
        "last": np.array([3], np.int64),
        "shade": shade,
        "lamp": LAMP,
        "ambient": np.array(AMBIENT, np.float32),
        "column": np.array([-1, 1, 1, 1], np.int64),
    }
    used = {name for node in nodes for name in node.input}
    tensors = [numpy_helper.from_array(v, k) for k, v in constants.items() if k in used]
    graph = helper.make_graph(nodes, "tiny", inputs, outputs, tensors)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    onnx.checker.check_model(model)
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(model, path)


def _value(spec: dict[str, Any]) -> onnx.ValueInfoProto:
    kind = TensorProto.UINT8 if spec["dtype"] == "uint8" else TensorProto.FLOAT
    return helper.make_tensor_value_info(spec["name"], kind, spec["shape"])
