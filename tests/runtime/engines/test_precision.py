"""The precision that an engine says it has; what networks have is tested by building them."""

import json
from pathlib import Path

import pytest

from posegen_runtime.engines.precision import check_layers, describe, inspected_layers
from posegen_runtime.errors import PoseGenError

TENSORRT_10 = [
    {"Inputs": [{"Format/Datatype": "Row major linear UInt8 format"}]},
    {"Inputs": [{"Format/Datatype": "Row major linear FP32 format"}]},
    {"Inputs": [{"Format/Datatype": "Channel major FP16 format where channel % 8 == 0"}]},
    {"Inputs": [{"Format/Datatype": "Thirty-two wide channel vectorized row major Int8 format"}]},
    {"Name": "{ForeignNode[a...b]}", "Inputs": [{"Format/Datatype": "Row major linear FP32"}]},
    "only a name",
]
TENSORRT_11 = [
    {"Inputs": [{"Format": "Row major linear", "DataType": "Float"}]},
    {"Inputs": [{"DataType": "Half"}, {"DataType": "Float"}]},
    {"Inputs": [{"DataType": "Int8"}]},
    {"Inputs": [{"DataType": "Int32"}]},
]


@pytest.mark.parametrize("layers", [TENSORRT_10, TENSORRT_11])
def test_an_inspector_of_either_version_is_understood(layers: list[object]) -> None:
    found = inspected_layers(json.dumps({"Layers": layers}))
    assert found == {"float32": 1, "float16": 1, "int8": 1}


def test_names_are_joined_by_control_characters() -> None:
    """As TensorRT writes the ONNX nodes that became one layer: no JSON, to the letter."""
    text = json.dumps({"Layers": [{"Metadata": "[ONNX Layer: a]@[b]", **TENSORRT_11[0]}]})
    assert inspected_layers(text.replace("@", "\x1e")) == {"float32": 1}


@pytest.mark.parametrize(
    "text", ["", "no inspector here", "[]", '{"Layers": null}', '{"Layers": [{"Inputs": ["x"]}]}']
)
def test_an_inspector_that_tells_nothing(text: str) -> None:
    assert inspected_layers(text) == {}


@pytest.mark.parametrize(
    ("precision", "layers", "right"),
    [
        ("fp32", {"float32": 9}, True),
        ("fp32", {"float32": 9, "float16": 1}, False),
        ("fp16", {"float16": 9, "float32": 2}, True),
        ("fp16", {"float16": 2, "float32": 2}, False),
        ("fp16", {"float16": 9, "int8": 1}, False),
        ("int8", {"int8": 1, "float32": 9}, True),
        ("int8", {"float32": 9}, False),
        ("int8", {}, False),
    ],
)
def test_what_was_asked_for_is_what_is_there(
    precision: str, layers: dict[str, int], right: bool
) -> None:
    model = Path("fp16/generator.onnx")
    if right:
        check_layers(precision, layers, model)
        return
    with pytest.raises(PoseGenError, match=f"{precision} was asked for, but the graph has"):
        check_layers(precision, layers, model)


def test_layers_in_words() -> None:
    assert describe({"float32": 2, "float16": 31}) == "31 layers in float16, 2 in float32"
    assert describe({"int8": 1}) == "1 layer in int8"
    assert describe({}) == "no known type"
