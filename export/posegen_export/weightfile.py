"""Graphs of one generator hold the same weights: stored once, in a file beside them."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import onnx
from onnx.external_data_helper import set_external_data

WEIGHTS = "weights.bin"
SMALLEST = 1024
"""Bytes; smaller tensors stay in their graph, where they cost less than a reference."""
ALIGNMENT = 64
"""Bytes; what vector instructions like to read from."""


def share_weights(models: Sequence[onnx.ModelProto], folder: Path) -> None:
    """Move the large initializers of `models`, in place, to ``folder/weights.bin`` as ONNX external
    data. Equal bytes are written once, whatever their names and whichever graph holds them.

    Each graph's metadata gets the file's sha256: so the graph's own bytes still change whenever a
    weight does, and a cache may go by them.
    """
    offsets: dict[bytes, int] = {}
    content = bytearray()
    for model in models:
        for tensor in model.graph.initializer:
            raw = onnx.numpy_helper.to_array(tensor).tobytes()
            if len(raw) < SMALLEST:
                continue
            if raw not in offsets:
                content.extend(bytes(-len(content) % ALIGNMENT))
                offsets[raw] = len(content)
                content.extend(raw)
            tensor.raw_data = raw
            set_external_data(tensor, WEIGHTS, offsets[raw], len(raw))
            tensor.ClearField("raw_data")
            tensor.ClearField("float_data")
    (folder / WEIGHTS).write_bytes(content)
    for model in models:
        model.metadata_props.add(
            key="posegen.weights_sha256", value=hashlib.sha256(content).hexdigest()
        )
