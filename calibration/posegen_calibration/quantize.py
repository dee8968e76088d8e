"""A float graph → the same graph with explicit quantisation, as TensorRT takes it.

Every quantised layer reads its activation through QuantizeLinear and DequantizeLinear (int8, zero
point 0, one scale) and its weights, stored as int8, through DequantizeLinear with one scale for
each output channel. Biases stay as they are, since TensorRT refuses int32 ones. So do the sums
between the layers, and everything that is no quantised layer: float32, or float16 in such a graph.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

from posegen_calibration.layers import Layer

LEVELS = 127
"""int8 from -127 to 127: symmetric, as the zero point 0 needs it."""
ZERO = "int8_zero"


def quantize(
    model: onnx.ModelProto, layers: Sequence[Layer], ranges: Mapping[str, float]
) -> onnx.ModelProto:
    """A copy of `model` with `layers`, which are its own, in INT8.

    `ranges` holds, by layer name, the largest absolute value of the activation that it reads.
    """
    by_weight = {layer.weight: layer for layer in layers}
    made = onnx.ModelProto()
    made.CopyFrom(model)
    graph = made.graph
    constants = {t.name: t for t in graph.initializer}
    tensors = [numpy_helper.from_array(np.zeros((), np.int8), ZERO)] if layers else []
    nodes: list[onnx.NodeProto] = []
    ready: set[str] = set()
    for node in model.graph.node:
        layer = by_weight.get(node.input[1]) if len(node.input) > 1 else None
        copy = onnx.NodeProto()
        copy.CopyFrom(node)
        if layer is not None:
            weight = numpy_helper.to_array(constants[layer.weight])
            dtype = weight.dtype
            if layer.tensor not in ready:
                nodes += _activation(layer.tensor)
                tensors.append(_scale(layer.tensor, ranges[layer.name], dtype))
                ready.add(layer.tensor)
            if layer.weight not in ready:
                nodes.append(_weight(layer))
                tensors += _int8_weight(layer, weight)
                ready.add(layer.weight)
            copy.input[0], copy.input[1] = f"{layer.tensor}_dq", f"{layer.weight}_dq"
            if dtype == np.float16 and len(copy.input) > 2:
                nodes.append(copy)
                row = _row(constants[copy.input[2]], node.op_type)
                if row.name not in ready:
                    tensors.append(row)
                    ready.add(row.name)
                copy = _add_bias(copy, row.name)
        nodes.append(copy)
    read = {name for node in nodes for name in node.input}
    kept = [tensor for tensor in graph.initializer if tensor.name in read]
    del graph.node[:]
    graph.node.extend(nodes)
    tensors = [*kept, *tensors]
    del graph.initializer[:]
    graph.initializer.extend(tensors)
    return made


def int8_weights(
    weight: npt.NDArray[np.floating[Any]], axis: int
) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.floating[Any]]]:
    """Weights as int8 of the same shape, and their scales [channels], in the type of `weight`:
    w ≈ int8 · scale.

    A channel of zeros has scale 1.
    """
    others = tuple(i for i in range(weight.ndim) if i != axis)
    scales = _scales(np.abs(weight).max(axis=others), weight.dtype)
    shape = [-1 if i == axis else 1 for i in range(weight.ndim)]
    return np.rint(weight / scales.astype(np.float32).reshape(shape)).astype(np.int8), scales


def _scales(
    largest: npt.NDArray[np.floating[Any]], dtype: np.dtype[Any]
) -> npt.NDArray[np.floating[Any]]:
    """Scales of `dtype` at which nothing up to `largest` exceeds `LEVELS`; 1 where that is 0.

    The scale of a small range has few bits left in float16. It is rounded up there, and the
    integers are made with the rounded one, so that nothing is lost but a little of the range.
    """
    exact = np.where(largest > 0, largest.astype(np.float64) / LEVELS, 1)
    scales = exact.astype(dtype)
    return np.where(scales < exact, np.nextafter(scales, np.array(np.inf, dtype)), scales)


def _activation(tensor: str) -> list[onnx.NodeProto]:
    scale = f"{tensor}_scale"
    return [
        helper.make_node(
            "QuantizeLinear", [tensor, scale, ZERO], [f"{tensor}_q"], f"{tensor}_quantize"
        ),
        helper.make_node(
            "DequantizeLinear", [f"{tensor}_q", scale, ZERO], [f"{tensor}_dq"], f"{tensor}_restore"
        ),
    ]


def _scale(tensor: str, largest: float, dtype: np.dtype[Any]) -> TensorProto:
    return numpy_helper.from_array(_scales(np.array(largest), dtype), f"{tensor}_scale")


def _add_bias(node: onnx.NodeProto, bias: str) -> onnx.NodeProto:
    """Take the bias from `node` into an addition behind it, which has the output of `node` then.

    ONNX Runtime counts a bias behind DequantizeLinear in steps of both scales' product. In float16
    more than 65,504 of them are infinite, and images are noise then.
    """
    total = node.output[0]
    del node.input[2:]
    node.output[0] = f"{total}_product"
    return helper.make_node("Add", [node.output[0], bias], [total], f"{total}_bias")


def _row(bias: TensorProto, kind: str) -> TensorProto:
    """`bias` [C] for an addition to [N, C, H, W] behind a Conv, or to [N, C] behind a Gemm."""
    values = numpy_helper.to_array(bias)
    shape = (-1, 1, 1) if kind == "Conv" else (-1,)
    return numpy_helper.from_array(values.reshape(shape), f"{bias.name}_of_{kind.lower()}")


def _weight(layer: Layer) -> onnx.NodeProto:
    parts = [f"{layer.weight}_{part}" for part in ("int8", "scale", "zero")]
    return helper.make_node(
        "DequantizeLinear",
        parts,
        [f"{layer.weight}_dq"],
        f"{layer.weight}_restore",
        axis=layer.channel_axis,
    )


def _int8_weight(layer: Layer, weight: npt.NDArray[np.floating[Any]]) -> list[TensorProto]:
    values, scales = int8_weights(weight, layer.channel_axis)
    return [
        numpy_helper.from_array(values, f"{layer.weight}_int8"),
        numpy_helper.from_array(scales, f"{layer.weight}_scale"),
        numpy_helper.from_array(np.zeros(len(scales), np.int8), f"{layer.weight}_zero"),
    ]
