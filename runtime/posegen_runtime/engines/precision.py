"""The precision that a network and an engine really compute in, against what was asked for."""

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

from posegen_runtime.engines.bindings import (
    EngineInspector,
    ICudaEngine,
    ILayer,
    INetworkDefinition,
)
from posegen_runtime.engines.flavors import TensorRT
from posegen_runtime.engines.network import dtype_name
from posegen_runtime.errors import PoseGenError

Layers = dict[str, int]
"""Data type, in numpy's words, to the number of layers that compute in it."""

MARKS = {
    r"\bint8": "int8",
    r"\b(fp16|half)\b": "float16",
    r"\b(bf16|bfloat16)\b": "bfloat16",
    r"\b(fp32|float)\b": "float32",
}
"""What an inspector's description of a tensor says, and the type that it means."""


def network_layers(tensorrt: TensorRT, network: INetworkDefinition) -> Layers:
    """How many convolutions and matrix products of `network` compute in which type.

    One whose input comes out of a dequantisation computes in int8.
    """
    trt = tensorrt.module
    kinds = trt.LayerType
    products = (kinds.CONVOLUTION, kinds.DECONVOLUTION, kinds.MATRIX_MULTIPLY)
    dequantized: set[str] = set()
    found: Counter[str] = Counter()
    for index in range(network.num_layers):  # in the graph's order: producers first
        layer: ILayer = network.get_layer(index)
        if layer.type == kinds.DEQUANTIZE:
            dequantized.add(layer.get_output(0).name)
        if layer.type in products:
            given = layer.get_input(0)
            int8 = given.name in dequantized
            found["int8" if int8 else dtype_name(tensorrt, given.dtype)] += 1
    return dict(found)


def check_layers(precision: str, layers: Layers, model: Path) -> None:
    """Raise `PoseGenError` when `layers` is not what a graph of `precision` has.

    fp32: float32 and nothing else. fp16: mostly float16, beside float32 islands. int8: some int8;
    which layers stay higher was decided, and recorded, when the bundle was made.
    """
    narrow = layers.get("float16", 0)
    kept = {
        "fp32": layers.keys() <= {"float32"},
        "fp16": narrow > sum(layers.values()) - narrow and not layers.get("int8"),
        "int8": layers.get("int8", 0) > 0,
    }
    if not kept.get(precision, False):
        raise PoseGenError(
            f"{model}: {precision} was asked for, but the graph has {describe(layers)}; "
            f"export the {precision} variant again"
        )


def describe(layers: Layers) -> str:
    """Such as "31 layers in float16, 3 in float32"."""
    if not layers:
        return "no known type"
    (first, count), *rest = sorted(layers.items(), key=lambda item: -item[1])
    head = f"{count} layer{'s' if count > 1 else ''} in {first}"
    return ", ".join([head, *(f"{count} in {dtype}" for dtype, count in rest)])


def engine_layers(
    tensorrt: TensorRT, engine: ICudaEngine, precision: str, engine_file: Path
) -> Layers:
    """How many layers of a built engine read which type, as its inspector tells on a GPU.

    Empty where the inspector says nothing of types. Raises `PoseGenError` when nothing in it
    computes in `precision`.
    """
    trt = tensorrt.module
    inspector: EngineInspector = engine.create_engine_inspector()
    if inspector is None:
        return {}
    layers = inspected_layers(inspector.get_engine_information(trt.LayerInformationFormat.JSON))
    wanted = {"fp16": "float16", "int8": "int8"}.get(precision)
    lowered = precision == "fp32" and set(layers) - {"float32"}
    if layers and ((wanted and wanted not in layers) or lowered):
        raise PoseGenError(
            f"{engine_file}: {precision} was asked for, but {tensorrt} built "
            f"{describe(layers)}; use another precision or version"
        )
    return layers


def inspected_layers(text: str) -> Layers:
    """Layers by the type of their first floating-point or int8 input, from an inspector's JSON.

    TensorRT 10 writes ``Format/Datatype`` of a tensor, 11 ``Format`` and ``DataType`` apart. What
    it compiles as one region, a ``ForeignNode``, has inputs that tell nothing of what is inside.
    Empty when `text` is no such JSON.
    """
    found: Counter[str] = Counter()
    try:
        read = json.loads(text, strict=False)  # TensorRT joins names by control characters
    except ValueError:
        return {}
    for layer in (read.get("Layers") or []) if isinstance(read, dict) else []:
        if not isinstance(layer, dict) or "ForeignNode" in str(layer.get("Name")):
            continue
        tensors = [tensor for tensor in layer.get("Inputs", []) if isinstance(tensor, dict)]
        types = [dtype for tensor in tensors if (dtype := _type_of(tensor)) is not None]
        if types:
            found[types[0]] += 1
    return dict(found)


def _type_of(tensor: dict[str, Any]) -> str | None:
    words = str(tensor.get("DataType") or tensor.get("Format/Datatype") or "")
    for mark, dtype in MARKS.items():
        if re.search(mark, words, re.IGNORECASE):
            return dtype
    return None
