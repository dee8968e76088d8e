"""PyTorch module → one checked ONNX graph (opset 20, IR 10)."""

import contextlib
import io
import logging
import warnings
from collections.abc import Sequence

import onnx
import torch
from torch import Tensor, nn

from posegen_export.folding import fold_constants
from posegen_export.graphcheck import check_graph, fed_by

OPSET = 20
IR_VERSION = 10
"""What TensorRT 10.3 and the last ONNX Runtime for Python 3.10 read."""

BATCH = "N"
SHARED = "C"
"""Leading dimension of cached conditions: 1 (all masks share them) or N."""


def to_onnx(
    module: nn.Module,
    example: tuple[Tensor, ...],
    inputs: Sequence[str],
    outputs: Sequence[str],
    metadata: dict[str, str],
) -> onnx.ModelProto:
    """Export `module`, whose forward takes ``*inputs``, in eval mode and check the graph.

    Raises `GraphError` when it breaks a rule of `graphcheck`.

    The leading dimension of inputs with an example of more than one row becomes "N". One with an
    example of a single row becomes "C": traced as 1, it keeps the broadcasts that torch.export
    drops where two dynamic dimensions are equal, and those serve 1 and N alike.
    """
    batch = torch.export.Dim(BATCH)
    dims = [{0: batch} if len(tensor) > 1 else {} for tensor in example]
    with _quiet():
        program = torch.onnx.export(
            module.eval(),
            example,
            dynamo=True,
            opset_version=OPSET,
            input_names=list(inputs),
            output_names=list(outputs),
            dynamic_shapes=(tuple(dims),),
            verbose=False,
        )
    assert program is not None
    model = program.model_proto
    fold_constants(model)
    for value, dim in zip(model.graph.input, dims, strict=True):
        _name_batch(value, BATCH if dim else SHARED)
    for value in model.graph.output:
        _name_batch(value, BATCH)
    _cast_first(model.graph)
    _strip(model)
    model.ir_version = IR_VERSION
    model.producer_name = "posegen"
    model.producer_version = ""
    onnx.helper.set_model_props(model, metadata)
    check_graph(model, OPSET, IR_VERSION)
    return model


def _name_batch(value: onnx.ValueInfoProto, name: str) -> None:
    value.type.tensor_type.shape.dim[0].dim_param = name


def _cast_first(graph: onnx.GraphProto) -> None:
    """Let everything that reads a uint8 input (a shape, say) read its cast instead."""
    for value in graph.input:
        if value.type.tensor_type.elem_type != onnx.TensorProto.UINT8:
            continue
        readers = fed_by(graph, value.name)
        casts = [node for node in readers if node.op_type == "Cast"]
        for node in readers:
            if casts and node.op_type != "Cast":
                for i, name in enumerate(node.input):
                    if name == value.name:
                        node.input[i] = casts[0].output[0]
    first = [n for n in graph.node if n.op_type == "Cast" and n.input[0] in _names(graph.input)]
    rest = [node for node in graph.node if node not in first]
    ordered = [onnx.NodeProto.FromString(node.SerializeToString()) for node in (*first, *rest)]
    del graph.node[:]
    graph.node.extend(ordered)


def _names(values: Sequence[onnx.ValueInfoProto]) -> set[str]:
    return {value.name for value in values}


def _strip(model: onnx.ModelProto) -> None:
    """Remove the exporter's notes: stack traces with the paths of this machine, and shapes that
    hold the example's leading dimension."""
    graph = model.graph
    del graph.value_info[:]
    del graph.metadata_props[:]
    graph.doc_string = ""
    model.doc_string = ""
    graph.name = "posegen"
    for item in (*graph.node, *graph.initializer, *graph.input, *graph.output):
        item.doc_string = ""
        del item.metadata_props[:]


@contextlib.contextmanager
def _quiet():  # type: ignore[no-untyped-def]
    """The exporter warns about its own insides and prints its progress."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
