"""ONNX file → TensorRT network whose inputs are the bundle's."""

from pathlib import Path

from posegen_runtime.engines.bindings import (
    Builder,
    INetworkDefinition,
    ITensor,
    OnnxParser,
    ParserError,
)
from posegen_runtime.engines.flavors import TensorRT
from posegen_runtime.errors import PoseGenError
from posegen_runtime.manifest import TensorSpec

DTYPES = {
    "uint8": "UINT8",
    "int8": "INT8",
    "int32": "INT32",
    "int64": "INT64",
    "bool": "BOOL",
    "float16": "HALF",
    "bfloat16": "BF16",
    "float32": "FLOAT",
}
"""numpy's names and TensorRT's."""

NEWEST_OPSET = 20
"""What TensorRT 10.3 reads. Its parser, and later ones, go on at higher ones and may misread."""


def parse(
    tensorrt: TensorRT, builder: Builder, model: Path, inputs: list[TensorSpec]
) -> INetworkDefinition:
    """A strongly typed network: every layer computes in the types that the graph has.

    Weights may lie in files beside `model`. Raises `PoseGenError` with TensorRT's reasons when it
    does not take an operator, an opset or the types, and when `inputs` are not the graph's.
    """
    trt = tensorrt.module
    flags = 0
    if tensorrt.has("NetworkDefinitionCreationFlag.STRONGLY_TYPED"):
        flags |= 1 << int(trt.NetworkDefinitionCreationFlag.STRONGLY_TYPED)
    network: INetworkDefinition = builder.create_network(flags)
    parser: OnnxParser = trt.OnnxParser(network, tensorrt.logger)
    with tensorrt.logger.collect() as heard:
        parsed = parser.parse_from_file(str(model))
    if not parsed:
        reasons = [_reason(parser.get_error(i)) for i in range(parser.num_errors)]
        raise PoseGenError(
            f"{model}: {tensorrt} does not take this graph ({reasons[0] if reasons else heard}); "
            "use another backend, or export the bundle again"
        )
    if heard.opset is not None and heard.opset > NEWEST_OPSET:
        raise PoseGenError(
            f"{model}: is of opset {heard.opset}, TensorRT reads {NEWEST_OPSET} and older for "
            "sure; export the bundle again"
        )
    _check_inputs(tensorrt, network, model, inputs)
    return network


def _reason(error: ParserError) -> str:
    text = " ".join(error.desc().split())
    if not error.node_operator():
        return text
    return f"{text}, at {error.node_operator()} {error.node_name()}".rstrip()


def _check_inputs(
    tensorrt: TensorRT, network: INetworkDefinition, model: Path, inputs: list[TensorSpec]
) -> None:
    found = {}
    for index in range(network.num_inputs):
        tensor: ITensor = network.get_input(index)
        found[tensor.name] = dtype_name(tensorrt, tensor.dtype)
    recorded = {spec.name: spec.dtype for spec in inputs}
    if found != recorded:
        raise PoseGenError(
            f"{model}: the graph takes {_list(found)}, the bundle says {_list(recorded)}; "
            "export the bundle again"
        )


def dtype_name(tensorrt: TensorRT, dtype: object) -> str:
    """numpy's name of a TensorRT data type; TensorRT's own where numpy has none."""
    kinds = tensorrt.module.DataType
    for name, member in DTYPES.items():
        if dtype == getattr(kinds, member):
            return name
    return str(dtype)


def _list(tensors: dict[str, str]) -> str:
    return ", ".join(f"{name} ({dtype})" for name, dtype in tensors.items())
