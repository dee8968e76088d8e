"""Faults planted in an ONNX graph, to see the gates fail."""

from pathlib import Path

import numpy as np
import onnx
from onnx import helper, numpy_helper


def constant_mask(file: Path) -> None:
    """The graph reads 0 wherever the mask is."""
    model = onnx.load(file)
    graph = model.graph
    position, cast = next((i, n) for i, n in enumerate(graph.node) if n.input[0] == "mask")
    graph.initializer.append(numpy_helper.from_array(np.float32(0), "planted"))
    multiply = helper.make_node("Mul", ["real_mask", "planted"], [cast.output[0]])
    cast.output[0] = "real_mask"
    graph.node.insert(position + 1, multiply)
    onnx.save(model, file)


def ignored_viewpoint(file: Path) -> None:
    """The graph takes every viewpoint for unknown."""
    _scale_viewpoint(file, 0.0)


def opposite_viewpoint(file: Path) -> None:
    """The graph sees the object from behind."""
    _scale_viewpoint(file, -1.0)


def _scale_viewpoint(file: Path, factor: float) -> None:
    model = onnx.load(file)
    graph = model.graph
    for node in graph.node:
        for i, name in enumerate(node.input):
            if name == "viewpoint":
                node.input[i] = "scaled_viewpoint"
    graph.initializer.append(numpy_helper.from_array(np.float32(factor), "planted"))
    graph.node.insert(0, helper.make_node("Mul", ["viewpoint", "planted"], ["scaled_viewpoint"]))
    onnx.save(model, file)


def permuted_channels(file: Path) -> None:
    """RGB comes out as BGR."""
    model = onnx.load(file)
    graph = model.graph
    position, cast = next((i, n) for i, n in enumerate(graph.node) if n.output[0] == "image")
    graph.initializer.append(numpy_helper.from_array(np.array([2, 1, 0]), "planted"))
    gather = helper.make_node("Gather", [cast.input[0], "planted"], ["permuted"], axis=3)
    cast.input[0] = "permuted"
    graph.node.insert(position, gather)
    onnx.save(model, file)


def changed_weight(file: Path) -> None:
    """One weight of the last convolution is off by a twentieth of the layer's spread."""
    model = onnx.load(file)
    name = [n for n in model.graph.node if n.op_type == "Conv"][-1].input[1]
    (tensor,) = (t for t in model.graph.initializer if t.name == name)
    weights = numpy_helper.to_array(tensor).copy()
    weights.flat[weights.size // 2] += 0.2
    tensor.CopyFrom(numpy_helper.from_array(weights, name))
    onnx.save(model, file)


def fixed_batch(file: Path) -> None:
    """The graph was made for N = 1: it flattens and restores that shape."""
    model = onnx.load(file)
    graph = model.graph
    position, cast = next((i, n) for i, n in enumerate(graph.node) if n.output[0] == "image")
    shape = [d.dim_value for d in graph.output[0].type.tensor_type.shape.dim]
    fixed = np.array([1, *shape[1:]], np.int64)
    graph.initializer.append(numpy_helper.from_array(fixed, "planted"))
    reshape = helper.make_node("Reshape", [cast.input[0], "planted"], ["fixed"])
    cast.input[0] = "fixed"
    graph.node.insert(position, reshape)
    onnx.save(model, file)
