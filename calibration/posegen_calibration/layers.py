"""The layers of a graph that INT8 can serve: convolutions and full connections, by name."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import onnx

NARROW = 16
"""Channels; a layer with fewer on either side gains little from INT8 and usually loses more."""


@dataclass(frozen=True)
class Layer:
    """One node with constant weights.

    A layer goes by the name of its weight, which is the same in every graph of a bundle, while the
    names of nodes and of the tensors between them are not.
    """

    name: str
    weight: str
    """Name of the initializer."""
    tensor: str
    """Name of the activation that it reads; ranges are those of this tensor."""
    channel_axis: int
    """Axis of the weight that runs over output channels."""
    channels: tuple[int, int]
    """(in, out)."""
    multiplications: int
    """For one image."""

    @property
    def is_narrow(self) -> bool:
        return min(self.channels) < NARROW


def find_layers(model: onnx.ModelProto) -> list[Layer]:
    """Every Conv and Gemm of `model` whose weights are constants, in the order of the graph."""
    weights = {tensor.name: list(tensor.dims) for tensor in model.graph.initializer}
    areas = _output_areas(model)
    layers = []
    for node in model.graph.node:
        if node.op_type not in ("Conv", "Gemm") or node.input[1] not in weights:
            continue
        shape = weights[node.input[1]]
        axis = 0 if node.op_type == "Conv" else 1 - _attribute(node, "transB", 0)
        layers.append(
            Layer(
                name=node.input[1].removesuffix(".weight"),
                weight=node.input[1],
                tensor=node.input[0],
                channel_axis=axis,
                channels=(shape[1 - axis], shape[axis]),
                multiplications=math.prod(shape) * areas[node.output[0]],
            )
        )
    return layers


def borders(model: onnx.ModelProto, layers: Sequence[Layer]) -> dict[str, str]:
    """The names of the first and the last convolution among `layers`, each with that word."""
    read = {node.input[1] for node in model.graph.node if node.op_type == "Conv"}
    convolutions = [layer.name for layer in layers if layer.weight in read]
    return {convolutions[-1]: "last", convolutions[0]: "first"} if convolutions else {}


def _output_areas(model: onnx.ModelProto) -> dict[str, int]:
    """Pixels of each tensor [N, C, H, W]; 1 for any other."""
    inferred = onnx.shape_inference.infer_shapes(model, data_prop=True)
    areas = {}
    for value in (*inferred.graph.value_info, *inferred.graph.output):
        dims = value.type.tensor_type.shape.dim
        areas[value.name] = dims[2].dim_value * dims[3].dim_value if len(dims) == 4 else 1
    return areas


def _attribute(node: onnx.NodeProto, name: str, default: int) -> int:
    return next((attribute.i for attribute in node.attribute if attribute.name == name), default)
